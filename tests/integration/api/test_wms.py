"""/wms over HTTP: documents, pictures, what is told of places, errors in the form of each version, attacks."""

from __future__ import annotations

import io
import re
import socket
import tracemalloc
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import sqlalchemy as sa
from lxml import etree
from PIL import Image
from pyproj import Transformer

from api.app import create_app
from gisgrid.settings import Settings
from layers.catalog import offered
from layers.wms.systems import ZONES, in_order

pytestmark = pytest.mark.postgis
OGC = "{http://www.opengis.net/ogc}"
WMS = "{http://www.opengis.net/wms}"


@pytest.fixture(scope="module")
def service(planned: Any) -> Any:
    settings = Settings(home=planned.settings.home, database_url=planned.settings.database_url,
                        editor_keys=(("maps", "secret"),), anonymous=("analyst",))  # fmt: skip
    return create_app(settings, planned.engine).test_client()


@pytest.fixture(scope="module")
def box(planned: Any) -> tuple[float, float, float, float]:
    with planned.engine.connect() as connection:
        row = connection.execute(sa.text(
            "SELECT ST_XMin(e), ST_YMin(e), ST_XMax(e), ST_YMax(e) FROM (SELECT ST_Extent(geometry) e FROM grids) t"
        )).one()  # fmt: skip
    return tuple(map(float, row))  # type: ignore[return-value]


def ask(service: Any, request: str, **parameters: Any) -> Any:
    return service.get("/wms", query_string={"SERVICE": "WMS", "VERSION": "1.3.0", "REQUEST": request} | parameters)


def map_of(service: Any, box: tuple[float, ...], **changes: Any) -> Any:
    given = {
        "LAYERS": "grids", "STYLES": "", "CRS": "CRS:84", "BBOX": ",".join(map(repr, box)), "WIDTH": 300,
        "HEIGHT": 200, "FORMAT": "image/png",
    }  # fmt: skip
    given |= changes
    return ask(service, "GetMap", **{name: value for name, value in given.items() if value is not None})


def code_of(answer: Any) -> str | None:
    root = ElementTree.fromstring(answer.data)
    found = next(element for element in root.iter() if element.tag.endswith("ServiceException"))
    assert (found.text or "").strip()
    return found.get("code")


def pixels(answer: Any) -> Any:
    assert answer.status_code == 200, answer.text
    return np.asarray(Image.open(io.BytesIO(answer.data)).convert("RGBA"))


# --- capabilities -----------------------------------------------------------------------------

ORDER = {
    "1.3.0": "Name? Title Abstract? CRS* EX_GeographicBoundingBox? BoundingBox* Dimension* Style* "
    "MinScaleDenominator? MaxScaleDenominator? Layer*",
    "1.1.1": "Name? Title Abstract? SRS* LatLonBoundingBox? BoundingBox* Dimension* Extent* Style* ScaleHint? Layer*",
}
"""Children of a Layer, as the schema and the DTD order them."""


def ordered(element: Any, order: str) -> bool:
    pattern = "".join(
        f"(?:{re.sub('[?*]$', '', name)} ){name[-1] if name[-1] in '?*' else ''}" for name in order.split()
    )
    return re.fullmatch(pattern, "".join(etree.QName(child).localname + " " for child in element)) is not None


