"""Stored plans come into force: checked and published, now or at a time to come, and rolled back."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import sqlalchemy as sa

from data import drafts, plans, publications
from data.publishing import alone, publish_plan
from data.restoring import restore as restore_generation
from data.restoring import undo as undo_last
from data.retrying import retried
from data.tables import COMPREHENSIVE
from gisgrid.coverage import CoverageReport
from gisgrid.errors import Conflict, GisgridError
from planning.checking import check_levels, check_professional

log = logging.getLogger("gisgrid.publishing")


@dataclass(frozen=True, slots=True)
class Published:
    """What publishing did."""

    generation: plans.Generation
    report: CoverageReport


@retried
def publish(engine: sa.Engine, plan: int, *, note: str = "", author: str = "", override: str = "") -> Published:
    """Check a draft plan, every level of it, against the communities it divides and put it in force.

    ``override``: the reason for which an administrator wants it in force though the check fails; kept with the
    generation, beside what the check found. Raises Conflict when grids leave gaps, overlap, fall apart, cross
    communities or leave their parent; of a professional plan, when grids overlap each other or others of their system;
    and when the plan waits to be published. The database is then unchanged.
    """
    with engine.begin() as connection:
        alone(connection)  # before the plan's row, as everybody who publishes does
        publications.check_none_waits(connection, drafts.locked_plan(connection, plan).id)
        return publish_within(connection, plan, note=note, author=author, override=override)


def publish_within(
    connection: sa.Connection, plan: int, *, note: str = "", author: str = "", override: str = "",
    version: int | None = None,
) -> Published:  # fmt: skip
    """`publish` in the caller's transaction; ``version``: the one that must still be the plan's.

    Nobody changes the plan between the check and its end. Raises as `publish`, and Conflict for another version.
    """
    alone(connection)
    row = drafts.locked_draft(connection, plan)
    if version is not None and row.version != version:
        raise Conflict(
            f"plan {plan} was changed (version {row.version}) after it was asked to be published (version {version}); "
            "look at it again and publish it anew",
            code="changed",
        )
    report = checked(connection, row, plans.grids_of_plan(connection, plan))
    refuse_unsound(plan, report, override)
    if report.ok:
        return Published(publish_plan(connection, plan, note=note, author=author), report)
    log.warning("plan %d is published against a failed check: %s", plan, report.lines()[1].strip())
    connection.execute(sa.select(sa.func.set_config("gisgrid.reason", override, True)))  # for the log of changes
    told = f"{note}; {override}" if note else override
    generation = publish_plan(connection, plan, note=told, author=author, override=override, problems=report.as_dict())
    return Published(generation, report)


def refuse_unsound(plan: int, report: CoverageReport, override: str) -> None:
    """Raises Conflict when the check failed and nobody overrides it."""
    if not report.ok and not override:
        raise Conflict(f"plan {plan} cannot be published: {report.lines()[1].strip()}", problems=report.as_dict())


def checked(connection: sa.Connection, row: plans.PlanRow, grids: gpd.GeoDataFrame) -> CoverageReport:
    """Whether a plan's grids may come into force. Raises Conflict for a plan without grids."""
    if grids.empty:
        raise Conflict(f"plan {row.id} has no grids; give its units to grids before it is published", code="no_grids")
    if row.system == COMPREHENSIVE:
        return check_levels(grids, plans.communities_of(connection, row.area), band=row.band)
    return check_professional(grids, band=row.band)


def publish_due(engine: sa.Engine) -> list[dict[str, Any]]:
    """Publish every plan whose time has come, in the order of the times; what became of each.

    Each is one transaction that holds its row: of several workers one does it, and one that dies has done nothing. A
    plan that changed since, or that the check refuses, is not published: the publication keeps why. Raises what the
    database raises when it goes away.
    """
    found: list[dict[str, Any]] = []
    with engine.connect() as connection:
        if not publications.any_due(connection):
            return []
    while (told := _publish_next(engine)) is not None:
        found.append(told)
    return found


@retried
def _publish_next(engine: sa.Engine) -> dict[str, Any] | None:
    """Publish the plan whose time came first, in a transaction of its own; None when there is none."""
    with engine.begin() as connection:
        alone(connection)  # before rows of plans and publications, as everybody who publishes does
        row = publications.take_due(connection)
        return None if row is None else _carried_out(connection, row)


def _carried_out(connection: sa.Connection, row: publications.Row) -> dict[str, Any]:
    told = {"publication": row["id"], "plan": row["plan"]}
    try:
        with connection.begin_nested():
            done = publish_within(
                connection, row["plan"], note=row["note"], author=row["author"], version=row["version"],
                override=row["override"],
            )  # fmt: skip
    except GisgridError as error:
        fault = error.message
    except sa.exc.OperationalError:
        raise
    except Exception:
        log.exception("publication %s of plan %s", row["id"], row["plan"])
        fault = "the service failed on it; the worker's log has the reason"
    else:
        publications.settle(connection, row["id"], generation=done.generation.id)
        log.info("plan %d is in force as it was asked: generation %d", row["plan"], done.generation.id)
        return told | {"generation": done.generation.id, "fault": ""}
    publications.settle(connection, row["id"], fault=fault)
    log.warning("plan %d was not published as it was asked: %s", row["plan"], fault)
    return told | {"generation": None, "fault": fault}


def publish_at(
    connection: sa.Connection, plan: int, effective_at: Any, *, note: str = "", author: str = "", override: str = ""
) -> publications.Row:
    """Have a draft published at a time to come, in the caller's transaction; the publication that waits.

    Raises as `publish`: what cannot be published now is not waited for.
    """
    row = drafts.locked_draft(connection, plan)
    refuse_unsound(plan, checked(connection, row, plans.grids_of_plan(connection, plan)), override)
    return publications.ask(
        connection, plan, row.version, effective_at, note=note, author=author, override=override
    )  # fmt: skip


@retried
def restore(engine: sa.Engine, generation: int, *, note: str = "", author: str = "") -> plans.Generation:
    """Bring back the grids of an earlier generation as a new one (`data.restoring.restore`)."""
    with engine.begin() as connection:
        return restore_generation(connection, generation, note=note, author=author)


def undo(engine: sa.Engine, generation: int | None, *, note: str, author: str = "") -> plans.Generation:
    """Undo the last publication (`data.restoring.undo`)."""
    with engine.begin() as connection:
        return undo_last(connection, generation, note=note, author=author)
