"""The history over HTTP: who did it, in which areas, page by page; and things as they were."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from api.app import create_app
from data import history
from data import tables as t
from data.restoring import undo
from gisgrid.errors import BadInput, Conflict
from tests.conftest import Planned

AUTHOR = {"X-Gisgrid-Author": "Blue%20Lake"}


def test_a_request_s_changes_are_told_and_taken_back_for_at(planned_copy: Planned) -> None:
    engine = planned_copy.engine
    client = create_app(replace(planned_copy.settings, open_editing=True), engine).test_client()
    asked = client.get("/api/v1/components?limit=1").get_json()
    code = asked["features"][0]["properties"]["component_code"]
    before = client.get(f"/api/v1/components/{code}").get_json()
    when = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    with engine.begin() as connection:
        connection.execute(sa.update(t.components).where(t.components.c.component_code == code).values(note="seen"))
        connection.execute(sa.delete(t.components).where(t.components.c.component_code == code))
    assert client.get(f"/api/v1/components/{code}").status_code == 404
    assert client.get(f"/api/v1/components/{code}?at={when}").get_json() == before
    then = client.get(f"/api/v1/components?limit=1&at={when}").get_json()
    assert (then["numberMatched"], then["features"]) == (asked["numberMatched"], asked["features"])

    copied = client.post(f"/api/v1/plans/{planned_copy.plan}/duplicate", json={"name": "another"}, headers=AUTHOR)
    assert copied.status_code == 201, copied.text
    found = client.get("/api/v1/history?subject=plans&limit=1").get_json()
    assert (found["entries"][0]["principal"], found["entries"][0]["name"]) == ("machine", "Blue Lake")
    assert found["entries"][0]["origin"].startswith("POST /api/v1/plans/")
    seqs: list[int] = []
    url = "/api/v1/history?limit=7"
    while url:
        page = client.get(url).get_json()
        seqs += [entry["seq"] for entry in page["entries"]]
        url = next((link["href"] for link in page["links"] if link["rel"] == "next"), "")
    head = client.get("/api/v1/history/head").get_json()
    assert seqs == list(range(head["seq"], 0, -1))
    one = client.get(f"/api/v1/history/{seqs[0]}").get_json()
    assert one["hash"] == head["hash"]


def test_a_report_as_it_was(planned_copy: Planned) -> None:
    client = create_app(replace(planned_copy.settings, open_editing=True), planned_copy.engine).test_client()
    lon, lat = client.get("/api/v1/grids?limit=1").get_json()["features"][0]["properties"]["label_point"]
    sent = {"service_code": "0101", "lon": lon, "lat": lat, "description": "井盖松动"}
    here = client.post("/api/v1/reports", json=sent).headers["Location"]
    before = client.get(here).get_json()
    when = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    told = client.post(f"{here}/updates", json={"stage": "指挥派遣", "note": "已派员"}, headers={"If-Match": "*"})
    assert told.status_code == 201, told.text
    now = client.get(here).get_json()
    assert now["properties"]["stage"] == "指挥派遣"
    assert len(now["properties"]["updates"]) == len(before["properties"]["updates"]) + 1
    was = client.get(f"{here}?at={when}")
    assert was.get_json() == before
    assert "ETag" not in was.headers
    assert client.get(f"{here}?at=2001-01-01").status_code == 404


@pytest.mark.parametrize("query", ["subject=walls", "area=12", "from=x", "limit=0", "before=0", "other=1"])
def test_what_cannot_be_asked_is_refused(planned: Planned, query: str) -> None:
    client = create_app(replace(planned.settings, open_editing=True), planned.engine).test_client()
    assert client.get(f"/api/v1/history?{query}").status_code == 400


def test_rows_of_other_areas_and_rights_are_left_out(planned: Planned) -> None:
    def told(sight: history.Sight) -> list[dict[str, Any]]:
        with planned.engine.connect() as connection:
            return history.page(connection, history.Wanted(), sight, limit=200)[0]

    communities = sorted(planned.district.layers["areas"]["code"])
    one = communities[-1]
    rows = [change for entry in told(history.Sight((one,), False)) for change in entry["changes"]]
    assert rows
    assert all(change["area"].startswith(one) for change in rows)
    assert told(history.Sight(("999999",), False)) == told(history.Sight((), False)) == []


def test_the_last_publication_is_undone_for_a_reason(planned_copy: Planned) -> None:
    with planned_copy.engine.begin() as connection:
        with pytest.raises(BadInput, match="say why"):
            undo(connection, note=" ")
        with pytest.raises(Conflict, match="is the first"):
            undo(connection, note="a mistake")
        with pytest.raises(Conflict, match="not the last"):
            undo(connection, 77, note="a mistake")
