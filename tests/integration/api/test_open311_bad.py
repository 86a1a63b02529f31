"""What cannot be a report, an update or a question: a clear 4xx in the GeoReport shape, and nothing stored."""

from __future__ import annotations

import xml.dom.minidom
from typing import Any

import pytest
import sqlalchemy as sa

from api.app import create_app

pytestmark = pytest.mark.postgis
V2 = "/open311/v2"
FORM = "application/x-www-form-urlencoded"
GOOD = {"service_code": "0101", "lat": "35.4968", "long": "112.8402"}


@pytest.fixture(autouse=True)
def _nothing_is_stored(inlet: Any) -> Any:
    before = inlet.stored()
    yield
    assert inlet.stored() == before
    assert inlet.client.get(f"{V2}/services.json").status_code == 200, "the worker lives"


def errors(answer: Any) -> list[dict[str, Any]]:
    """The errors of an answer, which must be in the shape of the specification."""
    assert 400 <= answer.status_code < 500, answer.text
    found = answer.get_json(force=True)
    assert isinstance(found, list)
    for error in found:
        assert set(error) - {"details"} == {"code", "description", "word"}
        assert error["code"] == answer.status_code
        assert "\n" not in error["description"]
        assert len(error["description"]) < 500
    return found


@pytest.mark.parametrize(
    ("change", "status", "says"),
    [
        ({"service_code": ""}, 400, "service_code is missing"),
        ({"service_code": "9999"}, 404, "'9999'"),
        ({"service_code": "'; DROP TABLE reports; --"}, 404, "DROP TABLE"),
        ({"service_code": "0" * 3000}, 404, "is not known"),
        ({"lat": "", "long": ""}, 400, "send lat and long"),
        ({"lat": ""}, 400, "go together"),
        ({"lat": "NaN"}, 400, "lat='NaN' is not a number"),
        ({"long": "inf"}, 400, "not a number"),
        ({"lat": "1e308"}, 400, "not degrees"),
        ({"lat": "1e999"}, 400, "not finite"),
        ({"lat": "abc"}, 400, "'abc'"),
        ({"lat": "1_0"}, 400, "not a number"),
        ({"lat": "112.8402", "long": "35.4968"}, 400, "swapped"),
        ({"lat": "48.8566", "long": "2.3522"}, 400, "outside this service's areas"),
        ({"attribute[crs]": "mars"}, 400, "mars"),
        ({"attribute[crs]": "x" * 41}, 400, "crs has 41 characters"),
        ({"attribute[crs]": "EPSG:999999"}, 400, "EPSG:999999"),
        ({"attribute[accuracy]": "-1"}, 400, "accuracy=-1"),
        ({"attribute[accuracy]": "1e300"}, 400, "accuracy"),
        ({"attribute[accuracy]": "near"}, 400, "'near'"),
        ({"attribute[component_code]": "0000000000000000"}, 400, "'0000000000000000'"),
        ({"description": "x" * 4001}, 400, "4001 characters"),
        ({"description": "a\x00b"}, 400, "NUL"),
        ({"address_string": "x" * 501}, 400, "address has 501"),
        ({"media_url": "javascript:alert(1)"}, 400, "media_url"),
        ({"media_url": "ftp://example.org/x.jpg"}, 400, "http"),
        ({"media_url": "http://[broken"}, 400, "media_url"),
        ({"media_url": ["http://example.org/1.jpg"] * 11}, 400, "11 times"),
        ({"token": "x" * 201}, 400, "token"),
        ({"attribute[fixmystreet_id]": "x" * 101}, 400, "fixmystreet_id"),
        ({"lat": ["35.4968", "35.5"]}, 400, "lat is sent 2 times"),
        ({"lat": "", "long": "", "address_string": "不存在路15号"}, 400, "lat and long"),
        ({"lat": "", "long": "", "address_id": "#NOTPINPOINTED#"}, 400, "#NOTPINPOINTED#"),
    ],
)
def test_bad_reports_are_refused(inlet: Any, change: dict[str, Any], status: int, says: str) -> None:
    answer = inlet.client.post(f"{V2}/requests.json", data=GOOD | change)
    (error,) = errors(answer)
    assert answer.status_code == status
    assert says in error["description"]
    as_xml = inlet.client.post(f"{V2}/requests.xml", data=GOOD | change)
    assert as_xml.status_code == status
    document = xml.dom.minidom.parseString(as_xml.data)
    assert document.documentElement.tagName == "errors"
    (code,) = document.getElementsByTagName("code")
    assert code.firstChild.data == str(status)


@pytest.mark.parametrize(
    ("body", "kind", "status", "says"),
    [
        (b'{"service_code": "0101"}', "application/json", 400, "application/json"),
        (b"<request/>", "text/xml", 400, "text/xml"),
        (b"", "", 400, "missing"),
        (b"", FORM, 400, "is missing"),
        (b"service_code=0101&description=%ff%fe&lat=35.4968&long=112.8402", FORM, 400, "UTF-8"),
        (b"service_code=0101&description=\xff&lat=35.4968&long=112.8402", FORM, 400, "UTF-8"),
        (b"a=1&" * 501, FORM, 400, "fields"),
        (b"service_code=0101&description=" + b"x" * 10_000_000, FORM, 413, "longer"),
        (b"%00=1&service_code=0101", FORM, 400, "NUL"),
    ],
)
def test_bad_forms_are_refused(inlet: Any, body: bytes, kind: str, status: int, says: str) -> None:
    for noun in ("requests", "servicerequestupdates"):
        answer = inlet.client.post(f"{V2}/{noun}.json", data=body, content_type=kind)
        (error,) = errors(answer)
        assert answer.status_code == status
        assert (
            says.replace("service_code", "service_" if noun != "requests" else "service_code") in error["description"]
        )


