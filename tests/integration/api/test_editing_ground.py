"""The ground of a plan over HTTP: topology, counts, assignment; who may see them, how they are kept."""

from __future__ import annotations

import gzip
from typing import Any

import brotli
import numpy as np
import pytest
import shapely
import sqlalchemy as sa
from flask.testing import FlaskClient

from api.app import create_app
from data import plans
from data import tables as t
from gisgrid.settings import Settings
from planning.ground import MAGIC, read_ground
from tests.arcs import face
from tests.conftest import Planned

pytestmark = pytest.mark.postgis
MERCATOR = "SELECT ST_AsBinary(mercator) FROM units WHERE unit_set = %s ORDER BY id"


@pytest.fixture
def unit_set(planned: Planned) -> int:
    with planned.engine.connect() as connection:
        return plans.latest_unit_set(connection, planned.area)


def test_topology_is_the_units_the_database_has(client: FlaskClient, planned: Planned, unit_set: int) -> None:
    answer = client.get(f"/api/v1/unit-sets/{unit_set}/topology")
    assert answer.status_code == 200
    assert answer.mimetype == "application/vnd.gisgrid.topology"
    assert answer.data[:4] == MAGIC
    ground = read_ground(answer.data)
    with planned.engine.connect() as connection:
        rows = connection.exec_driver_sql(
            "SELECT unit_id, households, population, elderly, priority, buildings, compound_id, community, kind, "
            "ST_AsBinary(mercator) FROM units WHERE unit_set = %s ORDER BY id", (unit_set,),
        ).all()  # fmt: skip
    assert ground.unit_ids == tuple(row[0] for row in rows)
    for place, name in enumerate(("households", "population", "elderly", "priority", "buildings"), start=1):
        assert ground.counts[name].tolist() == [row[place] for row in rows]
    compounds = [None if row < 0 else ground.compounds[row] for row in ground.compound.tolist()]
    assert compounds == [row[6] for row in rows]
    assert [ground.communities[row] for row in ground.community.tolist()] == [row[7] for row in rows]
    assert [ground.kinds[row] for row in ground.kind.tolist()] == [row[8] for row in rows]
    shapes = shapely.from_wkb([bytes(row[9]) for row in rows])
    for row, shape in enumerate(shapes):
        assert shapely.hausdorff_distance(face(ground.arcs, row), shape) <= 0.01
    assert shapely.contains_xy(shapes, ground.point).all()


def test_topology_is_compressed_and_kept(client: FlaskClient, unit_set: int) -> None:
    address = f"/api/v1/unit-sets/{unit_set}/topology"
    plain = client.get(address)
    assert plain.headers["Cache-Control"] == "public, no-cache"
    for coding, undo in (("br", brotli.decompress), ("gzip", gzip.decompress)):
        coded = client.get(address, headers={"Accept-Encoding": coding})
        assert coded.headers["Content-Encoding"] == coding
        assert undo(coded.data) == plain.data
        assert len(coded.data) < len(plain.data)
        again = client.get(address, headers={"Accept-Encoding": coding, "If-None-Match": coded.headers["ETag"]})
        assert again.status_code == 304
        assert not again.data
        assert again.headers["ETag"] == coded.headers["ETag"]


def test_its_versioned_address_is_kept_for_good(client: FlaskClient, planned: Planned) -> None:
    told = client.get(f"/api/v1/plans/{planned.plan}/assignment").get_json()
    links = {link["rel"]: link["href"] for link in told["links"]}
    answer = client.get(links["topology"])
    assert answer.status_code == 200
    assert "immutable" in answer.headers["Cache-Control"]
    other = client.get(links["topology"].split("?")[0] + "?v=older")
    assert other.data == answer.data
    assert "immutable" not in other.headers["Cache-Control"]