@pytest.mark.parametrize("version", ["1.3.0", "1.1.1"])
def test_the_capabilities_list_every_layer_in_the_order_of_the_schema(service: Any, planned: Any, version: str) -> None:
    answer = ask(service, "GetCapabilities", VERSION=version)
    assert answer.content_type.startswith("text/xml" if version == "1.3.0" else "application/vnd.ogc.wms_xml")
    root = etree.fromstring(answer.data)
    assert root.get("version") == version
    space = f"{{{root.nsmap[None]}}}" if None in root.nsmap else ""
    layers = list(root.iter(f"{space}Layer"))
    assert all(ordered(layer, ORDER[version]) for layer in layers)
    names = [layer.findtext(f"{space}Name") for layer in layers if layer.find(f"{space}Name") is not None]
    with planned.engine.connect() as connection:
        assert sorted(names) == sorted(name for name, layer in offered(connection).items() if not layer.restricted)
    crs = {element.text for element in root.iter(f"{space}{'CRS' if version == '1.3.0' else 'SRS'}")}
    assert {"EPSG:4326", "EPSG:4490", "EPSG:3857", "EPSG:900913", *ZONES} <= crs
    assert ("CRS:84" in crs) == (version == "1.3.0")
    by_name = {layer.findtext(f"{space}Name"): layer for layer in layers}
    assert by_name["reports_heat"].get("queryable") == "0"
    assert by_name["grids"].find(f"{space}Dimension") is not None
    assert by_name["grids"].find(f"{space}Style/{space}LegendURL").get("width") != "0"
    sequence = root.get("updateSequence")
    again = ask(service, "GetCapabilities", VERSION=version, UPDATESEQUENCE=sequence)
    assert (again.status_code, code_of(again)) == (400, "CurrentUpdateSequence")
    later = ask(service, "GetCapabilities", VERSION=version, UPDATESEQUENCE=str(int(sequence) + 1))
    assert code_of(later) == "InvalidUpdateSequence"
    assert ask(service, "GetCapabilities", VERSION=version, UPDATESEQUENCE="0").status_code == 200


def test_boxes_are_those_of_the_data_in_the_order_of_each_system(service: Any, box: Any) -> None:
    root = ElementTree.fromstring(ask(service, "GetCapabilities").data)
    layer = next(e for e in root.iter(f"{WMS}Layer") if e.findtext(f"{WMS}Name") == "grids")
    told = {e.get("CRS"): [float(str(e.get(side))) for side in ("minx", "miny", "maxx", "maxy")]
            for e in layer.findall(f"{WMS}BoundingBox")}  # fmt: skip
    assert told["CRS:84"] == pytest.approx(box, abs=1e-6)
    assert told["EPSG:4490"] == pytest.approx([box[1], box[0], box[3], box[2]], abs=1e-6)
    zone = next(name for name in told if name in ZONES)
    own = Transformer.from_crs("EPSG:4490", zone)  # in both systems' own order
    assert told[zone] == pytest.approx(own.transform_bounds(*told["EPSG:4490"]), abs=0.01)


def test_titles_follow_the_language_and_drafts_the_key(service: Any) -> None:
    def titles(**headers: str) -> str:
        return service.get("/wms?SERVICE=WMS&REQUEST=GetCapabilities", headers=headers).text

    assert "<Title>网格 Grids</Title>" in titles()
    assert "<Title>网格</Title>" in titles(**{"Accept-Language": "zh-CN,zh;q=0.9"})
    assert "<Title>Grids</Title>" in ask(service, "GetCapabilities", LANGUAGE="en").text
    assert "<Name>drafts</Name>" not in titles()
    answer = service.get("/wms?SERVICE=WMS&REQUEST=GetCapabilities", headers={"Authorization": "Bearer secret"})
    assert "<Name>drafts</Name>" in answer.text
    assert answer.headers["Cache-Control"].startswith("private")
    address = service.get("/wms?SERVICE=WMS&REQUEST=GetCapabilities", base_url="http://a.example:81/").text
    assert 'xlink:href="http://a.example:81/wms?"' in address


def test_answers_are_asked_again_by_tag(service: Any, box: Any) -> None:
    for answer, again in (
        (ask(service, "GetCapabilities"), lambda tag: service.get(
            "/wms?SERVICE=WMS&VERSION=1.3.0&REQUEST=GetCapabilities", headers={"If-None-Match": tag})),
        (map_of(service, box), None),
    ):  # fmt: skip
        assert answer.headers["Cache-Control"].startswith("public")
        assert answer.headers["ETag"]
        if again is not None:
            assert again(answer.headers["ETag"]).status_code == 304


