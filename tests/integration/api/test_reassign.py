"""Reports given to another grid by hand, and the queue dispatchers work through."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from api.app import create_app
from data.reassignments import Order, reassign
from data.reports import BY_HAND, Change, add_update, moved_reports, report_row
from data.tables import STAGES
from gisgrid.errors import BadInput, Conflict
from gisgrid.limits import NEAR_BORDER_METRES, REASON_CHARS_MAX

pytestmark = pytest.mark.postgis
URL = "/api/v1/reports"
WHY = "现场核实，事发点在边界另一侧"


@pytest.fixture
def desk(inlet: Any) -> Any:
    """The service with editing open to this machine."""
    return create_app(replace(inlet.settings, open_editing=True), inlet.engine).test_client()


MINE = {"X-Gisgrid-Author": "%E6%8C%87%E6%8C%A5%E4%B8%AD%E5%BF%83", "If-Match": "*"}


def send(client: Any, url: str, body: Any, status: int = 200, **headers: str) -> Any:
    answer = client.post(url, json=body, headers=MINE | headers)
    assert answer.status_code == status, answer.text
    return answer.get_json(force=True)


def read(client: Any, url: str, status: int = 200) -> Any:
    answer = client.get(url)
    assert answer.status_code == status, answer.text
    return answer.get_json(force=True)


def counts(inlet: Any) -> tuple[int, ...]:
    return (*inlet.stored(), inlet.scalar("SELECT count(*) FROM reassignments"))


@pytest.fixture
def report(inlet: Any, desk: Any) -> dict[str, Any]:
    """A report in the first grid."""
    code, lon, lat = inlet.grid(0)
    found: dict[str, Any] = send(desk, URL, {"service_code": "0406", "lon": lon, "lat": lat}, 201)
    assert found["properties"]["grid_code"] == code
    return found


@pytest.fixture
def professional(inlet: Any) -> Iterator[str]:
    """Code of a professional grid in force, over the whole district."""
    code = "99020037990300100101"
    with inlet.engine.begin() as connection:
        plan = connection.scalar(
            sa.text(
                "INSERT INTO plans (area, name, system, band_low, band_high) VALUES ('379903', 'fire', '消防', 0, 1) "
                "RETURNING id"
            )
        )
        made = """
            INSERT INTO grids (plan, code, name, system, level, kind, geometry, generations)
            SELECT :plan, :code, '消防一格', '消防', 1, 'ordinary', ST_Multi(ST_Union(geometry)), int4range(1, NULL)
            FROM grids WHERE upper_inf(generations) AND level = 1 AND system <> '消防'
        """
        connection.execute(sa.text(made), {"plan": plan, "code": code})
    yield code
    with inlet.engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM grids WHERE code = :code"), {"code": code})
        connection.execute(sa.text("DELETE FROM plans WHERE id = :plan"), {"plan": plan})


def test_a_report_goes_to_another_grid_and_it_is_kept_who_why_and_from_where(
    inlet: Any, desk: Any, report: dict[str, Any]
) -> None:
    old, new = inlet.grid(0)[0], inlet.grid(1)[0]
    with inlet.engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO webhooks (name, url, secret) VALUES ('all', 'http://x', 's')"))
        connection.execute(
            sa.text("INSERT INTO webhooks (name, url, secret, area) VALUES ('old', 'http://y', 's', :area)"),
            {"area": old},
        )
    url = f"{URL}/{report['id']}"
    try:
        found = send(desk, f"{url}/reassign", {"grid": new, "reason": WHY})
        with inlet.engine.connect() as connection:
            events = connection.execute(
                sa.text(
                    "SELECT w.name, d.event, d.payload FROM webhook_deliveries d JOIN webhooks w ON w.id = d.webhook"
                )
            ).all()
    finally:
        with inlet.engine.begin() as connection:
            connection.execute(sa.text("DELETE FROM webhooks"))
    properties = found["properties"]
    assert (properties["grid_code"], properties["generation"], properties["stage"]) == (new, 1, STAGES[0])
    assert properties["located"][BY_HAND] is True
    assert properties["located"]["chain"] == [new, new[:12], new[:9], new[:6]]
    assert properties["located"]["given"] == report["properties"]["located"]["given"]
    assert not {"near_border", "candidates", "distance_to_boundary"} & set(properties["located"])
    (update,) = properties["updates"]
    assert (update["note"], update["moved"]) == (WHY, {"grid": new, "generation": 1})
    (audit,) = read(desk, f"{url}/reassignments")["reassignments"]
    assert (audit["from"]["code"], audit["to"]["code"], audit["reason"], audit["author"], audit["at"]) == (
        *(old, new, WHY, "指挥中心"),
        update["at"],
    )
    assert audit["to"]["name"]
    assert {(row.name, row.event) for row in events} == {("all", "report.updated"), ("old", "report.updated")}
    payload = events[0].payload
    assert payload["moved"] == {"from": {"grid": old, "generation": 1}, "to": {"grid": new, "generation": 1}}
    assert payload["reassignment"] == {"reason": WHY, "author": "指挥中心"}
    assert read(desk, f"/open311/v2/requests/{report['id']}.json")[0]["grid"] == new


def test_two_dispatchers_at_once_the_second_is_told_what_is_there_now(
    inlet: Any, desk: Any, report: dict[str, Any]
) -> None:
    url = f"{URL}/{report['id']}"
    tag = desk.get(url).headers["ETag"]
    first, second = inlet.grid(1)[0], inlet.grid(2)[0]
    send(desk, f"{url}/reassign", {"grid": first, "reason": WHY}, **{"If-Match": tag})
    before = counts(inlet)
    error = send(desk, f"{url}/reassign", {"grid": second, "reason": WHY}, 412, **{"If-Match": tag})["error"]
    assert (error["code"], error["details"]["current"]["grid"]) == ("stale", first)
    assert desk.post(f"{url}/reassign", json={"grid": second, "reason": WHY}).status_code == 428
    assert desk.post(f"{url}/updates", json={"note": "x"}).status_code == 428
    assert send(desk, f"{url}/updates", {"note": "x"}, 412, **{"If-Match": tag})["error"]["code"] == "stale"
    assert counts(inlet) == before
    fresh = desk.get(url).headers["ETag"]
    send(desk, f"{url}/reassign", {"grid": second, "reason": WHY}, **{"If-Match": fresh})
    assert [row["to"]["code"] for row in read(desk, f"{url}/reassignments")["reassignments"]] == [first, second]


def test_the_stage_may_go_on_with_it(inlet: Any, desk: Any, report: dict[str, Any]) -> None:
    body = {"grid": inlet.grid(1)[0], "reason": WHY, "stage": STAGES[1]}
    properties = send(desk, f"{URL}/{report['id']}/reassign", body)["properties"]
    assert properties["stage"] == STAGES[1]
    assert [(row["stage"], row["moved"] is None) for row in properties["updates"]] == [
        *((STAGES[1], True), (STAGES[1], False)),
    ]


def test_a_professional_grid_takes_a_report(inlet: Any, desk: Any, report: dict[str, Any], professional: str) -> None:
    properties = send(desk, f"{URL}/{report['id']}/reassign", {"grid": professional, "reason": WHY})["properties"]
    assert (properties["grid_code"], properties["located"]["system"]) == (professional, "消防")
    assert properties["located"]["community"] == inlet.grid(0)[0][:12]
    assert properties["agency"] == "消防一格 专业网格员"
    in_area = read(desk, f"{URL}/queue?area={inlet.grid(0)[0][:12]}&grid={professional}")["reports"]
    assert [row["id"] for row in in_area] == [report["id"]]
    (audit,) = read(desk, f"{URL}/{report['id']}/reassignments")["reassignments"]
    assert audit["to"] == {"code": professional, "name": "消防一格", "system": "消防"}


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"reason": "  "}, 400, "no_reason"),
        ({"reason": None}, 400, "bad_input"),
        ({"reason": "x" * (REASON_CHARS_MAX + 1)}, 400, "bad_input"),
        ({"reason": "a\x00b"}, 400, "bad_input"),
        ({"grid": "379903001001999"}, 400, "unknown_grid"),
        ({"grid": ""}, 400, "unknown_grid"),
        ({"grid": 7}, 400, "bad_input"),
        ({"grid": "SAME"}, 409, "same_grid"),
        ({"stage": "做完了"}, 400, "bad_input"),
        ({"author": "王"}, 400, "bad_input"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    inlet: Any, desk: Any, report: dict[str, Any], change: dict[str, Any], status: int, code: str
) -> None:
    body = {"grid": inlet.grid(1)[0], "reason": WHY} | change
    if body["grid"] == "SAME":
        body["grid"] = inlet.grid(0)[0]
    before = counts(inlet)
    assert send(desk, f"{URL}/{report['id']}/reassign", body, status)["error"]["code"] == code
    assert counts(inlet) == before
    assert read(desk, f"{URL}/{report['id']}") == report


def test_ended_and_micro_grids_and_archived_reports_are_refused(inlet: Any, desk: Any, report: dict[str, Any]) -> None:
    url, other = f"{URL}/{report['id']}/reassign", inlet.grid(1)[0]
    with inlet.engine.connect() as connection, connection.begin() as outer:
        connection.execute(sa.text("UPDATE grids SET generations = int4range(1, 2) WHERE code = :c"), {"c": other})
        with pytest.raises(Conflict, match="ended with generation 2"):
            reassign(connection, report["id"], Order(grid=other, reason=WHY))
        outer.rollback()
    with inlet.engine.connect() as connection, connection.begin() as outer:
        deeper = (
            "INSERT INTO grids (plan, code, level, parent, community, kind, geometry, generations) "
            "SELECT plan, code || '01', 2, code, community, kind, geometry, generations FROM grids WHERE code = :c"
        )
        connection.execute(sa.text(deeper), {"c": other})
        with pytest.raises(BadInput, match=f"give grid {other}"):
            reassign(connection, report["id"], Order(grid=f"{other}01", reason=WHY))
        outer.rollback()
    send(desk, f"{URL}/{report['id']}/updates", {"stage": STAGES[4]}, 201)
    assert "archived" in send(desk, url, {"grid": other, "reason": WHY}, 409)["error"]["message"]
    assert send(desk, f"{URL}/99999999/reassign", {"grid": other, "reason": WHY}, 404)["error"]["status"] == 404


def test_only_who_may_edit_may(inlet: Any, desk: Any, report: dict[str, Any]) -> None:
    body = {"grid": inlet.grid(1)[0], "reason": WHY}
    url = f"{URL}/{report['id']}/reassign"
    before = counts(inlet)
    stranger = create_app(replace(inlet.settings, anonymous=("analyst",)), inlet.engine).test_client()
    assert stranger.post(url, json=body).status_code == 401
    keyed = replace(inlet.settings, editor_keys=(("desk", "sesame"),), open311_keys=(("app", "other"),))
    client = create_app(keyed, inlet.engine).test_client()
    assert client.post(url, json=body, headers={"Authorization": "Bearer other"}).status_code == 403
    assert desk.post(url, json=body, headers={"Origin": "http://evil.example"}).status_code == 403
    assert counts(inlet) == before
    known = {"Authorization": "Bearer sesame", "If-Match": "*"}
    assert client.post(url, json=body, headers=known).status_code == 200
    moved = client.post(f"{URL}/{report['id']}/updates", json={"stage": STAGES[1]}, headers=known)
    assert moved.status_code == 201, "an editing key is as good as a key for sending"
    assert read(client, f"{URL}/{report['id']}/reassignments")["reassignments"][0]["author"] == "desk"


def test_put_by_hand_it_stays_until_its_grid_ends(inlet: Any, desk: Any, report: dict[str, Any]) -> None:
    home, other = inlet.grid(0)[0], inlet.grid(1)[0]
    send(desk, f"{URL}/{report['id']}/reassign", {"grid": other, "reason": WHY})
    with inlet.engine.connect() as connection, connection.begin() as outer:
        connection.execute(sa.text("UPDATE generations SET is_current = false"))
        connection.execute(sa.text("INSERT INTO generations (plan, is_current) VALUES (1, true)"))
        assert report["id"] not in {move.id for move in moved_reports(connection)}
        connection.execute(sa.text("UPDATE grids SET generations = int4range(1, 2) WHERE code = :c"), {"c": other})
        moves = {move.id: move.new for move in moved_reports(connection)}
        assert moves[report["id"]] == home
        outer.rollback()


def test_a_publish_and_a_dispatcher_follow_each_other(inlet: Any, report: dict[str, Any]) -> None:
    """Whoever ends the grid while a report is given to it waits for that, and the other way round."""
    other = inlet.grid(3)[0]
    done = threading.Event()

    def end_the_grid() -> None:
        with inlet.engine.begin() as connection:
            connection.execute(sa.text("UPDATE grids SET generations = generations WHERE code = :c"), {"c": other})
        done.set()

    with inlet.engine.begin() as connection:
        reassign(connection, report["id"], Order(grid=other, reason=WHY))
        publisher = threading.Thread(target=end_the_grid)
        publisher.start()
        assert not done.wait(0.3), "the grid could end under a report that is being given to it"
    publisher.join(10)
    assert done.is_set()


# --- the queue ---


def test_the_queue_is_every_open_report_newest_first_page_by_page(inlet: Any, desk: Any) -> None:
    with inlet.engine.connect() as connection:
        wanted = connection.scalars(
            sa.text("SELECT id FROM reports WHERE stage <> :closed ORDER BY reported_at DESC, id DESC"),
            {"closed": STAGES[4]},
        ).all()
    found: list[int] = []
    after = ""
    for _ in range(len(wanted)):
        page = read(desk, f"{URL}/queue?open=true&limit=3{after}")
        found += [row["id"] for row in page["reports"]]
        assert page["matched"] == len(wanted) == sum(page["stages"].values())
        if page["after"] is None:
            break
        after = f"&after={page['after']}"
    assert found == list(wanted)
    assert len(wanted) > 6


@pytest.mark.parametrize(
    ("query", "condition"),
    [
        ("open=false", f"stage = '{STAGES[4]}'"),
        (f"stage={STAGES[0]},{STAGES[2]}", f"stage IN ('{STAGES[0]}', '{STAGES[2]}')"),
        ("major=市容环境", "major = '市容环境'"),
        ("unassigned=true&open=true", f"grid_code IS NULL AND stage <> '{STAGES[4]}'"),
        ("unassigned=false", "grid_code IS NOT NULL"),
        ("near_border=true", "located->>'near_border' = 'true'"),
        ("by_hand=true", "located ? 'by_hand'"),
        ("area=379903001001&open=true", f"stage <> '{STAGES[4]}'"),
        ("text=广告", "description LIKE '%广告%' OR address LIKE '%广告%'"),
        ("area=379903002", "false"),
    ],
)
def test_filters_of_queue_and_pages_are_those_of_sql(inlet: Any, desk: Any, query: str, condition: str) -> None:
    code, lon, lat = inlet.grid(0)
    send(desk, URL, {"service_code": "0406", "lon": lon, "lat": lat, "accuracy": 2000, "description": "广告牌"}, 201)
    number = send(desk, URL, {"service_code": "0406", "lon": lon, "lat": lat}, 201)["id"]
    send(desk, f"{URL}/{number}/reassign", {"grid": inlet.grid(1)[0], "reason": WHY})
    with inlet.engine.connect() as connection:
        wanted = set(connection.scalars(sa.text(f"SELECT id FROM reports WHERE {condition}")))
    queue = read(desk, f"{URL}/queue?{query}&limit=1000")
    assert {row["id"] for row in queue["reports"]} == wanted
    assert queue["matched"] == len(wanted)
    assert {row["id"] for row in read(desk, f"{URL}?{query}&limit=5000")["features"]} == wanted
    for row in queue["reports"]:
        if row["near_border"]:
            assert row["grid"], code


def test_the_queue_answers_304_until_something_happens(inlet: Any, desk: Any, report: dict[str, Any]) -> None:
    url = f"{URL}/queue?open=true&limit=5"
    tag = desk.get(url).headers["ETag"]
    assert desk.get(url, headers={"If-None-Match": tag}).status_code == 304
    send(desk, f"{URL}/{report['id']}/updates", {"note": "补充"}, 201)
    assert desk.get(url, headers={"If-None-Match": tag}).status_code == 200


@pytest.mark.parametrize(
    "query", ["after=x", "after=1.x", "after=99999999999999999999.1", "limit=0", "limit=1001", "stage=x", "area=37",
              "open=perhaps", "colour=red", "since=yesterday", "text=" + "x" * 201],
)  # fmt: skip
def test_bad_questions_are_refused(desk: Any, query: str) -> None:
    assert read(desk, f"{URL}/queue?{query}", 400)["error"]["status"] == 400


def test_moves_of_a_publish_say_how_near_the_border_is(inlet: Any) -> None:
    with inlet.engine.connect() as connection, connection.begin() as outer:
        moves = list(moved_reports(connection, unlocated=True))
        distance = sa.text(
            "SELECT ST_Distance(ST_Boundary(g.geometry)::geography, r.geometry::geography) FROM reports r, grids g "
            "WHERE r.id = :id AND g.code = :code AND upper_inf(g.generations)"
        )
        assert len(moves) > 5
        for move in moves:
            metres = connection.scalar(distance, {"id": move.id, "code": move.new})
            accuracy = report_row(connection, move.id)["accuracy"] or 0.0
            assert move.distance_to_boundary == pytest.approx(metres, rel=1e-4, abs=0.02)
            assert bool(move.near_border) == (metres <= max(accuracy, NEAR_BORDER_METRES))
        add_update(connection, moves[0].id, Change(note="x"))
        outer.rollback()