def test_a_changed_street_makes_another_topology(planned_copy: Planned) -> None:
    client = create_app(planned_copy.settings, planned_copy.engine).test_client()
    with planned_copy.engine.begin() as connection:
        unit_set = plans.latest_unit_set(connection, planned_copy.area)
    address = f"/api/v1/unit-sets/{unit_set}/topology"
    before = client.get(address)
    with planned_copy.engine.begin() as connection:
        connection.execute(sa.update(t.streets).values(cls="residential"))
    after = client.get(address, headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200
    assert set(np.unique(read_ground(after.data).arcs.arc_class)) < set(
        np.unique(read_ground(before.data).arcs.arc_class)
    )


def test_counts_are_those_of_sql(client: FlaskClient, planned: Planned, unit_set: int) -> None:
    told = client.get(f"/api/v1/unit-sets/{unit_set}/counts").get_json()
    with planned.engine.connect() as connection:
        rows = connection.exec_driver_sql(
            "SELECT u.id, (SELECT count(*) FROM components c WHERE ST_Covers(u.geometry, c.geometry) AND NOT EXISTS "
            "(SELECT FROM units o WHERE o.unit_set = u.unit_set AND o.id < u.id AND ST_Covers(o.geometry, c.geometry))) "
            "FROM units u WHERE unit_set = %s ORDER BY id", (unit_set,),
        ).all()  # fmt: skip
        reports = connection.exec_driver_sql(
            "SELECT count(*) FROM reports r WHERE reported_at > (SELECT max(reported_at) FROM reports) - interval "
            "'365 days' AND EXISTS (SELECT FROM units u WHERE u.unit_set = %s AND ST_Covers(u.geometry, r.geometry))",
            (unit_set,),
        ).scalar_one()
    assert told["components"] == [row[1] for row in rows]
    assert sum(told["components"]) > 0
    assert sum(told["reports_per_month"]) * 12 == pytest.approx(reports, rel=1e-5)
    assert reports > 0


def test_assignment_is_what_is_stored(client: FlaskClient, planned: Planned) -> None:
    answer = client.get(f"/api/v1/plans/{planned.plan}/assignment")
    told = answer.get_json()
    assert told["status"] == "published"
    assert told["band"] == {"low": 300, "high": 500}
    (level,) = told["levels"]
    with planned.engine.connect() as connection:
        rows = connection.exec_driver_sql(
            "SELECT g.code FROM units u LEFT JOIN owners o ON o.unit = u.id AND o.plan = %s LEFT JOIN grids g "
            "ON g.id = o.grid WHERE u.unit_set = %s ORDER BY u.id", (planned.plan, told["unit_set"]),
        ).all()  # fmt: skip
    codes: list[Any] = [grid["code"] for grid in level["grids"]] + [None]
    assert [codes[owner] for owner in level["owner"]] == [row[0] for row in rows]
    assert codes[:-1] == sorted(codes[:-1])
    known = client.get(f"/api/v1/plans/{planned.plan}/assignment", headers={"If-None-Match": answer.headers["ETag"]})
    assert known.status_code == 304


def test_drafts_are_for_planners(planned_copy: Planned) -> None:
    with planned_copy.engine.begin() as connection:
        connection.execute(sa.update(t.plans).values(status="draft"))
        unit_set = plans.latest_unit_set(connection, planned_copy.area)
    settings = Settings(
        home=planned_copy.settings.home, database_url=planned_copy.settings.database_url,
        editor_keys=(("planner", "secret"),), anonymous=("viewer",),
    )  # fmt: skip
    client = create_app(settings, planned_copy.engine).test_client()
    for address in (
        f"/api/v1/unit-sets/{unit_set}/topology",
        f"/api/v1/unit-sets/{unit_set}/counts",
        f"/api/v1/plans/{planned_copy.plan}/assignment",
    ):
        assert client.get(address).status_code == 404
        shown = client.get(address, headers={"Authorization": "Bearer secret"})
        assert shown.status_code == 200
        assert shown.headers["Cache-Control"].startswith("private")


@pytest.mark.parametrize("address", ["unit-sets/999/topology", "unit-sets/999/counts", "plans/999/assignment"])
def test_unknown_ones_are_404(client: FlaskClient, address: str) -> None:
    assert client.get(f"/api/v1/{address}").status_code == 404


def test_a_parameter_nobody_reads_is_refused(client: FlaskClient, planned: Planned, unit_set: int) -> None:
    for address in (
        f"unit-sets/{unit_set}/topology",
        f"unit-sets/{unit_set}/counts",
        f"plans/{planned.plan}/assignment",
    ):
        assert client.get(f"/api/v1/{address}?level=1").status_code == 400
