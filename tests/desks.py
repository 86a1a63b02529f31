"""A planner's desk for tests of editing over HTTP: reads, sends; and what must hold of what is stored."""

from __future__ import annotations

from typing import Any

import pytest
import shapely
import sqlalchemy as sa
from flask.testing import FlaskClient

from api.app import create_app
from data import plans
from data import tables as t
from data.loading import insert_one
from gisgrid.coverage import check
from gisgrid.crs import to_metric
from gisgrid.metrics import compactness
from gisgrid.settings import Settings
from planning.edits import Remove, parse_operations
from planning.ground import Ground
from tests.conftest import Planned

Json = dict[str, Any]


class Desk:
    """A planner's way to one draft: reads, sends, keeps what was read."""

    def __init__(self, client: FlaskClient, plan: int, name: str = "甲") -> None:
        self.client, self.plan, self.name = client, plan, name
        self.read()

    def read(self) -> Json:
        told: Json = self.client.get(f"/api/v1/plans/{self.plan}/assignment").get_json()
        self.seen = told
        self.version = told["version"]
        return told

    def owners(self, level: int = 1) -> list[str | None]:
        one = self.seen["levels"][level - 1]
        codes = [grid["code"] for grid in one["grids"]]
        return [codes[owner] if owner >= 0 else None for owner in one["owner"]]

    def grid(self, code: str) -> Json:
        found: Json = next(grid for grid in self.seen["levels"][0]["grids"] if grid["code"] == code)
        return found

    def send(self, *operations: Json, base: int | None = None, **more: Any) -> Any:
        body = {"base": self.version if base is None else base, "operations": list(operations), **more}
        return self.client.post(f"/api/v1/plans/{self.plan}/edits", json=body, headers={"X-Gisgrid-Author": self.name})

    def paint(self, units: list[int], to: str | None, **more: Any) -> Any:
        return self.send(*moves(self.owners(), units, to), **more)


def moves(owners: list[str | None], units: list[int], to: str | None) -> list[Json]:
    sources = sorted({owners[unit] for unit in units}, key=str)
    return [
        {"op": "assign", "level": 1, "from": source, "to": to,
         "units": [unit for unit in units if owners[unit] == source]}
        for source in sources
    ]  # fmt: skip


def copied(planned: Planned) -> int:
    with planned.engine.begin() as connection:
        row = plans.plan_row(connection, planned.plan)
        plan = insert_one(
            connection, t.plans, area=row.area, name="草稿", unit_set=row.unit_set, band_low=row.band.low,
            band_high=row.band.high, stats=row.stats,
        )  # fmt: skip
        connection.exec_driver_sql(
            "INSERT INTO grids (plan, code, level, parent, community, name, kind, households, population, compactness, "
            "continues, geometry) SELECT %(new)s, code, level, parent, community, name, kind, households, population, "
            "compactness, true, geometry FROM grids WHERE plan = %(old)s ORDER BY id",
            {"new": plan, "old": planned.plan},
        )
        connection.exec_driver_sql(
            "INSERT INTO owners (plan, level, unit, grid) SELECT n.plan, o.level, o.unit, n.id FROM owners o JOIN grids g "
            "ON g.id = o.grid JOIN grids n ON n.code = g.code AND n.level = g.level AND n.plan = %(new)s "
            "WHERE o.plan = %(old)s",
            {"new": plan, "old": planned.plan},
        )
    return plan


def opened(planned: Planned) -> FlaskClient:
    held = Settings(home=planned.settings.home, database_url=planned.settings.database_url, open_editing=True)
    return create_app(held, planned.engine).test_client()


def border(desk: Desk, ground: Ground) -> tuple[int, str, str]:
    """A unit on the border of its grid, that grid, and a grid beside it in the same community."""
    owners = desk.owners()
    near = ground.borders
    for one, two in zip(near.of.tolist(), near.to.tolist(), strict=True):
        here, there = owners[one], owners[two]
        same = here and there and here != there and ground.community[one] == ground.community[two]
        if same and min(owners.count(here), owners.count(there)) > 2:
            return one, str(here), str(there)
    raise AssertionError("no two grids share a border")


def assert_sound(planned: Planned, plan: int) -> None:
    """Grids are the unions of their units: no gap, no overlap; figures are theirs; everything fits."""
    with planned.engine.connect() as connection:
        row = plans.plan_row(connection, plan)
        grids = to_metric(plans.grids_of_plan(connection, plan))
        units = to_metric(plans.units_of(connection, int(row.unit_set or 0)))
        owner: dict[int, int] = dict(
            connection.execute(
                sa.select(t.owners.c.unit, t.owners.c.grid).where(t.owners.c.plan == plan, t.owners.c.level == 1)
            ).all()
        )  # fmt: skip
    mine = units["id"].map(owner)
    first = grids[grids["level"] == 1]
    assert sorted(first["id"]) == sorted(set(owner.values()))
    for grid in first.itertuples():
        members = units[mine == grid.id]
        union = shapely.union_all(members.geometry.to_numpy())
        assert shapely.area(shapely.symmetric_difference(union, grid.geometry)) < 0.01
        assert (grid.households, grid.population) == (members["households"].sum(), members["population"].sum())
        assert grid.compactness == pytest.approx(float(compactness([union])[0]), rel=1e-4)
        assert set(members["community"]) == {grid.community}
    report = check(first, None)
    kinds = {problem.kind for problem in report.problems}
    assert not kinds & {"overlap", "invalid_geometry", "null_geometry", "duplicate_code", "crosses_community"}, kinds
    whole = shapely.union_all(units.geometry.to_numpy()[mine.notna().to_numpy()])
    assert shapely.area(shapely.symmetric_difference(whole, shapely.union_all(first.geometry.to_numpy()))) < 0.01


def stored(operations: list[Json], units: int) -> Any:
    """Stored operations as objects; a removal remembers what the grid was."""
    found = []
    for one in operations:
        (made,) = parse_operations([one], units)
        found.append(Remove(made.level, made.grid, one["was"]) if isinstance(made, Remove) else made)
    return found


def assert_nested(planned: Planned, plan: int) -> None:
    """Stored micro-grids: each the union of its units, each unit's inside the unit's grid, codes and parents too."""
    with planned.engine.connect() as connection:
        wrong = connection.exec_driver_sql(
            "SELECT count(*) FROM owners d JOIN grids g ON g.id = d.grid WHERE d.plan = %(plan)s AND d.level = 2 AND NOT "
            "EXISTS (SELECT FROM owners u JOIN grids p ON p.id = u.grid WHERE u.plan = d.plan AND u.level = 1 AND "
            "u.unit = d.unit AND p.code = g.parent)",
            {"plan": plan},
        ).scalar_one()
        apart = connection.exec_driver_sql(
            "SELECT g.code FROM grids g JOIN LATERAL (SELECT ST_Union(u.geometry) AS shape, sum(u.households) AS "
            "households FROM owners o JOIN units u ON u.id = o.unit WHERE o.grid = g.id) AS m ON true WHERE g.plan = "
            "%(plan)s AND (ST_Area(ST_SymDifference(m.shape, g.geometry)) > 1e-13 OR m.households <> g.households OR "
            "m.shape IS NULL)",
            {"plan": plan},
        ).all()
    assert wrong == 0
    assert apart == []
