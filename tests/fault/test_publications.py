"""A worker publishes a plan when its time comes; of several, and of one killed amid it, it is done once."""

from __future__ import annotations

import signal
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from data import publications
from planning import workflow_plans
from tests.fault.conftest import Bench, interrupt, until

pytestmark = pytest.mark.postgis


def test_workers_publish_once_when_the_time_comes(planned_copy: Any, tmp_path: Any) -> None:
    bench = Bench(replace(planned_copy.settings, home=tmp_path), planned_copy.engine, [])
    with planned_copy.engine.begin() as connection:
        made = [workflow_plans.draft_in_force(connection, planned_copy.area) for _ in range(2)]
        for plan in made:
            soon = connection.scalar(sa.text("SELECT now() + interval '1 second'"))
            publications.ask(connection, plan, 1, soon)

    def states() -> list[str]:
        with planned_copy.engine.connect() as connection:
            return [publications.of_plan(connection, plan)[0]["state"] for plan in made]

    try:
        bench.worker()
        interrupt(bench.worker(), signal.SIGKILL)
        bench.worker()
        until(lambda: "waiting" not in states(), 60, "publishing")
        assert states() == ["done", "done"], bench.said()
        with planned_copy.engine.connect() as connection:
            assert connection.scalar(sa.text("SELECT count(*) FROM generations")) == 3
            assert connection.scalar(sa.text("SELECT count(*) FROM generations WHERE is_current")) == 1
    finally:
        for worker in bench.workers:
            worker.kill()
            worker.wait(60)
            if worker.stdout:
                worker.stdout.close()
