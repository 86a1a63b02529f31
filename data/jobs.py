"""Jobs: long work that runs beside the service. The table ``jobs`` is the truth; the queue only wakes workers.

A job is *queued* until a worker takes it up, *running* while one has it, and ends *done*, *failed* or *cancelled*.
Every change counts ``revision`` up. Who runs a job holds its advisory lock and names its attempt in every change, so
that a runner given up for dead changes nothing any more.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa

from data import job_files, queue
from data import tables as t
from gisgrid.errors import BadInput, Broken, Conflict, NotFound
from gisgrid.limits import JOB_ATTEMPTS_MAX, JOB_PARAMS_BYTES_MAX, JOBS_QUEUED_MAX
from gisgrid.tracing import REQUEST

ENDED = ("done", "failed", "cancelled")
LOCK_SPACE = 44902
"""First half of the advisory locks of jobs; the second is the job."""
GIVEN_UP = {
    "status": 500,
    "code": "given_up",
    "message": f"the work was broken off {JOB_ATTEMPTS_MAX} times, each time before its end; "
    "it may need more memory than this machine has",
    "details": {"attempts": JOB_ATTEMPTS_MAX},
}
j = t.jobs.c
_next_revision = {"revision": j.revision + 1}
_columns = [
    *[column for column in t.jobs.c if column.name not in ("params", "request")],
    sa.func.extract("epoch", sa.func.now() - j.started_at).cast(sa.Float).label("elapsed"),
    # what people know the work by; the rest of what it was asked with may be large
    *[j.params[name].astext.label(name) for name in ("area", "name", "band")],
]


@dataclass(frozen=True, slots=True)
class Run:
    """One attempt at a job."""

    job: int
    kind: str
    params: dict[str, Any]
    attempt: int
    owner: str = ""
    """Key of the principal who asked for it."""
    request: str = ""
    """Id of the request that asked for it."""


def submit(
    connection: sa.Connection,
    kind: str,
    params: dict[str, Any],
    *,
    home: Path,
    input: Path | bytes | None = None,
    owner: str = "",
) -> int:
    """Queue work of a kind in the caller's transaction; the job's number.

    The job is there if and only if the transaction is kept. ``input`` is put aside under ``home`` (GISGRID_HOME); the
    caller's file stays the caller's.

    ``owner``: key of the principal who asks, empty for nobody. Raises BadInput when parameters or input are too large,
    Broken when too many jobs wait already.
    """
    if len(orjson.dumps(params)) > JOB_PARAMS_BYTES_MAX:
        raise BadInput(f"the job's parameters are over {JOB_PARAMS_BYTES_MAX:,} bytes; send them as a file")
    waiting = connection.scalar(sa.select(sa.func.count()).select_from(t.jobs).where(j.state == "queued"))
    if (waiting or 0) >= JOBS_QUEUED_MAX:
        raise Broken(f"{waiting} jobs wait already; try again later", code="queue_full", waiting=waiting)
    values = {"kind": kind, "params": params, "owner": owner, "request": REQUEST.get()}
    job = int(connection.scalar(sa.insert(t.jobs).values(values).returning(j.id)) or 0)
    try:
        if input is not None:
            job_files.keep_input(home, job, input)
        queue.put(connection, job)
    except BaseException:
        job_files.drop(home, job)
        raise
    return job


def find(connection: sa.Connection, job: int) -> dict[str, Any]:
    """One job, with the seconds since it was taken up. Raises NotFound."""
    row = connection.execute(sa.select(*_columns).where(j.id == job)).mappings().one_or_none()
    if row is None:
        raise NotFound(f"there is no job {job}; ended jobs are removed after some days")
    return dict(row)


def params_of(connection: sa.Connection, job: int) -> dict[str, Any]:
    """What a job was asked with. Raises NotFound."""
    params = connection.scalar(sa.select(j.params).where(j.id == job))
    if params is None:
        raise NotFound(f"there is no job {job}; ended jobs are removed after some days")
    return dict(params)


def tell(connection: sa.Connection, job: int, result: dict[str, Any]) -> None:
    """Set the result facts of a job that was stopped: what was kept of it."""
    connection.execute(sa.update(t.jobs).where(j.id == job).values(result=result, **_next_revision))


def unfinished(connection: sa.Connection, kind: str, params: dict[str, Any], *, owner: str = "") -> int | None:
    """The newest job of an owner, or of nobody, that waits or runs with just these parameters and is not to stop."""
    alike = (
        j.kind == kind,
        j.params == params,
        j.state.not_in(ENDED),
        j.cancel_asked.is_(False),
        j.owner.in_(("", owner)),
    )
    found = connection.scalar(sa.select(sa.func.max(j.id)).where(*alike, j.owner.in_(("", owner))))
    return None if found is None else int(found)


def page(
    connection: sa.Connection,
    *,
    limit: int,
    before: int | None = None,
    states: Sequence[str] = (),
    kinds: Sequence[str] = (),
    owner: str | None = None,
) -> tuple[list[dict[str, Any]], int | None]:
    """Jobs, newest first, and the key to go on from (None: that was the last page). ``before``: that key.

    ``owner``: only theirs, and jobs nobody owns; None: everybody's.
    """
    query = sa.select(*_columns).order_by(j.id.desc()).limit(limit + 1)
    for wanted in (
        j.id < before if before is not None else None,
        j.state.in_(states) if states else None,
        j.kind.in_(kinds) if kinds else None,
        j.owner.in_(("", owner)) if owner is not None else None,
    ):
        query = query if wanted is None else query.where(wanted)
    rows = [dict(row) for row in connection.execute(query).mappings()]
    return rows[:limit], rows[limit - 1]["id"] if len(rows) > limit else None


def eta(row: dict[str, Any]) -> float | None:
    """Seconds a running job still needs if it goes on as it went so far; None when too little is known."""
    if row["state"] != "running" or row["share"] < 0.005 or row["elapsed"] is None or row["elapsed"] < 0.5:
        return None
    return float(row["elapsed"] * (1 - row["share"]) / row["share"])


def ask_cancel(connection: sa.Connection, job: int) -> str:
    """Ask a job to stop: a queued one is cancelled at once, a running one soon. Its state now.

    Raises NotFound, and Conflict when it has ended.
    """
    queued = j.state == "queued"
    change = (
        sa.update(t.jobs)
        .where(j.id == job, j.state.not_in(ENDED))
        .values(
            cancel_asked=True,
            state=sa.case((queued, "cancelled"), else_=j.state),
            finished_at=sa.case((queued, sa.func.now())),
            **_next_revision,
        )
        .returning(j.state)
    )
    state = connection.scalar(change)
    if state is None:
        ended = find(connection, job)["state"]
        raise Conflict(f"job {job} has ended already ({ended}); there is nothing to cancel", state=ended)
    return str(state)


def hold(connection: sa.Connection, job: int) -> bool:
    """Take the job's lock for this session; False while another session has it."""
    # a worker's machine that vanishes must not keep its locks for hours
    for name, value in (("idle", 20), ("interval", 5), ("count", 4)):
        connection.exec_driver_sql(f"SET tcp_keepalives_{name} = {value}")
    found = connection.scalar(sa.select(sa.func.pg_try_advisory_lock(LOCK_SPACE, job)))
    connection.commit()  # the lock stays with the session; no transaction is left open beside the work
    return bool(found)


