"""``gisgrid serve``, ``demo`` and ``warm``."""

from __future__ import annotations

import os
import socket
import time
from collections import deque
from contextlib import ExitStack

import click
import sqlalchemy as sa

from api import server
from api.access.credentials import LOOPBACK
from api.circles.job import CIRCLES, circles_params
from api.cli import stopping
from api.cli.output import Output, output_options
from api.cli.working import worker_beside
from data import db, plans
from data import tables as t
from data.intake import clean_layers, store_layers
from data.jobs import submit
from data.point_streams.records import warm as warm_records
from data.reports import apply_moves, moved_reports
from data.sample import SCENARIOS, make_sample
from gisgrid.address import warm as warm_address
from gisgrid.errors import BadInput
from gisgrid.locate import warm as warm_locate
from gisgrid.models import Band
from gisgrid.settings import Settings
from layers.held.warming import warm as warm_held
from layers.render.warming import warm as warm_render
from planning import workflow, workflow_circles
from planning.circles.isochrones import warm as warm_circles
from planning.partition import warm as warm_partition
from planning.reach.warming import warm as warm_reach
from planning.siting import warm as warm_siting
from planning.straight import warm as warm_straight
from planning.units import warm as warm_units

LATER = ("elderly", "frail")
"""Profiles whose circles the demo's worker computes while the map is looked at already."""
host_option = click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
port_option = click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="Port.")
jobs_option = click.option(
    "--jobs/--no-jobs", default=True, show_default=True, help="Run a worker for jobs and webhooks beside the server."
)


@click.command("serve")
@host_option
@port_option
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Worker processes.")
@jobs_option
@output_options
def serve(output: Output, host: str, port: int, workers: int, jobs: bool) -> None:
    """Serve the web map and the HTTP interface until stopped."""
    _check_port(host, port)
    settings = Settings.from_env()
    level = "warning" if output.quiet else None
    with db.database(settings) as engine, worker_beside(jobs, level):
        output.say(*_who_gets_in(settings, engine))
        _serve(output, host, port, workers, level=level)


@click.command("demo")
@host_option
@port_option
@click.option("--scenario", default="taibai", show_default=True, type=click.Choice(sorted(SCENARIOS)))
@click.option("--seed", default=1, show_default=True, help="Seed of the sample district and of the plan.")
@click.option("--households", "band", default="300:500", show_default=True, metavar="MIN:MAX", help="Band of a grid.")
@click.option("--open", "open_browser", is_flag=True, help="Open the map in the browser of this machine.")
@jobs_option
@output_options
def demo(
    output: Output, host: str, port: int, scenario: str, seed: int, band: str, open_browser: bool, jobs: bool
) -> None:
    """A sample district from nothing to a map: PostGIS, import, plan, publish, circles, web map.

    What an earlier run made is reused.
    """
    wanted = Band.parse(band)
    _check_port(host, port)
    settings = Settings.from_env()
    begun = time.monotonic()
    with ExitStack() as stack:
        with output.stage("database"):
            engine = stack.enter_context(db.database(settings))
        source = f"sample {scenario} {seed} {wanted}"
        if _made_before(engine, source):
            output.say(f"the district of an earlier run is in place ({source})")
        else:
            _build(output, settings, engine, scenario, seed, wanted, source)
            if jobs:
                _queue_circles(engine, settings)
        output.say(f"ready after {time.monotonic() - begun:.1f} s")
        stack.enter_context(worker_beside(jobs, "warning"))
        _open_editing(output, host)
        _serve(output, host, port, 1, open_browser=open_browser, level="warning")


def _open_editing(output: Output, host: str) -> None:
    """Let this machine's people work on plans without a key: a demo is there to be tried."""
    if host in LOOPBACK and "GISGRID_OPEN_EDITING" not in os.environ:
        os.environ["GISGRID_OPEN_EDITING"] = "1"  # read by the server's processes
        output.say("open to this machine without a password: whoever uses it may do everything; nobody else gets in")