@pytest.mark.parametrize(
    ("change", "status", "says"),
    [
        ({"service_request_id": ""}, 400, "service_request_id is missing"),
        ({"service_request_id": "99999999"}, 404, "99999999"),
        ({"service_request_id": "9" * 30}, 404, "no request"),
        ({"service_request_id": "1 OR 1=1"}, 404, "OR"),
        ({"service_request_id": "１"}, 404, "no request"),
        ({"status": ""}, 400, "status is missing"),
        ({"status": "DONE"}, 400, "'DONE'"),
        ({"updated_datetime": "yesterday"}, 400, "yesterday"),
        ({"updated_datetime": "2026-01-01T00:00:00"}, 400, "zone"),
        ({"description": "x" * 4001}, 400, "4001"),
        ({"update_id": "x" * 101}, 400, "update_id"),
        ({"media_url": "data:text/html,x"}, 400, "media_url"),
    ],
)
def test_bad_updates_are_refused(inlet: Any, change: dict[str, str], status: int, says: str) -> None:
    form = {"service_request_id": "1", "status": "OPEN", "description": "x", "updated_datetime": "2026-01-01T00:00:00Z"}
    answer = inlet.client.post(f"{V2}/servicerequestupdates.json", data=form | change)
    (error,) = errors(answer)
    assert answer.status_code == status
    assert says in error["description"]


@pytest.mark.parametrize(
    ("url", "status", "says"),
    [
        ("requests?colour=red", 400, "colour"),
        ("requests?status=sleeping", 400, "sleeping"),
        ("requests?service_code=0101,9999", 400, "9999"),
        ("requests?service_code=0101' OR '1'='1", 400, "OR"),
        ("requests?service_request_id=1,two", 400, "two"),
        ("requests?service_request_id=" + ",".join(["1"] * 1001), 400, "1001"),
        ("requests?start_date=2026-01-01", 400, "zone"),
        ("requests?start_date=2026-01-01T00:00:00", 400, "zone"),
        ("requests?start_date=0001-01-01T00:00:00Z", 400, "year"),
        ("requests?end_date=9999-12-31T23:59:59-12:00", 400, "year"),
        ("requests?start_date=2026-01-01T00:00:00Z&end_date=2026-12-01T00:00:00Z", 400, "90 days"),
        ("requests?start_date=2026-02-01T00:00:00Z&end_date=2026-01-01T00:00:00Z", 400, "exchange"),
        ("requests?page=0", 400, "page"),
        ("requests?page=-1", 400, "page"),
        ("requests?page=1e9", 400, "page"),
        ("requests?page=101&page_size=1000", 400, "deeper"),
        ("requests?page_size=0", 400, "page_size"),
        ("requests?page_size=1001", 400, "1000"),
        ("requests?lat=35&long=112", 400, "radius missing"),
        ("requests?lat=35&long=112&radius=1e9", 400, "50000"),
        ("requests?lat=35&long=112&radius=-5", 400, "radius"),
        ("requests?lat=35&long=112&radius=nan", 400, "not a number"),
        ("requests?lat=112&long=35&radius=5", 400, "swapped"),
        ("requests?q=" + "x" * 201, 400, "201"),
        ("requests?q=%00", 400, "NUL"),
        ("requests?sort=grid", 400, "sort"),
        ("requests?extensions=maybe", 400, "extensions"),
        ("requests?status=open&status=closed", 400, "2 times"),
        ("requests/99999999", 404, "99999999"),
        ("requests/abc", 404, "abc"),
        ("requests/" + "9" * 19, 404, "999"),
        ("request/-1", 404, "-1"),
        ("requests/1.5", 404, "1.5"),
        ("services/none", 404, "none"),
        ("services/%00", 404, "not known"),
        ("tokens/none", 404, "none"),
        ("tokens/%00", 400, "NUL"),
        ("tokens/" + "x" * 201, 400, "201"),
        ("servicerequestupdates?start_date=x&end_date=y", 400, "start_date"),
        ("servicerequestupdates?status=open", 400, "status"),
        ("nothing", 404, "nothing"),
        ("../v3/services", 404, "v3/services"),
    ],
)
def test_bad_questions_are_refused(inlet: Any, url: str, status: int, says: str) -> None:
    answer = inlet.client.get(f"{V2}/{url}", headers={"Accept": "application/json"})
    (error,) = errors(answer)
    assert answer.status_code == status
    assert says in error["description"]


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_other_methods_are_refused_in_the_same_shape(inlet: Any, method: str) -> None:
    answer = getattr(inlet.client, method)(f"{V2}/requests.json")
    assert errors(answer)[0]["word"] == "method_not_allowed"
    assert answer.headers["Allow"] == "GET, POST"
    assert errors(inlet.client.post(f"{V2}/services.json"))[0]["code"] == 405
    assert errors(getattr(inlet.client, method)("/open311/v2/none.json"))[0]["code"] == 404


def test_a_database_that_is_down_says_so_in_the_same_shape(inlet: Any) -> None:
    gone = sa.create_engine("postgresql+psycopg://nobody@127.0.0.1:1/none", connect_args={"connect_timeout": 2})
    client = create_app(inlet.settings, gone).test_client()
    for answer in (client.get(f"{V2}/requests.json"), client.post(f"{V2}/requests.json", data=GOOD)):
        assert answer.status_code == 503
        assert answer.get_json()[0]["word"] == "database_down"
        assert answer.headers["Retry-After"] == "2"
