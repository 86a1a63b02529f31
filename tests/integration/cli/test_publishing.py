"""``gisgrid publish --effective``, ``generations`` and ``restore``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa

from planning import workflow_plans
from planning.workflow_publishing import publish_due
from tests.integration.cli.conftest import Run

pytestmark = pytest.mark.postgis


def test_publishing_later_and_going_back(run: Run, planned_copy: Any) -> None:
    settings = planned_copy.settings
    with planned_copy.engine.begin() as connection:
        plan = workflow_plans.draft_in_force(connection, planned_copy.area)
    later = run("publish", str(plan), "--effective", "2030-01-01", "--note", "元旦", settings=settings)
    assert later.code == 0, later.err
    assert "comes into force at 2030-01-01T00:00+08:00" in later.out
    assert run("publish", str(plan), settings=settings).code == 2
    assert run("publish", str(plan), "--cancel", settings=settings).code == 0
    assert "not waiting" in run("publish", str(plan), "--cancel", settings=settings).err
    assert "is no date" in run("publish", str(plan), "--effective", "soon", settings=settings).err
    again = run("publish", str(plan), "--effective", "2030-01-01T06:00+08:00", "--json", settings=settings).json
    assert again["effective_at"] == "2029-12-31T22:00:00+00:00"
    with planned_copy.engine.begin() as connection:
        connection.execute(sa.text("UPDATE publications SET effective_at = now() WHERE state = 'waiting'"))
    assert publish_due(planned_copy.engine)[0]["generation"] == 2
    assert "there is nothing to restore" in run("restore", "1", settings=settings).err  # the same grids all the same
    with planned_copy.engine.begin() as connection:
        connection.execute(sa.text("UPDATE grids SET name = '改名' WHERE plan = :p AND id % 2 = 0"), {"p": plan})
    back = run("restore", "1", "--note", "退回", "--json", settings=settings)
    assert back.code == 0, back.err
    assert (back.json["generation"], back.json["restored"]) == (3, 1)
    told = run("generations", "--json", settings=settings).json["generations"]
    assert [(one["id"], one["restored"], one["note"]) for one in told] == [
        (3, 1, "退回"),
        (2, None, ""),
        (1, None, ""),
    ]
    assert "退回" in run("generations", settings=settings).out
    assert run("restore", "9", settings=settings).code == 2


def test_points_are_located_in_the_grids_of_then(run: Run, planned_copy: Any, tmp_path: Path) -> None:
    settings, engine = planned_copy.settings, planned_copy.engine
    query = "SELECT code, ST_X(label_point) AS lon, ST_Y(label_point) AS lat FROM grids WHERE level = 1 AND plan = :p"
    with engine.begin() as connection:
        rows = connection.execute(sa.text(query + " ORDER BY code"), {"p": planned_copy.plan}).mappings().all()
        plan = workflow_plans.draft_in_force(connection, planned_copy.area)
        connection.execute(
            sa.text("DELETE FROM grids WHERE plan = :p AND code = :c"), {"p": plan, "c": rows[0]["code"]}
        )
    points = tmp_path / "points.csv"
    pd.DataFrame([dict(row) for row in rows]).to_csv(points, index=False)
    assert run("publish", str(plan), "--override", "试行", settings=settings).code == 0

    def owners(*more: str) -> list[str]:
        out = tmp_path / "out.csv"
        args = ("locate", points, "--crs", "cgcs2000", "--columns", "lon,lat", "--out", out, *more)
        done = run(*args, settings=settings)
        assert done.code == 0, done.err
        return pd.read_csv(out, dtype=str)["grid"].fillna("").tolist()

    was = [row["code"] for row in rows]
    with engine.connect() as connection:
        moment = connection.scalar(sa.text("SELECT published_at FROM generations WHERE id = 1")).isoformat()
    assert owners() == ["", *was[1:]]
    assert owners("--at", "1") == owners("--at", moment) == was
    for at, says in (("7", "generation 7"), ("2001-01-01", "published later"), ("2199-01-01", "future"), ("x", "--at")):
        refused = run(
            "locate", points, "--crs", "cgcs2000", "--at", at, "--out", tmp_path / "no.csv", settings=settings
        )
        assert refused.code == 2
        assert says in refused.err