def begin(connection: sa.Connection, job: int) -> Run | None:
    """Take a job up; the caller holds its lock. None when there is nothing to run (any more).

    A job still *running* was left by a worker that died: it is taken up again, `JOB_ATTEMPTS_MAX` times at most.
    """
    unfinished = sa.and_(j.id == job, j.state.not_in(ENDED))
    end = {"finished_at": sa.func.now(), **_next_revision}
    connection.execute(sa.update(t.jobs).where(unfinished, j.cancel_asked).values(state="cancelled", **end))
    connection.execute(
        sa.update(t.jobs)
        .where(unfinished, j.attempts >= JOB_ATTEMPTS_MAX)
        .values(state="failed", error=GIVEN_UP, **end)
    )
    start = {"state": "running", "attempts": j.attempts + 1, "share": 0, "note": "", "started_at": sa.func.now()}
    row = connection.execute(
        sa.update(t.jobs)
        .where(unfinished)
        .values(**start, **_next_revision)
        .returning(j.kind, j.params, j.attempts, j.owner, j.request)
    ).one_or_none()
    connection.commit()
    return Run(job, row.kind, row.params, row.attempts, row.owner, row.request) if row else None


def report(connection: sa.Connection, run: Run, share: float, note: str) -> bool:
    """Tell how far the work is; whether it may go on (nobody asked it to stop, and it is still ours)."""
    change = _own(run).values(share=share, note=note, **_next_revision).returning(j.cancel_asked)
    asked = connection.scalar(change)
    connection.commit()
    return asked is False


def may_go_on(connection: sa.Connection, run: Run) -> bool:
    """Whether nobody asked the work to stop, and it is still ours."""
    ours = (j.id == run.job, j.state == "running", j.attempts == run.attempt)
    asked = connection.scalar(sa.select(j.cancel_asked).where(*ours))
    connection.commit()
    return asked is False


def end(
    connection: sa.Connection,
    run: Run,
    state: str,
    *,
    result: dict[str, Any] | None = None,
    error: dict[str, Any] | None = None,
) -> bool:
    """End the attempt and with it the job: done, failed or cancelled. False when it was no longer ours."""
    facts: dict[str, Any] = {"state": state, "finished_at": sa.func.now(), "note": ""}
    facts |= {"share": 1} if state == "done" else {}
    facts |= {"result": result} if result is not None else {}
    facts |= {"error": error} if error is not None else {}
    done = connection.execute(_own(run).values(**facts, **_next_revision))
    connection.commit()
    return done.rowcount == 1


def give_back(connection: sa.Connection, run: Run) -> None:
    """Put the job back into the queue: its worker stops before the work is done. Attempts stay counted."""
    change = _own(run).values(state="queued", share=0, note="", started_at=None, **_next_revision)
    connection.execute(change)
    connection.commit()


def sweep(connection: sa.Connection, home: Path, days: float) -> int:
    """Remove jobs that ended over ``days`` days ago with their files, and files nobody owns; how many jobs."""
    old = sa.func.now() - sa.cast(dt.timedelta(days=days), sa.Interval)
    gone = connection.scalars(sa.delete(t.jobs).where(j.state.in_(ENDED), j.finished_at < old).returning(j.id)).all()
    known = set(connection.scalars(sa.select(j.id)))
    connection.commit()
    for job in [*gone, *job_files.orphans(home, known)]:
        job_files.drop(home, job)
    return len(gone)


def _own(run: Run) -> sa.Update:
    return sa.update(t.jobs).where(j.id == run.job, j.state == "running", j.attempts == run.attempt)
