"""/openapi.json tells the truth: every route is in it, and live answers have the bodies it declares."""

from __future__ import annotations

import functools
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from api.app import create_app
from api.plans.job import plan_params
from data import previews
from data import tables as t
from gisgrid.models import Band
from planning.workflow_plans import Order

pytestmark = pytest.mark.postgis
KINDS: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


@pytest.fixture
def spec(client: FlaskClient) -> dict[str, Any]:
    spec = dict(client.get("/openapi.json").get_json())
    # MapIt's addresses have their own tests (test_mapit.py)
    return spec | {"paths": {path: item for path, item in spec["paths"].items() if path.startswith("/api/")}}


def assert_fits(value: Any, schema: dict[str, Any], where: str) -> None:
    """A small reading of JSON Schema: types, nullable, enum, required, and nothing undeclared."""
    if value is None:
        assert not schema or schema.get("nullable"), f"{where} is null"
        return
    if "type" in schema:
        assert isinstance(value, KINDS[schema["type"]]), f"{where}={value!r} is no {schema['type']}"
        assert not (isinstance(value, bool) and schema["type"] != "boolean"), where
    assert value in schema.get("enum", [value]), where
    if isinstance(value, dict):
        assert set(schema.get("required", [])) <= set(value), f"{where} lacks properties"
        more = schema.get("additionalProperties", {})
        for name, item in value.items():
            known = schema.get("properties", {}).get(name)
            assert known is not None or name == "id" or more or "properties" not in schema, (
                f"{where}.{name} is undeclared"
            )
            assert_fits(item, known or more, f"{where}.{name}")
    elif isinstance(value, list):
        for number, item in enumerate(value[:50]):
            assert_fits(item, schema.get("items", {}), f"{where}[{number}]")


def address(client: FlaskClient, path: str) -> str:
    """A request to the path that succeeds on the sample district."""
    grid = client.get("/api/v1/grids?limit=1").get_json(force=True)["features"][0]["properties"]
    component = client.get("/api/v1/components?limit=1").get_json(force=True)["features"][0]["properties"]
    lon, lat = grid["label_point"]
    queries = {
        "/api/v1/locate": f"?lon={lon}&lat={lat}",
        "/api/v1/components/clusters": f"?bbox={lon - 0.01},{lat - 0.01},{lon + 0.01},{lat + 0.01}&cell=0.001",
        "/api/v1/addresses/search": "?text=鸣凤示范街道",
        "/api/v1/addresses/suggest": "?text=鸣凤",
        "/api/v1/addresses/parse": "?text=文泉路12号",
        "/api/v1/addresses/reverse": f"?lon={lon}&lat={lat}",
        "/api/v1/circles/coverage": "?category=kindergarten",
        "/api/v1/circles/polygons": "?category=kindergarten",
        "/api/v1/circles/blind-spots": "?category=kindergarten",
        "/api/v1/circles/buildings": "?category=kindergarten",
        "/api/v1/circles/nearest": "?building=1&routes=true",
        "/api/v1/circles/isochrones": "?facility=1",
    }
    report = client.get("/api/v1/reports?limit=1").get_json(force=True)["features"][0]["id"]
    codes = {"/api/v1/grids/{code}": grid["code"], "/api/v1/areas/{code}": grid["community"]}
    codes |= {f"/api/v1/sheets/{{code}}.{form}": grid["community"] for form in ("pdf", "png")}
    codes |= dict.fromkeys(("/api/v1/places/{code}", "/api/v1/plans/{plan}/grids/{code}"), grid["code"])
    filled = path.replace("{code}", codes.get(path, "")).replace("{component_code}", component["component_code"])
    filled = filled.replace("{report}", str(report)).replace("{job}", "1")
    filled = (
        filled.replace("{comment}", "1").replace("{plan}", "1").replace("{generation}", "1").replace("{unit_set}", "1")
    )
    filled = filled.replace("{name}", "facilities")
    if "{seq}" in filled:
        newest = client.get("/api/v1/history?limit=1").get_json()["entries"][0]
        filled = filled.replace("{seq}", str(newest["seq"]))
    return filled + queries.get(path, "")


def store_job(planned: Any) -> None:
    """One job that is done, has made a file and shows a plan."""
    held, folder = t.jobs, planned.settings.home / "jobs" / "1" / "output"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "points.bin").write_bytes(b"made")
    values = {
        "kind": "plan",
        "params": plan_params(Order(planned.area, Band(300, 500))),
        "state": "done",
        "result": {"output": "points.bin"},
        "share": 1,
    }
    with planned.engine.begin() as connection:
        if not connection.scalar(sa.select(sa.func.count()).select_from(held)):
            connection.execute(sa.insert(held).values(values))
            previews.keep(
                connection, 1, 1, np.zeros(connection.scalar(sa.text("SELECT count(*) FROM units")), np.int32), {}
            )