def _who_gets_in(settings: Settings, engine: sa.Engine) -> list[str]:
    """What those who start a service have to know of its doors."""
    if settings.open_editing:
        said = ["open to this machine without a password (GISGRID_OPEN_EDITING)"]
    elif settings.anonymous:
        said = [f"without signing in everybody may do what {' and '.join(settings.anonymous)} may (GISGRID_ANONYMOUS)"]
    else:
        said = ["nobody gets in without signing in, or a token; GISGRID_ANONYMOUS=viewer would open the maps to all"]
    with engine.connect() as connection:
        people = connection.scalar(sa.select(sa.func.count()).select_from(t.users))
    if not people:
        said.append("there is no administrator yet: gisgrid user add LOGIN --role admin")
    return said


def _made_before(engine: sa.Engine, source: str) -> bool:
    """Whether the generation in force is this demo's, circles and all."""
    with engine.connect() as connection:
        generation = plans.generation_of(connection)
        if generation is None or generation.note != source:
            return False
        runs = sa.select(sa.func.count()).select_from(t.circle_runs).where(t.circle_runs.c.generation >= generation.id)
        return bool(connection.scalar(runs))


def _build(
    output: Output, settings: Settings, engine: sa.Engine, scenario: str, seed: int, band: Band, source: str
) -> None:
    with output.stage("sample district") as progress:
        district = make_sample(scenario, seed=seed, progress=progress)
    with output.stage("check rows") as progress:
        rows, reports = clean_layers(district.layers, progress=progress)
    with output.stage("import into PostGIS") as progress:
        store_layers(engine, rows, reports, source="sample", progress=progress)
    area = str(district.layers["areas"]["code"].min())
    with output.stage("units") as progress:
        workflow.units_for_area(engine, area, progress=progress)
    with output.stage("plan") as progress:
        plan, _, result = workflow.plan_for_area(engine, area, band=band, seed=seed, name=source, progress=progress)
    for reason in result.reasons:
        output.say(f"  {reason.text}")
    with output.stage("check and publish"):
        done = workflow.publish(engine, plan, note=source)
    output.say(*done.report.lines(most=5))
    with output.stage("open reports to their grids"), engine.begin() as connection:
        moves = moved_reports(connection, unlocated=True)
        deque(apply_moves(connection, moves, channel="gisgrid demo"), maxlen=0)
    with output.stage("service circles") as progress:
        workflow_circles.circles_in_force(engine, settings, progress=progress)


def _queue_circles(engine: sa.Engine, settings: Settings) -> None:
    with engine.begin() as connection:
        for profile in LATER:
            question = workflow_circles.Question(profile)
            submit(connection, CIRCLES, circles_params(question), home=settings.home)


def _check_port(host: str, port: int) -> None:
    """Refuse early what the server could not listen on. Raises BadInput."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    except OSError as error:
        raise BadInput(f"--host {host!r} is no address of this machine: {error.strerror}") from error
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise BadInput(f"cannot listen on {host} port {port}: {error.strerror}; give another --port") from error


def _serve(
    output: Output, host: str, port: int, processes: int, *, open_browser: bool = False, level: str | None = None
) -> None:
    url = f"http://{'127.0.0.1' if host in ('0.0.0.0', '::') else host}:{port}/"

    def ready() -> None:
        stopping.check()  # from here on Ctrl-C is the server's
        output.result({"url": url}, [f"gisgrid serves {url} (Ctrl-C stops it)"])
        if open_browser:
            click.launch(url)

    server.serve(host, port, processes, ready=ready, level=level)


@click.command("warm", hidden=True)
@output_options
def warm(output: Output) -> None:
    """Compile the numeric kernels now, so that no later command waits for them."""
    kernels = {
        "units": warm_units, "partition": warm_partition, "locate": warm_locate, "reach": warm_reach,
        "circles": warm_circles,
        "addresses": warm_address,
        "records": warm_records,
        "siting": warm_siting,
        "straight": warm_straight,
        "held layers": warm_held,
        "drawing": warm_render,
    }  # fmt: skip
    for title, compile_kernels in kernels.items():
        with output.stage(title):
            compile_kernels()


COMMANDS = (serve, demo, warm)
