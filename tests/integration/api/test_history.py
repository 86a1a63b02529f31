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


def test_plans_and_places_as_they_were(planned_copy: Planned) -> None:
    """Painted, renamed, published, deleted: what was told before is told of the moment before."""
    engine = planned_copy.engine
    client = create_app(replace(planned_copy.settings, open_editing=True), engine).test_client()
    made = client.post(f"/api/v1/plans/{planned_copy.plan}/duplicate", json={"name": "初稿"}).get_json()
    spare = client.post(f"/api/v1/plans/{planned_copy.plan}/duplicate", json={"name": "备用"}).get_json()
    here = f"/api/v1/plans/{made['id']}"
    level = client.get(f"{here}/assignment").get_json()["levels"][0]
    first, second = [grid["code"] for grid in level["grids"] if grid["kind"] == "ordinary"][:2]
    community = next(grid["community"] for grid in level["grids"] if grid["code"] == first)
    place = f"/api/v1/places/{community}"
    asked = [
        "/api/v1/plans", "/api/v1/plans?status=draft&limit=1", here, f"{here}/grids", f"{here}/grids?level=1",
        f"/api/v1/plans/{spare['id']}/grids", "/api/v1/generations", place,
    ]  # fmt: skip

    def told(at: str | None = None) -> list[Any]:
        answers = []
        for url in asked:
            answer = client.get(url if at is None else f"{url}{'&' if '?' in url else '?'}at={at}")
            assert answer.status_code == 200, answer.text
            assert at is None or "immutable" not in answer.headers.get("Cache-Control", "")
            answers.append(_comparable(answer.get_json()))
        return answers

    before, when = told(), datetime.now(UTC).isoformat().replace("+00:00", "Z")
    codes = [grid["code"] for grid in level["grids"]]
    units = [unit for unit, grid in enumerate(level["owner"]) if grid >= 0 and codes[grid] == first]
    edit = {
        "base": made["version"],
        "operations": [{"op": "assign", "level": 1, "from": first, "to": None, "units": units}],
    }
    assert client.post(f"{here}/edits", json=edit).status_code == 200
    back = {
        "base": made["version"] + 1,
        "operations": [{"op": "assign", "level": 1, "from": None, "to": second, "units": units}],
    }
    assert client.post(f"{here}/edits", json=back).status_code == 200
    match = {"If-Match": "*"}
    assert client.patch(here, json={"name": "二稿"}, headers=match).status_code == 200
    assert client.delete(f"/api/v1/plans/{spare['id']}", headers=match).status_code == 204
    assert client.get(f"/api/v1/plans/{spare['id']}").status_code == 404
    override = {"note": "换届", "override": "试行"}
    published = client.post(f"{here}/publication", json=override, headers=match)
    assert published.status_code == 200, published.text
    with engine.begin() as connection:
        connection.execute(sa.delete(t.facilities))
        connection.execute(sa.update(t.reports).values(stage="结案归档"))
    assert client.get(here).get_json()["status"] == "published"
    assert _comparable(client.get(place).get_json()) != before[-1]
    assert told(when) == before
    then = client.get(f"{here}?at={when}")
    assert "ETag" not in then.headers
    assert then.get_json()["editable"] is False
    for url in (here, place, "/api/v1/plans"):
        assert client.get(f"{url}?at=2001-01-01").status_code == 404
        assert client.get(f"{url}?at=2199-01-01").status_code == 400


def _comparable(told: Any) -> Any:
    """Without what is not told of the past: addresses of this answer, whether it can be edited, units left."""
    if isinstance(told, list):
        return [_comparable(one) for one in told]
    if isinstance(told, dict):
        silent = ("links", "editable", "units_left", "households_left")
        return {name: _comparable(value) for name, value in told.items() if name not in silent}
    return told


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
