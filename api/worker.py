"""The worker: runs queued jobs, sends what is queued for webhooks, publishes plans whose time has come, until it is
told to stop.

procrastinate fetches jobs, keeps a heartbeat and says which workers went silent; each job runs in a process of its own
(`api.running`), so the heartbeat goes on whatever the work does. When the database goes away the worker waits for it
and starts over.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import procrastinate
import psycopg
import sqlalchemy as sa
from procrastinate import jobs as queued
from procrastinate.worker import Worker

from api import running
from data import deliveries, embedded, idempotency, jobs, publications
from data.connections import TCP
from data.db import make_engine
from data.dispatch import Dispatcher
from data.embedded import session_name
from data.queue import QUEUE, TASK
from gisgrid.actors import Actor, set_at_work
from gisgrid.errors import GisgridError
from gisgrid.interrupts import aside
from gisgrid.limits import WEBHOOK_LANES_TOTAL
from gisgrid.settings import Settings

SWEEP_SECONDS = 3_600.0
DATABASE_LOOK_SECONDS = 1.0
"""How often it is looked whether the private database lives; it costs a look at two files."""
log = logging.getLogger("gisgrid.worker")


@dataclass(frozen=True, slots=True)
class Beat:
    """How quickly a dead worker is noticed, in seconds."""

    heartbeat: float = 5.0
    silent: float = 20.0
    """Without a heartbeat for so long, a worker counts as dead and its jobs are taken up again."""
    look: float = 5.0
    """How often it is looked for silent workers, and for jobs whose notice was missed."""
    again: float = 2.0
    """How long to wait before the database is tried again."""


class Again(procrastinate.BaseRetryStrategy):
    """A job that did not get to its end goes back to the queue; how often, `data.jobs.begin` decides."""

    def get_retry_decision(self, *, exception: BaseException, job: queued.Job) -> procrastinate.RetryDecision:
        """At once when the worker stops, else after a moment."""
        seconds = 0 if isinstance(exception, running.Stopped) else 2
        return procrastinate.RetryDecision(retry_in={"seconds": seconds})


def work(
    settings: Settings,
    url: sa.URL,
    *,
    concurrency: int = 1,
    registry: str = running.REGISTRY,
    beat: Beat | None = None,
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Run jobs and send to webhooks until SIGTERM or SIGINT; for the main thread of a process of its own.

    ``registry`` names the kinds of work as ``module:NAME``; ``ready`` is called once signals are heeded.
    """
    engine = make_engine(url.render_as_string(hide_password=False), pool=(WEBHOOK_LANES_TOTAL + concurrency) // 2 + 3)
    set_at_work(Actor("worker", origin="gisgrid worker"))  # and in the tasks and threads that take this context on
    dispatcher = Dispatcher(engine, settings.webhook_waits)
    try:
        dispatcher.start()
        asyncio.run(_until_stopped(settings, engine, concurrency, registry, beat or Beat(), ready))
    finally:
        dispatcher.stop()
        engine.dispose()


async def _until_stopped(
    settings: Settings, engine: sa.Engine, concurrency: int, registry: str, beat: Beat, ready: Callable[[], None]
) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    loop.set_default_executor(ThreadPoolExecutor(concurrency + 3))
    stopping = threading.Event()  # the same for the threads that run jobs
    if settings.database_url is None:
        threading.Thread(target=_keep_database, args=(settings, stopping), name="database", daemon=True).start()

    def begin_stop() -> None:
        stopping.set()
        with contextlib.suppress(RuntimeError):  # the loop is closed: the end is near already
            loop.call_soon_threadsafe(stop.set)

    heard = aside(begin_stop)  # events have locks
    for number in (signal.SIGTERM, signal.SIGINT):  # not the loop's own way: what it sets ends with the loop, and a
        signal.signal(number, heard)  # second signal would break into the clearing up that follows
    ready()
    while not stop.is_set():
        try:
            await _serve(_app(settings, engine, registry, stopping), settings, engine, concurrency, beat, stop)
        except Exception as error:
            log.warning("the queue cannot be served: %s; trying again", _first_line(error))
            await _pause(stop, beat.again)


def _app(settings: Settings, engine: sa.Engine, registry: str, stopping: threading.Event) -> procrastinate.App:
    """The queue's app with its one task."""
    address = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    connector = procrastinate.PsycopgConnector(
        conninfo=address, kwargs={**TCP, "application_name": session_name()}, min_size=1, max_size=3, timeout=10.0
    )
    app = procrastinate.App(connector=connector)

    @app.task(name=TASK, queue=QUEUE, pass_context=True, retry=Again())
    def run(context: procrastinate.JobContext, job: int) -> None:
        def stop() -> bool:
            return stopping.is_set() or context.should_abort()

        running.run_job(engine, settings.home, job, stop=stop, registry=registry)

    return app


async def _serve(
    app: procrastinate.App, settings: Settings, engine: sa.Engine, concurrency: int, beat: Beat, stop: asyncio.Event
) -> None:
    """Take jobs from the queue until ``stop`` is set; raises when the queue can no longer be served.

    What is begun is told to end and waited for, never cancelled: before Python 3.12 a cancellation that arrives just as
    a wait within psycopg ends is lost (bpo-42130), and its task would go on for ever.
    """
    stopped = asyncio.create_task(stop.wait())
    try:
        if await _opened(app, stopped):
            await _work_until(app, settings, engine, concurrency, beat, stopped)
    finally:
        stopped.cancel()
        await app.close_async()
    if not stop.is_set():
        raise ConnectionError("a connection to the database broke")


async def _opened(app: procrastinate.App, stopped: asyncio.Task[Any]) -> bool:
    """Connect, unless told to stop meanwhile."""

    async def connect() -> None:
        await app.open_async()

    opening = asyncio.create_task(connect())
    await asyncio.wait({opening, stopped}, return_when=asyncio.FIRST_COMPLETED)
    if opening.done():
        await opening
        return True
    opening.cancel()  # if it is lost, connecting has just succeeded or failed
    await asyncio.gather(opening, return_exceptions=True)
    return False


async def _work_until(
    app: procrastinate.App,
    settings: Settings,
    engine: sa.Engine,
    concurrency: int,
    beat: Beat,
    stopped: asyncio.Task[Any],
) -> None:
    """Work with an app that is open; raises what any of its tasks raised."""
    leave = asyncio.Event()
    worker = Worker(
        app,
        queues=[QUEUE],
        concurrency=concurrency,
        shutdown_graceful_timeout=0.0,
        install_signal_handlers=False,
        delete_jobs="always",
        fetch_job_polling_interval=beat.look,
        update_heartbeat_interval=beat.heartbeat,
        stalled_worker_timeout=beat.silent,
    )
    begun = [
        asyncio.create_task(worker.run()),  # type: ignore[no-untyped-call]
        asyncio.create_task(_every(beat.look, leave, lambda: _take_back(app, beat))),
        asyncio.create_task(_every(beat.look, leave, lambda: asyncio.to_thread(_publish_due, engine))),
        asyncio.create_task(_every(SWEEP_SECONDS, leave, lambda: asyncio.to_thread(_sweep, settings, engine))),
    ]
    await asyncio.wait({stopped, *begun}, return_when=asyncio.FIRST_COMPLETED)
    leave.set()
    worker.stop()  # type: ignore[no-untyped-call]
    for ended in await asyncio.gather(*begun, return_exceptions=True):
        if isinstance(ended, BaseException):
            raise ended


async def _take_back(app: procrastinate.App, beat: Beat) -> None:
    """Put jobs of silent workers back into the queue, as procrastinate's guide has it."""
    try:
        for job in await app.job_manager.get_stalled_jobs(queue=QUEUE, seconds_since_heartbeat=beat.silent):
            await app.job_manager.retry_job(job)
            log.warning("job %s was left by a worker that went silent; it is taken up again", job.task_kwargs["job"])
    except procrastinate.exceptions.ConnectorException as error:  # another worker was quicker, or the database is away
        log.info("silent workers are looked for again in a moment: %s", _first_line(error))


def _keep_database(settings: Settings, stopping: threading.Event) -> None:
    """Start the private database again whenever it died: nobody else is there to do it."""
    cluster = embedded.cluster_at(settings.home)
    gone = 0
    while not stopping.wait(DATABASE_LOOK_SECONDS):
        gone = 0 if embedded.has_server(cluster) else gone + 1
        if gone < 2:  # somebody may be starting it this moment
            continue
        try:
            if embedded.revive(cluster):
                log.warning("the database had died; it is started again")
        except (GisgridError, OSError, psycopg.Error) as error:
            log.warning("the database cannot be started: %s; trying again", _first_line(error))


def _publish_due(engine: sa.Engine) -> None:
    """Publish plans whose time has come."""
    try:
        with engine.connect() as connection:
            if not publications.any_due(connection):
                return
        from planning.workflow_publishing import publish_due  # brings the libraries of geometry, which take a while

        publish_due(engine)
    except (sa.exc.DBAPIError, OSError) as error:
        log.warning("plans whose time has come are published in a moment: %s", _first_line(error))


def _sweep(settings: Settings, engine: sa.Engine) -> None:
    """Remove what ended long ago."""
    try:
        with engine.connect() as connection:
            gone = jobs.sweep(connection, settings.home, settings.keep_days)
        with engine.begin() as connection:
            told = deliveries.sweep(connection, settings.keep_days)
            idempotency.sweep(connection)
    except (sa.exc.DBAPIError, OSError) as error:
        log.warning("old jobs could not be removed: %s", _first_line(error))
        return
    if gone or told:
        log.info("removed %d jobs and %d deliveries that ended over %g days ago", gone, told, settings.keep_days)


async def _every(seconds: float, leave: asyncio.Event, act: Callable[[], Awaitable[None]]) -> None:
    while not leave.is_set():
        await act()
        await _pause(leave, seconds)


async def _pause(leave: asyncio.Event, seconds: float) -> None:
    """Wait so long, or until it is time to leave."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(leave.wait(), seconds)


def _first_line(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    cause = error.__cause__ or error
    return next(iter(str(cause).splitlines()), "") or type(error).__name__
