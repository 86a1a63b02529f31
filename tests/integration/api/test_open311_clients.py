"""Open311 as clients of others speak it: FixMyStreet's forms and reading, and the ``georeport`` package from PyPI."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode
from xml.etree import ElementTree

import pytest
from georeport import GeoReport
from werkzeug.serving import make_server

pytestmark = pytest.mark.postgis
V2 = "/open311/v2"
KEY = "fixmystreet-key"


class FixMyStreet:
    """Sends and reads as FixMyStreet does (perllib/Open311.pm): forms out, XML in, 2xx is success.

    The values are those of its tests (t/open311.t).
    """

    def __init__(self, client: Any) -> None:
        self.client = client

    def _post(self, path: str, form: list[tuple[str, str]]) -> ElementTree.Element:
        body = urlencode([*form, ("jurisdiction_id", "example.org"), ("api_key", KEY)])
        kind = "application/x-www-form-urlencoded"
        return self._xml(self.client.post(f"{V2}/{path}", data=body, content_type=kind))

    def _get(self, path: str, **parameters: str) -> ElementTree.Element:
        return self._xml(self.client.get(f"{V2}/{path}", query_string=parameters | {"jurisdiction_id": "example.org"}))

    @staticmethod
    def _xml(answer: Any) -> ElementTree.Element:
        assert answer.status_code // 100 == 2, answer.text
        assert answer.content_type == "text/xml; charset=utf-8"
        return ElementTree.fromstring(answer.data)

    def categories(self) -> dict[str, tuple[str, str]]:
        """PopulateServiceList.pm: contacts by service code, with name and group."""
        texts = [{field.tag: field.text for field in service} for service in self._get("services.xml").iter("service")]
        return {str(text["service_code"]): (str(text["service_name"]), str(text["group"])) for text in texts}

    def send_report(self, problem: dict[str, Any], code: str) -> str:
        """_populate_service_request_params, with the extended description and several photos."""
        detail = "title: {title}\n\ndetail: {detail}\n\nurl: {url}\n\nSubmitted via FixMyStreet\n".format(**problem)
        form = [
            ("description", detail), ("service_code", code), ("first_name", "Test"), ("last_name", "User"),
            ("email", "test@example.com"), ("lat", f"{problem['latitude']:.6f}"), ("long", f"{problem['longitude']:.6f}"),
            *[("media_url", url) for url in problem["photos"]],
            ("attribute[easting]", "100"), ("attribute[northing]", "100"), ("attribute[title]", problem["title"]),
            ("attribute[description]", problem["detail"]), ("attribute[report_url]", problem["url"]),
            ("attribute[category]", code), ("attribute[fixmystreet_id]", str(problem["id"])),
        ]  # fmt: skip
        return str(self._post("requests.xml", form).findtext("request/service_request_id"))

    def send_update(self, comment: dict[str, Any]) -> str:
        """_populate_service_request_update_params."""
        form = [
            ("updated_datetime", comment["confirmed"]), ("service_request_id", comment["external_id"]),
            ("status", comment["status"]), ("description", comment["text"]), ("last_name", "User"), ("first_name", "Test"),
            ("email", "test@example.com"), ("update_id", str(comment["id"])), ("service_request_id_ext", "80"),
            ("public_anonymity_required", "FALSE"), ("media_url", "https://fms.example.org/c/1.0.full.jpeg"),
        ]  # fmt: skip
        return str(self._post("servicerequestupdates.xml", form).findtext("request_update/update_id"))

    def fetch_updates(self, start: str, end: str) -> list[dict[str, str | None]]:
        """GetServiceRequestUpdates.pm: every update of a window, api_key and all."""
        top = self._get("servicerequestupdates.xml", api_key=KEY, start_date=start, end_date=end)
        return [{field.tag: field.text for field in update} for update in top.iter("request_update")]


@pytest.fixture
def fixmystreet(inlet: Any) -> FixMyStreet:
    return FixMyStreet(inlet.with_keys(("fms", KEY)))


def test_a_report_goes_round_through_fixmystreet(inlet: Any, fixmystreet: FixMyStreet) -> None:
    assert fixmystreet.categories()["0103"] == ("道路破损", "市容环境 City appearance")
    code, lon, lat = inlet.grid(5)
    problem = {
        "id": 80, "title": "a problem", "detail": "problem detail", "url": "http://example.com/report/1",
        "latitude": lat, "longitude": lon,
        "photos": ["https://fms.example.org/photo/80.0.full.jpeg", "https://fms.example.org/photo/80.1.full.jpeg"],
    }  # fmt: skip
    number = fixmystreet.send_report(problem, "0103")
    assert fixmystreet.send_report(problem, "0103") == number, "a retry is the same request"
    (told,) = inlet.client.get(f"{V2}/requests/{number}.json").get_json()
    assert told["grid"] == code
    assert told["channel"] == "fms"
    assert told["media_urls"] == problem["photos"]
    assert told["description"].startswith("title: a problem\n\ndetail: problem detail")

    comment = {"id": 38362, "external_id": number, "text": "this is a comment", "status": "OPEN"}
    sent = fixmystreet.send_update(comment | {"confirmed": told["requested_datetime"]})
    assert fixmystreet.send_update(comment | {"confirmed": told["requested_datetime"]}) == sent
    anything = {"If-Match": "*"}
    inlet.client.post(
        f"/api/v1/reports/{number}/updates", json={"stage": "处置反馈", "note": "已派人修补"}, headers=anything
    )
    inlet.client.post(
        f"/api/v1/reports/{number}/updates", json={"stage": "结案归档", "note": "路面已修好"}, headers=anything
    )
    (told,) = inlet.client.get(f"{V2}/requests/{number}.json").get_json()
    window = told["requested_datetime"], told["updated_datetime"][:-3] + "59Z"
    updates = [row for row in fixmystreet.fetch_updates(*window) if row["service_request_id"] == number]
    assert updates[0]["update_id"] == sent, "FixMyStreet knows its own update by that number and skips it"
    assert [row["status"] for row in updates] == ["open", "in_progress", "closed"]
    assert [row["description"] for row in updates[1:]] == ["已派人修补", "路面已修好"]
    assert all(window[0] <= str(row["updated_datetime"]) <= window[1] for row in updates)


@pytest.fixture(scope="module")
def served(inlet: Any) -> Iterator[str]:
    """The service on a port of its own."""
    server = make_server("127.0.0.1", 0, inlet.client.application, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}{V2}"
    server.shutdown()
    thread.join(10)


@pytest.mark.parametrize("form", ["json", "xml"])
def test_the_georeport_package_reads_everything(inlet: Any, served: str, form: str) -> None:
    for number in range(2):  # xmltodict makes a list of two and more only
        _, lon, lat = inlet.grid(number)
        data = {"service_code": "0406", "lat": lat, "long": lon, "description": f'噪声 <{number}> & "{form}"'}
        assert inlet.client.post(f"{V2}/requests.json", data=data).status_code == 200
    client = GeoReport(served, jurisdiction="example.org", output_format=form)
    services = client.get_service_list()
    assert len(services) == 38
    assert services[0]["service_name"] == "暴露垃圾"
    definition = client.get_service_definition("0406")
    assert definition["service_code"] == "0406"
    rows = client.get_service_requests(service_code="0406", status="open")
    assert {f'噪声 <{number}> & "{form}"' for number in range(2)} <= {row["description"] for row in rows}
    one = client.get_service_request(rows[0]["service_request_id"])
    assert one == rows[0]
    both = client.get_service_requests(service_request_id=",".join(row["service_request_id"] for row in rows[:2]))
    assert [row["service_request_id"] for row in both] == [row["service_request_id"] for row in rows[:2]]


def test_a_raw_form_of_chinese_text_is_utf_8(inlet: Any) -> None:
    _, lon, lat = inlet.grid()
    for text in (quote("占道经营，影响通行"), "占道经营，影响通行"):  # escaped, and as plain bytes
        body = f"service_code=0402&lat={lat}&long={lon}&description={text}".encode()
        answer = inlet.client.post(
            f"{V2}/requests.json", data=body, content_type="application/x-www-form-urlencoded; charset=utf-8"
        )
        number = answer.get_json()[0]["service_request_id"]
        (told,) = inlet.client.get(f"{V2}/requests/{number}.json").get_json()
        assert told["description"] == "占道经营，影响通行"
