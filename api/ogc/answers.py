"""How pages of /ogc are answered: form and language by what the caller prefers, links, one template for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

from flask import Response, g, render_template, request
from werkzeug.urls import iri_to_uri

from api import etag
from api.access.layers import seen
from api.catalogue import Offer
from api.json import json_response
from api.state import state
from gisgrid.errors import BadInput, NotFound
from layers.catalog import Layer

JSON: Final = "application/json"
GEOJSON: Final = "application/geo+json"
SCHEMA: Final = "application/schema+json"
HTML: Final = "text/html"
OPENAPI: Final = "application/vnd.oai.openapi+json;version=3.0"
EVERYWHERE: Final = ("f", "lang")
"""Parameters of every page."""
Link = dict[str, str]


def take(*names: str) -> None:
    """Refuse query parameters that are neither named nor of every page. Raises BadInput."""
    for name in request.args:
        if name not in names and name not in EVERYWHERE:
            known = ", ".join((*names, *EVERYWHERE))
            raise BadInput(f"{request.path} takes no parameter {name[:60]!r}; it takes {known}")


def form() -> str:
    """``json`` or ``html``: ``f`` decides, else Accept, else JSON. Raises BadInput."""
    given = request.args.get("f")
    if given is not None:
        if given not in ("json", "geojson", "html"):
            raise BadInput(f"f={given[:40]!r}: give json or html")
        return "html" if given == "html" else "json"
    accept = request.accept_mimetypes
    told = max(accept.quality(kind) for kind in (GEOJSON, JSON, SCHEMA))
    return "html" if accept.quality(HTML) > told else "json"


def language() -> str:
    """``zh`` or ``en``: ``lang`` decides, else Accept-Language, else Chinese. Raises BadInput."""
    given = request.args.get("lang")
    if given is not None:
        if given not in ("zh", "en"):
            raise BadInput(f"lang={given[:40]!r}: give zh or en")
        return given
    best = request.accept_languages.best_match(("zh", "en", "zh-CN", "zh-Hans", "en-US", "en-GB"), default="zh")
    return "en" if best.startswith("en") else "zh"


def site() -> str:
    """Where the service is, as the caller sees it."""
    return request.url_root.rstrip("/")


def base() -> str:
    """Where /ogc is, as the caller sees it."""
    return site() + "/ogc"


def address(*parts: str, **query: str) -> str:
    """An address below /ogc."""
    path = "/".join(quote(part, safe="") for part in parts)
    return f"{base()}/{path}" + (f"?{urlencode(query)}" if query else "")


def link(rel: str, href: str, kind: str = JSON, title: str = "") -> Link:
    """A link; the title only when there is one."""
    found = {"rel": rel, "href": href, "type": kind}
    return found | {"title": title} if title else found


def asked_address(**changes: str) -> str:
    """The address of this request, properly escaped, with some parameters changed."""
    query = urlencode(request.args.to_dict() | changes)
    return iri_to_uri(request.base_url) + (f"?{query}" if query else "")


def here(kind: str = JSON) -> list[Link]:
    """Links to this page: itself and its other form."""
    page = form() == "html"
    return [
        link("self", asked_address(), HTML if page else kind),
        link("alternate", asked_address(f="json" if page else "html"), kind if page else HTML),
    ]


def title_of(layer: Layer) -> str:
    """A layer's title in the caller's language."""
    return layer.title_zh if language() == "zh" else layer.title_en


def answer(value: Mapping[str, Any], template: str, *, kind: str = JSON, **more: Any) -> Response:
    """A page as JSON, or for people through its template."""
    if form() == "json":
        response = json_response(value, mimetype=kind)
    else:
        response = Response(page(template, value=value, **more), mimetype=HTML)
    response.headers["Content-Language"] = language()
    response.vary.update(("Accept", "Accept-Language"))
    return response


def page(template: str, **more: Any) -> str:
    """A page for people."""
    chinese = language() == "zh"
    other, as_json = asked_address(lang="en" if chinese else "zh"), asked_address(f="json")
    return render_template(
        template, t=lambda zh, en: zh if chinese else en, lang="zh" if chinese else "en", base=base(), site=site(),
        other=other, as_json=as_json, **more,
    )  # fmt: skip


def offered() -> Offer:
    """What is offered as of this request; looked up once."""
    if "ogc_offer" not in g:
        g.ogc_offer = state().catalogue.now()
    found: Offer = g.ogc_offer
    return found


def seen_layers() -> dict[str, Layer]:
    """The layers that are collections for this caller."""
    return {name: layer for name, layer in seen(offered().layers).items() if not layer.picture_only}


def found_layer(name: str) -> Layer:
    """The collection of that name. Raises NotFound."""
    layer = seen_layers().get(name)
    if layer is None:
        raise NotFound(f"there is no collection {name[:100]!r}; /ogc/collections lists them")
    return layer


def cache_rule(layer: Layer) -> str:
    """The Cache-Control of what a layer tells."""
    return etag.keeping(restricted=layer.restricted)
