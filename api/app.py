"""The application factory of the HTTP service."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import sqlalchemy as sa
from apiflask import APIFlask
from flask import Response, send_from_directory

from api import (
    acting,
    addresses,
    areas,
    basemap,
    bodies,
    components,
    compression,
    cross_origin,
    downloads,
    errors,
    facilities,
    grids,
    history,
    idempotency,
    jobs,
    mapit,
    me,
    metrics,
    observing,
    ogc,
    open311,
    openapi,
    overview,
    pages,
    places,
    report_queue,
    reports,
    sheets,
    wms,
)
from api.access import guard
from api.catalogue import Catalogue
from api.circles import views as circle_views
from api.current import CurrentGrids
from api.drawing import Drawing
from api.editing import views as editing_views
from api.gate import Gate
from api.heat import views as heat_views
from api.intake import Intake
from api.known_addresses import KnownAddresses
from api.known_streets import HeldStreets
from api.locate import batch, single
from api.locate.shortcut import Shortcut
from api.measures import Measures
from api.observing import Observed
from api.ogc import styles as ogc_styles
from api.ogc import tiles as ogc_tiles
from api.people import tokens, users
from api.plans import views as plan_views
from api.rate import RateLimit
from api.sign_in import csrf, noting
from api.sign_in import views as sign_in_views
from api.state import State
from api.tile_shortcut import TileShortcut
from api.tile_source import Tiles
from gisgrid import __version__
from gisgrid.errors import NotFound
from gisgrid.limits import BODY_BYTES_MAX
from gisgrid.settings import Settings

CONTENT_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self'; script-src 'self'; worker-src 'self' blob:; "
    "connect-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
"""Sent with every answer that does not say otherwise."""
PAGES = ("plans", "workbench", "compare", "dispatch", "place", "people", "history")
"""Pages of the browser beside the map at ``/``; what they are about is in their query."""
BLUEPRINTS = (
    overview.bp,
    areas.bp,
    grids.bp,
    components.bp,
    facilities.bp,
    downloads.bp,
    basemap.bp,
    single.bp,
    circle_views.bp,
    editing_views.bp,
    reports.bp,
    report_queue.bp,
    open311.bp,
    jobs.bp,
    me.bp,
    plan_views.bp,
    places.bp,
    sheets.bp,
    mapit.bp,
    ogc.bp,
    addresses.bp,
    batch.bp,
    wms.bp,
    ogc_tiles.bp,
    ogc_styles.bp,
    heat_views.bp,
    sign_in_views.bp,
    users.bp,
    tokens.bp,
    history.bp,
    metrics.bp,
)


def create_app(
    settings: Settings, engine: sa.Engine, *, drawers: Path | None = None, shared: Path | None = None
) -> APIFlask:
    """The service on a database; the caller owns the engine and disposes of it.

    ``drawers``: socket of the processes that draw pictures; None: they are drawn here. ``shared``: folder in which the
    processes of one server tell each other their figures, and that the server is to stop.
    """
    app = APIFlask("api", title="gisgrid", version=__version__, spec_path="/openapi.json", docs_path=None)
    app.config["MAX_CONTENT_LENGTH"] = BODY_BYTES_MAX
    app.config["OPENAPI_VERSION"] = "3.0.3"  # what the description is written in, and what OGC's clients read
    catalogue = Catalogue(engine)
    app.extensions["gisgrid"] = held = State(
        settings,
        engine,
        CurrentGrids(engine, settings.home),
        KnownAddresses(engine, settings),
        HeldStreets(engine, settings),
        catalogue,
        Tiles(engine, catalogue),
        Drawing(engine, catalogue, drawers),
    )
    app.extensions["gisgrid.leaving"] = shared / "leaving" if shared is not None else None
    measures = Measures(shared, own=lambda: metrics.own_figures(held))
    app.extensions["gisgrid.measures"] = measures
    observing.init_app(app)  # first: what refuses a request is told too
    errors.init_app(app)
    openapi.init_app(app)
    known = guard.init_app(app, settings, engine)
    app.before_request(pages.check_parameters)
    app.before_request(csrf.check)
    acting.init_app(app)
    bodies.init_app(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    _serve_web_map(app)
    guard.check_complete(app)
    app.after_request(_secure)
    cross_origin.init_app(app)
    compression.init_app(app)
    idempotency.init_app(app)
    headers = HEADERS | cross_origin.HEADERS
    noting.init_app(app)
    tiles = TileShortcut(Intake(Gate(app.wsgi_app)), held.tiles, headers, known)
    limited = RateLimit(Shortcut(tiles, held, headers, known), settings.rate_limit, settings.proxies)
    app.wsgi_app = Observed(limited, measures, sample=settings.log_sample)  # type: ignore[method-assign]
    return app


def _serve_web_map(app: APIFlask) -> None:
    folder = Path(str(files("api") / "static"))

    def web_page(name: str) -> Response:
        if not (folder / f"{name}.html").exists():
            raise NotFound("the web pages are not built; run 'make setup' (the HTTP interface works without them)")
        response = send_from_directory(folder, f"{name}.html")
        response.headers["Cache-Control"] = "no-cache"
        return response

    @app.get("/")
    @app.doc(hide=True)
    def web_map() -> Response:
        return web_page("index")

    for page in PAGES:
        view = app.doc(hide=True)(_page_view(web_page, page))
        app.add_url_rule(f"/{page}", f"page_{page}", view, provide_automatic_options=False)

    @app.get("/favicon.ico")
    @app.doc(hide=True)
    def icon() -> Response:  # asked for by browsers that show a page without a link to one
        return send_from_directory(folder, "icon.svg")

    @app.get("/<path:name>")
    @app.doc(hide=True)
    def web_file(name: str) -> Response:
        response = send_from_directory(folder, name)
        if name.startswith("assets/"):  # their names carry a hash of their content
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


def _page_view(web_page: Callable[[str], Response], page: str) -> Callable[[], Response]:
    def view() -> Response:
        return web_page(page)

    return view


def _secure(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response
