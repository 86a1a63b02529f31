"""The job ``plan``: the engine plans an area, tells the best plan so far, and stores a draft."""

from __future__ import annotations

import logging
from dataclasses import asdict
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from data import db, jobs, previews
from gisgrid.jobs import JobFiles
from gisgrid.models import Band, Progress
from gisgrid.settings import Settings
from planning.partition import PlanResult
from planning.workflow_plans import Order, check_order, keep_preview, plan_by_engine

PLAN: Final = "plan"
TOLD: Final[tuple[str, ...]] = (
    "units", "grids", "ordinary_grids", "special_grids", "households", "in_band", "households_moved",
    "compactness_mean", "seconds", "cut_by_time",
)  # fmt: skip
log = logging.getLogger("gisgrid.job")


def plan_params(order: Order) -> dict[str, Any]:
    """What the job is asked with."""
    return asdict(order) | {"band": str(order.band)}


def order_of(params: dict[str, Any]) -> Order:
    """What a job of these parameters was asked for."""
    return Order(**(params | {"band": Band.parse(params["band"])}))


def plan_job(params: dict[str, Any], files: JobFiles, progress: Progress) -> dict[str, Any]:
    """Plan; parameters as `plan_params` makes them. Facts: ``plan``, the draft made, if ``feasible``, figures.

    Raises NotFound where the area lost its units, Conflict where the draft whose grids are locked was published.
    """
    order = order_of(params)
    with db.database(Settings.from_env()) as engine:
        with engine.begin() as connection:
            made = _made_before(connection, files.job)
            if made is not None:
                return made
            unit_set = check_order(connection, order)

        def watch(label: npt.NDArray[np.int32], figures: dict[str, Any]) -> None:
            try:
                with engine.begin() as connection:
                    previews.keep(connection, files.job, unit_set, label, figures)
            except sa.exc.DBAPIError as error:  # worth less than the plan
                log.warning("the best plan so far is not shown: %s", str(error.orig).splitlines()[:1])

        def keep(connection: sa.Connection, plan: int, result: PlanResult) -> None:
            jobs.tell(connection, files.job, _facts(plan, result))

        queued = bool(files.job)
        plan, result = plan_by_engine(
            engine, order, progress=progress, watch=watch if queued else None, stored=keep if queued else None
        )
    return _facts(plan, result)


def _facts(plan: int, result: PlanResult) -> dict[str, Any]:
    figures = {name: result.stats[name] for name in TOLD if name in result.stats}
    return {"plan": plan, "feasible": bool(result.feasible), **figures}


def _made_before(connection: sa.Connection, job: int) -> dict[str, Any] | None:
    """What an earlier attempt told in the transaction that stored its plan, before it was cut off."""
    made: dict[str, Any] | None = jobs.find(connection, job)["result"] if job else None
    return made if made is not None and "plan" in made else None


def keep_best(connection: sa.Connection, job: int) -> int | None:
    """Keep the best plan so far of a job as a draft, named by the job's result; None where there is none yet.

    The job was asked to stop in this transaction: what it finds from now on is lost.
    """
    found = previews.read(connection, job)
    if found is None:
        return None
    plan = keep_preview(connection, order_of(jobs.params_of(connection, job)), found)
    jobs.tell(connection, job, {"plan": plan, "stopped": True, **found.figures})
    return plan