# --- maps and places --------------------------------------------------------------------------


def systems() -> list[tuple[str, str]]:
    new = [
        ("1.3.0", crs)
        for crs in ("CRS:84", "EPSG:4326", "EPSG:4490", "EPSG:3857", "EPSG:900913", "EPSG:4526", "EPSG:4547")
    ]
    return new + [("1.1.1", crs) for _, crs in new[1:]]


@pytest.mark.parametrize(("version", "crs"), systems())
def test_the_same_place_has_the_same_feature_in_every_system(
    service: Any, planned: Any, box: Any, version: str, crs: str
) -> None:
    with planned.engine.connect() as connection:
        rows = connection.execute(sa.text(
            "SELECT code, ST_X(label_point), ST_Y(label_point) FROM grids "
            "WHERE level = 1 AND system = '综合' AND upper_inf(generations) ORDER BY code"
        )).all()  # fmt: skip
    if not rows:
        pytest.fail("the district has no grids")
    code, lon, lat = rows[len(rows) // 2]
    known = {"EPSG:900913": "EPSG:3857", "CRS:84": "OGC:CRS84"}.get(crs, crs)
    x, y = Transformer.from_crs("EPSG:4490", known, always_xy=True).transform(lon, lat)
    side = 0.002 if crs in ("CRS:84", "EPSG:4326", "EPSG:4490") else 200.0
    frame = (x - side, y - side * 2, x + side * 3, y + side)  # the place is off the middle: a turned box shows
    names = ("CRS", "I", "J") if version == "1.3.0" else ("SRS", "X", "Y")
    given = {
        "VERSION": version, "LAYERS": "grids", "QUERY_LAYERS": "grids", "STYLES": "", "WIDTH": 400, "HEIGHT": 300,
        "FORMAT": "image/png", "INFO_FORMAT": "application/json", names[0]: crs, names[1]: 100, names[2]: 100,
        "BBOX": ",".join(map(repr, in_order(frame, crs, version))),  # type: ignore[arg-type]
    }  # fmt: skip
    answer = ask(service, "GetFeatureInfo", **given)
    assert answer.status_code == 200, answer.text
    assert [feature["properties"]["code"] for feature in answer.json["features"]] == [code]
    drawn = pixels(ask(service, "GetMap", **given | {"TRANSPARENT": "TRUE"}))
    assert drawn[100, 100, 3] > 0


@pytest.mark.parametrize(("form", "starts"), [
    ("image/png", b"\x89PNG"), ("image/png; mode=8bit", b"\x89PNG"), ("image/png; mode=24bit", b"\x89PNG"),
    ("image/jpeg", b"\xff\xd8"), ("image/webp", b"RIFF"),
])  # fmt: skip
def test_pictures_come_in_every_form(service: Any, box: Any, form: str, starts: bytes) -> None:
    answer = map_of(service, box, FORMAT=form, BGCOLOR="0x00FF00")
    assert answer.data.startswith(starts)
    assert answer.content_type == form.split(";")[0]
    image = Image.open(io.BytesIO(answer.data))
    assert image.size == (300, 200)
    assert len(np.unique(np.asarray(image.convert("RGB")).reshape(-1, 3), axis=0)) > 3


@pytest.mark.parametrize("kind", [
    "text/plain", "text/html", "application/vnd.ogc.gml", "application/vnd.ogc.gml/3.1.1", "text/xml",
    "application/geo+json", "application/json",
])  # fmt: skip
def test_places_are_told_in_every_form(service: Any, box: Any, kind: str) -> None:
    answer = ask(
        service, "GetFeatureInfo", LAYERS="areas,grids", QUERY_LAYERS="grids,areas", STYLES=",", CRS="CRS:84",
        BBOX=",".join(map(repr, box)), WIDTH=300, HEIGHT=200, I=150, J=100, INFO_FORMAT=kind, FEATURE_COUNT=5,
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    assert answer.content_type.startswith(kind)
    if "json" in kind:
        assert {feature["id"].split(".")[0] for feature in answer.json["features"]} <= {"grids", "areas"}
        assert answer.json["features"][0]["geometry"]["coordinates"]
    elif "gml" in kind or kind == "text/xml":
        root = etree.fromstring(answer.data)
        assert root.findall(".//{http://www.opengis.net/gml}featureMember")
    elif kind == "text/html":
        assert "编码" in answer.text
    else:
        assert "code = '" in answer.text


def test_values_are_escaped(planned_copy: Any, box: Any) -> None:
    with planned_copy.engine.begin() as connection:
        connection.execute(sa.text("UPDATE grids SET name = :evil"), {"evil": '<script>alert(1)</script>&"'})
    service = create_app(planned_copy.settings, planned_copy.engine).test_client()
    for kind in ("text/html", "application/vnd.ogc.gml"):
        answer = ask(
            service, "GetFeatureInfo", LAYERS="grids", QUERY_LAYERS="grids", STYLES="", CRS="CRS:84", WIDTH=300,
            HEIGHT=200, BBOX=",".join(map(repr, box)), I=150, J=100, INFO_FORMAT=kind,
        )  # fmt: skip
        assert "<script" not in answer.text
        assert "&lt;script&gt;" in answer.text


def test_a_style_of_ones_own(service: Any, box: Any) -> None:
    sld = (
        '<StyledLayerDescriptor xmlns="http://www.opengis.net/sld" version="1.0.0"><NamedLayer><Name>grids</Name><UserStyle>'
        '<FeatureTypeStyle><Rule><PolygonSymbolizer><Fill><CssParameter name="fill">#123456</CssParameter></Fill>'
        "</PolygonSymbolizer></Rule></FeatureTypeStyle></UserStyle></NamedLayer></StyledLayerDescriptor>"
    )
    plain = pixels(map_of(service, box, SLD_BODY=sld, TRANSPARENT="TRUE"))
    inside = plain[plain[..., 3] == 255]
    assert len(inside) > 1000
    assert (inside == (0x12, 0x34, 0x56, 255)).all(axis=1).mean() > 0.99
    without = pixels(map_of(service, box, SLD_BODY=sld, LAYERS=None, STYLES=None, TRANSPARENT="TRUE"))
    assert (without == plain).all()
    west, south, east, north = box
    body = (
        f'<GetMap xmlns="http://www.opengis.net/sld" version="1.3.0">{sld}<CRS>EPSG:4490</CRS><BoundingBox>'
        f"<lowerCorner>{south!r} {west!r}</lowerCorner><upperCorner>{north!r} {east!r}</upperCorner></BoundingBox>"
        "<Output><Size><Width>300</Width><Height>200</Height></Size><Format>image/png</Format>"
        "<Transparent>true</Transparent></Output></GetMap>"
    )
    posted = service.post("/wms", data=body, content_type="text/xml")
    assert (pixels(posted) == plain).all()
    form = {"SERVICE": "WMS", "VERSION": "1.3.0", "REQUEST": "GetMap", "LAYERS": "grids", "STYLES": "", "CRS": "CRS:84",
            "BBOX": ",".join(map(repr, box)), "WIDTH": 300, "HEIGHT": 200, "FORMAT": "image/png", "SLD_BODY": sld,
            "TRANSPARENT": "true"}  # fmt: skip
    assert (pixels(service.post("/wms", data=form)) == plain).all()


def test_times_choose_and_are_warned_of(service: Any, box: Any) -> None:
    assert "Default value used: time=" in map_of(service, box).headers["Warning"]
    assert "Warning" not in map_of(service, box, TIME="current").headers
    assert "Nearest value used" in map_of(service, box, TIME="2999-01-01").headers["Warning"]
    assert "Warning" not in map_of(service, box, LAYERS="streets", TIME="2001").headers
    assert code_of(map_of(service, box, TIME="2001")) == "InvalidDimensionValue"
    assert map_of(service, box, LAYERS="reports", TIME="2001-01-01/2001-02-01,2002").status_code == 200


def test_legends(service: Any) -> None:
    full = pixels(ask(service, "GetLegendGraphic", LAYER="grids", FORMAT="image/png"))
    assert full.shape[0] > 40
    assert len(np.unique(full.reshape(-1, 4), axis=0)) > 8
    assert pixels(ask(service, "GetLegendGraphic", LAYER="grids", WIDTH=30, HEIGHT=10)).shape == (10, 30, 4)
    assert pixels(ask(service, "GetLegendGraphic", LAYER="grids", RULE="专属网格")).shape[0] < full.shape[0]
    assert code_of(ask(service, "GetLegendGraphic", LAYER="grids", STYLE="x")) == "StyleNotDefined"


# --- errors -----------------------------------------------------------------------------------

WRONG: list[tuple[dict[str, Any], int, str]] = [
    ({"LAYERS": "nothing"}, 404, "LayerNotDefined"),
    ({"LAYERS": "drafts"}, 404, "LayerNotDefined"),
    ({"LAYERS": "../../etc/passwd"}, 404, "LayerNotDefined"),
    ({"LAYERS": "g" * 20_000}, 404, "LayerNotDefined"),
    ({"LAYERS": "grids\x00"}, 400, "bad"),
    ({"LAYERS": ",".join(["grids"] * 10_000)}, 400, "InvalidParameterValue"),
    ({"LAYERS": ",".join(["grids"] * 41)}, 400, "InvalidParameterValue"),
    ({"LAYERS": None}, 400, "MissingParameterValue"),
    ({"STYLES": "nice"}, 400, "StyleNotDefined"),
    ({"STYLES": "grids,grids"}, 400, "StyleNotDefined"),
    ({"CRS": "EPSG:2154"}, 400, "InvalidCRS"),
    ({"CRS": None}, 400, "MissingParameterValue"),
    ({"CRS": "+proj=pipeline"}, 400, "InvalidCRS"),
    ({"FORMAT": "image/gif"}, 400, "InvalidFormat"),
    ({"FORMAT": "image/png\r\nSet-Cookie: a=b"}, 400, "InvalidFormat"),
    ({"WIDTH": "1000000000"}, 400, "InvalidParameterValue"),
    ({"HEIGHT": "0"}, 400, "InvalidParameterValue"),
    ({"BBOX": "nan,0,1,1"}, 400, "InvalidParameterValue"),
    ({"BBOX": "2,2,1,1"}, 400, "InvalidParameterValue"),
    ({"BBOX": "0,0,1"}, 400, "InvalidParameterValue"),
    ({"TRANSPARENT": "maybe"}, 400, "InvalidParameterValue"),
    ({"TIME": "yesterday"}, 400, "InvalidDimensionValue"),
    ({"SLD": "http://127.0.0.1:9/x.sld"}, 400, "bad"),
    ({"REMOTE_OWS_URL": "http://127.0.0.1:9/"}, 400, "bad"),
    ({"SLD_BODY": '<!DOCTYPE a [<!ENTITY x SYSTEM "http://127.0.0.1:9/">]><a>&x;</a>'}, 400, "bad"),
    ({"SERVICE": "WFS"}, 400, "InvalidParameterValue"),
    ({"REQUEST": "PutStyles"}, 400, "OperationNotSupported"),
    ({"REQUEST": ""}, 400, "MissingParameterValue"),
    ({"VERSION": "one"}, 400, "InvalidParameterValue"),
    ({"EXCEPTIONS": "PDF"}, 400, "InvalidParameterValue"),
]


@pytest.mark.parametrize(("wrong", "status", "code"), WRONG, ids=lambda value: str(value)[:40])
def test_what_is_wrong_is_told_cleanly(
    service: Any, box: Any, wrong: dict[str, Any], status: int, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    map_of(service, box)  # connections to the database are open
    reached: list[object] = []
    connect = socket.socket.connect

    def noted(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX:
            reached.append(address)
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", noted)
    tracemalloc.start()
    try:
        answer = map_of(service, box, **wrong)
        assert tracemalloc.get_traced_memory()[1] < 24 * 2**20
    finally:
        tracemalloc.stop()
    assert not reached
    assert answer.status_code == status
    assert answer.content_type == "text/xml; charset=utf-8"
    assert code_of(answer) == (None if code == "bad" else code)
    assert len(answer.data) < 1_000
    assert "Set-Cookie" not in answer.headers


def test_errors_of_1_1_1_have_its_form(service: Any, box: Any) -> None:
    answer = map_of(service, box, VERSION="1.1.1", SRS="EPSG:2154")
    assert answer.content_type == "application/vnd.ogc.se_xml; charset=utf-8"
    assert code_of(answer) == "InvalidSRS"
    assert b"exception_1_1_1.dtd" in answer.data


def test_errors_as_pictures(service: Any, box: Any) -> None:
    told = pixels(map_of(service, box, LAYERS="nothing", EXCEPTIONS="INIMAGE"))
    assert told.shape == (200, 300, 4)
    assert len(np.unique(told.reshape(-1, 4), axis=0)) > 5
    blank = pixels(map_of(service, box, LAYERS="nothing", EXCEPTIONS="BLANK", BGCOLOR="0x102030"))
    assert (blank == (0x10, 0x20, 0x30, 255)).all()
    clear = pixels(map_of(service, box, LAYERS="nothing", EXCEPTIONS="BLANK", TRANSPARENT="TRUE"))
    assert (clear[..., 3] == 0).all()
    assert map_of(service, box, WIDTH=10**9, EXCEPTIONS="BLANK").status_code == 400


@pytest.mark.parametrize(("changes", "code"), [
    ({"I": 300}, "InvalidPoint"), ({"J": -1}, "InvalidPoint"), ({"I": "x"}, "InvalidPoint"),
    ({"QUERY_LAYERS": "streets"}, "LayerNotDefined"), ({"QUERY_LAYERS": "nothing"}, "LayerNotDefined"),
    ({"INFO_FORMAT": "image/png"}, "InvalidFormat"), ({"FEATURE_COUNT": 0}, "InvalidParameterValue"),
    ({"LAYERS": "reports_heat", "QUERY_LAYERS": "reports_heat"}, "LayerNotQueryable"),
])  # fmt: skip
def test_wrong_questions_about_places(service: Any, box: Any, changes: dict[str, Any], code: str) -> None:
    given = {
        "LAYERS": "grids", "QUERY_LAYERS": "grids", "STYLES": "", "CRS": "CRS:84", "BBOX": ",".join(map(repr, box)),
        "WIDTH": 300, "HEIGHT": 200, "I": 150, "J": 100, "INFO_FORMAT": "text/plain",
    }  # fmt: skip
    answer = ask(service, "GetFeatureInfo", **given | changes)
    assert answer.status_code in (400, 404)
    assert code_of(answer) == code


def test_bodies_that_are_none(service: Any) -> None:
    bomb = '<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><GetMap>&b;</GetMap>'
    for body, kind in ((bomb, "text/xml"), ("<a>" * 99_999, "text/xml"), ("{}", "application/json"), ("x", "text/xml")):
        answer = service.post("/wms?SERVICE=WMS&REQUEST=GetMap", data=body, content_type=kind)
        assert answer.status_code == 400, kind
        assert code_of(answer) is None
    large = service.post("/wms", data=b"<a/>" * 400_000, content_type="text/xml")
    assert large.status_code == 413
    assert service.delete("/wms").status_code == 405
    assert service.get("/wms?LAYERS=a&LAYERS=b").status_code == 400