def test_every_route_is_described(client: FlaskClient, spec: dict[str, Any]) -> None:
    rules = client.application.url_map.iter_rules()
    routes = {rule.rule.replace("<", "{").replace(">", "}") for rule in rules if rule.rule.startswith("/api/")}
    by_browsers = {"/api/v1/session/provider", "/api/v1/session/provider/callback"}  # ways to another site and back
    assert set(spec["paths"]) == routes - by_browsers
    for path, operations in spec["paths"].items():
        operation = next(iter(operations.values()))
        assert operation["summary"], path
        assert {"400", "503"} <= set(operation["responses"]), path
        assert set(operation["responses"]) & {"200", "201", "202", "204"}, path
        assert "422" not in operation["responses"], path
        for parameter in operation.get("parameters", []):
            assert parameter["description"], f"{path} {parameter['name']}"


def test_every_map_address_is_described(client: FlaskClient) -> None:
    """/ogc and /wms too, in a document of the version the conformance classes promise."""
    told = client.get("/openapi.json").get_json()
    assert told["openapi"].startswith("3.0.")
    named = {re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule): rule for rule in client.application.url_map.iter_rules()}
    routes = {path for path in named if path.startswith(("/ogc/", "/wms"))} - {"/ogc/style.css", "/wms/"}
    assert {path for path in told["paths"] if path.startswith(("/ogc", "/wms"))} == routes
    operations = [operation["operationId"] for item in told["paths"].values() for operation in item.values()]
    assert len(set(operations)) == len(operations)
    for path in routes:
        stated = {"{" + p["name"] + "}" for p in told["paths"][path]["get"]["parameters"] if p["in"] == "path"}
        assert stated == set(re.findall(r"{\w+}", path)), path


def test_tiles_and_styles_have_the_declared_body(client: FlaskClient) -> None:
    told = client.get("/openapi.json").get_json()["paths"]
    filled = {"{collection}": "grids", "{tms}": "WebMercatorQuad", "{zoom}": "0", "{row}": "0", "{column}": "0"}
    for path, item in told.items():
        if not re.search("/(tiles|tileMatrixSets|styles)", path):
            continue
        style = "grids" if "collections" in path else "gisgrid"
        address = functools.reduce(lambda text, pair: text.replace(*pair), filled.items(), path)
        answer = client.get(address.replace("{style}", style))
        assert answer.status_code == 200, path
        content = item["get"]["responses"]["200"]["content"][answer.mimetype]
        if "json" in answer.mimetype and "anyOf" not in content["schema"]:
            schema = content["schema"]
            assert set(schema.get("required", [])) <= set(answer.get_json(force=True)), path
            assert set(answer.get_json(force=True)) <= set(schema["properties"]) | {"metadata", "center", "zoom"}, path


def test_answers_have_the_declared_body(planned_copy: Any, spec: dict[str, Any], tmp_path: Path) -> None:
    held = replace(planned_copy, settings=replace(planned_copy.settings, home=tmp_path, open_editing=True))
    store_job(held)
    client = create_app(held.settings, held.engine).test_client()
    assert client.post("/api/v1/plans/1/comments", json={"body": "看一眼"}).status_code == 201
    for path, operations in spec["paths"].items():
        if "get" not in operations:
            continue
        answer = client.get(address(client, path))
        ((media, content),) = operations["get"]["responses"]["200"]["content"].items()
        assert answer.status_code == 200, path
        assert answer.mimetype == media, path
        if "json" not in media:
            assert answer.get_data(), path
            continue
        assert_fits(answer.get_json(force=True), content["schema"], path)


def test_errors_have_the_declared_body(client: FlaskClient, spec: dict[str, Any]) -> None:
    for url in ("/api/v1/grids?limit=0", "/api/v1/grids/nothing", "/api/v1/none", "/api/v1/locate?lon=1&lat=999"):
        answer = client.get(url)
        assert answer.status_code in (400, 404)
        assert_fits(answer.get_json(), spec["components"]["schemas"]["Error"], url)


def test_parameters_tell_names_and_limits(spec: dict[str, Any]) -> None:
    parameters = {item["name"]: item for item in spec["paths"]["/api/v1/grids"]["get"]["parameters"]}
    assert set(parameters) == {"bbox", "limit", "after", "at", "system", "level", "community", "kind"}
    assert parameters["limit"]["schema"] == {"type": "integer", "default": 100, "minimum": 1, "maximum": 5000}
