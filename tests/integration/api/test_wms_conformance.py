"""The items of the public WMS 1.3.0 test suite (OGC ets-wms13) that a machine can check, on its Blue Lake data.

Written anew from what each item asserts; the docstring or the parameter names the item, and docs/conformance.md
lists all of them. The items the suite asks a person about are measured here instead.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import Any

import numpy as np
import pytest

from tests.blue_lake import blue_lake, store_blue_lake
from tests.integration.api.conftest import Inlet
from tests.integration.api.wms_suite import HREF, VICINITY, WMS, Suite, fault, ill_formed, media_type, pixels, white

pytestmark = pytest.mark.postgis
ALL = (
    "cite:Streams,cite:Lakes,cite:Ponds,cite:Bridges,cite:RoadSegments,cite:DividedRoutes,cite:Buildings,"
    "cite:MapNeatline"
)
LAKE = {"LAYERS": "cite:Lakes", "BBOX": "0,-0.0020,0.0040,0", "WIDTH": 200, "HEIGHT": 100}
"""A lake in the middle, its left eighth and its upper right quarter empty."""


@pytest.fixture(scope="module")
def suite(inlet: Inlet) -> Suite:
    with inlet.engine.begin() as connection:
        store_blue_lake(connection)
    return Suite(inlet.client)


def version(answer: Any) -> str:
    return str(ET.fromstring(answer.data).get("version"))


# --- basic elements -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        pytest.param(None, {"1.3.0"}, id="basic_elements:negotiate-no-version"),
        pytest.param("1.3.0", {"1.3.0"}, id="basic_elements:negotiate-basic_elements-version"),
        pytest.param("100.0.0", {"1.3.0"}, id="basic_elements:negotiate-higher-version"),
        pytest.param("0.0.0", {"1.1.1", "1.3.0"}, id="basic_elements:negotiate-lower-version"),
    ],
)
def test_versions_are_negotiated(suite: Suite, asked: str | None, given: set[str]) -> None:
    assert version(suite.capabilities(VERSION=asked)) in given


def test_escaped_letters_are_read(suite: Suite) -> None:
    """basic_elements:escaped-chars"""
    answer = suite.fetch(
        suite.address("GetCapabilities")
        + "ReQuEsT=%47%65%74%43%61%70%61%62%69%6C%69%74%69%65%73&VeRsIoN=1.3.0&SeRvIcE=WMS"
    )
    assert version(answer) == "1.3.0"


def test_parameters_unknown_to_the_standard_are_ignored(suite: Suite) -> None:
    """basic_elements:extra-GetCapabilities-param, basic_elements:extra-GetMap-param,
    basic_elements:extra-GetFeatureInfo-param"""
    assert version(suite.capabilities(BOGUS="ignored")) == "1.3.0"
    assert media_type(suite.map(BOGUS="ignored", WIDTH=200, HEIGHT=200)) == "image/png"
    answer = suite.info(BOGUS="ignored", BBOX=VICINITY, WIDTH=200, HEIGHT=200, I=188, J=64)
    assert media_type(answer) == suite.formats("GetFeatureInfo")[0]


# --- GetCapabilities: requests ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "form",
    [
        pytest.param("text/xml", id="getcapabilities:each-format"),
        pytest.param(None, id="getcapabilities:no-format"),
        pytest.param("invalid", id="getcapabilities:invalid-format"),
    ],
)
def test_capabilities_come_as_xml(suite: Suite, form: str | None) -> None:
    assert suite.formats("GetCapabilities") == ["text/xml"]
    answer = suite.capabilities(FORMAT=form)
    assert media_type(answer) == "text/xml"
    assert ET.fromstring(answer.data).tag == f"{WMS}WMS_Capabilities"


def test_the_update_sequence(suite: Suite) -> None:
    """getcapabilities:updatesequence-current, getcapabilities:updatesequence-lower,
    getcapabilities:updatesequence-higher (getcapabilities:updatesequence-ignored is for services without one)"""
    current = suite.root.get("updateSequence", "")
    assert re.fullmatch(r"\d+", current), "as a number it has neighbours"
    assert fault(suite.capabilities(UPDATESEQUENCE=current)) == "CurrentUpdateSequence"
    assert fault(suite.capabilities(UPDATESEQUENCE=int(current) + 1)) == "InvalidUpdateSequence"
    assert version(suite.capabilities(UPDATESEQUENCE=max(int(current) - 1, 0))) == "1.3.0"


# --- GetCapabilities: the document ----------------------------------------------------------------


def test_the_document_has_the_shape_of_the_schema(suite: Suite) -> None:
    """getcapabilities:normative-schema, getcapabilities:validate-using-schemaLocation"""
    location = suite.root.get("{http://www.w3.org/2001/XMLSchema-instance}schemaLocation", "").split()
    assert dict(zip(location[::2], location[1::2], strict=True))["http://www.opengis.net/wms"] == (
        "http://schemas.opengis.net/wms/1.3.0/capabilities_1_3_0.xsd"
    )
    assert ill_formed(suite.root) == []


def test_addresses_are_prefixes(suite: Suite) -> None:
    """getcapabilities:capability-onlineresource"""
    for operation in ("GetCapabilities", "GetMap", "GetFeatureInfo"):
        assert re.search(r"\?$|\?.*&$", suite.address(operation))


def test_formats_that_must_be_there(suite: Suite) -> None:
    """getcapabilities:capability-xml-getcapabilities-format, getcapabilities:capability-xml-exception-format,
    basic:gif-or-png, recommendations:png-getmap-format, queryable:getfeatureinfo-supported"""
    assert "text/xml" in suite.formats("GetCapabilities")
    exceptions = [form.text for form in suite.root.findall(f"{WMS}Capability/{WMS}Exception/{WMS}Format")]
    assert exceptions[0] == "XML"
    assert {"INIMAGE", "BLANK"} <= set(exceptions)
    assert "image/png" in suite.formats("GetMap")
    assert suite.formats("GetFeatureInfo")


def test_boxes(suite: Suite) -> None:
    """getcapabilities:bbox-crs-advertised, getcapabilities:bbox-present, getcapabilities:bbox-distinct-crs,
    getcapabilities:ex_geobbox-present, getcapabilities:ex_geobbox-coordinates, getcapabilities:layer-extents"""
    for chain in suite.chains:
        own = chain.layer.findall(f"{WMS}BoundingBox")
        systems = [str(box.get("CRS")) for box in own]
        assert set(systems) <= set(chain.crs), chain.name
        assert len(systems) == len(set(systems)), chain.name
        for box in own:
            low_x, low_y, high_x, high_y = (float(str(box.get(end))) for end in ("minx", "miny", "maxx", "maxy"))
            assert low_x <= high_x, chain.name
            assert low_y <= high_y, chain.name
    for chain in suite.named:
        assert chain.all("BoundingBox"), chain.name
        nearest = chain.all("EX_GeographicBoundingBox")[-1]
        west, east, south, north = (float(str(end.text)) for end in nearest)
        assert west <= east, chain.name
        assert south <= north, chain.name
        # degrees of one box and the other are the same numbers, north first where the system has it so
        assert [float(end) for end in chain.box("CRS:84").split(",")] == [west, south, east, north], chain.name
        assert [float(end) for end in chain.box("EPSG:4326").split(",")] == [south, west, north, east], chain.name


def test_coordinate_systems(suite: Suite) -> None:
    """getcapabilities:crs-auto2-declarations, getcapabilities:crs-present, getcapabilities:crs-for-all-layers,
    recommendations:layer-crs"""
    declared = [crs for chain in suite.chains for crs in chain.crs]
    assert not [crs for crs in declared if crs.startswith("AUTO2:") and "," in crs]
    common = set.intersection(*(set(chain.crs) for chain in suite.named))
    assert common == set(suite.chains[0].crs)
    assert {"CRS:84", "EPSG:4326", "EPSG:4490", "EPSG:3857", "EPSG:4513", "EPSG:4554"} <= common


@pytest.mark.parametrize(
    "element",
    [
        pytest.param("Attribution", id="getcapabilities:logourls"),
        pytest.param("DataURL", id="getcapabilities:dataurls"),
        pytest.param("FeatureListURL", id="getcapabilities:featurelisturls"),
        pytest.param("MetadataURL", id="getcapabilities:metadataurls"),
        pytest.param("LegendURL", id="getcapabilities:style-legendurls"),
        pytest.param("StyleSheetURL", id="getcapabilities:style-stylesheeturls"),
        pytest.param("StyleURL", id="getcapabilities:style-styleurls"),
    ],
)
def test_what_links_lead_to_is_of_the_format_and_size_they_say(suite: Suite, element: str) -> None:
    """getcapabilities:resource-format, getcapabilities:resource-size"""
    found = list(suite.root.iter(f"{WMS}{element}"))
    if element == "LegendURL":
        assert len(found) >= len(suite.named)
    for link in found:
        place = link.find(f"{WMS}OnlineResource")
        assert place is not None
        answer = suite.fetch(str(place.get(HREF)))
        assert (answer.status_code, media_type(answer)) == (200, link.findtext(f"{WMS}Format"))
        if link.get("width"):
            height, width = pixels(answer).shape[:2]
            assert (str(width), str(height)) == (link.get("width"), link.get("height")), place.get(HREF)


def test_names_are_declared_once(suite: Suite) -> None:
    """getcapabilities:authorityurl-unique, getcapabilities:identifier-matches-authorityurl,
    getcapabilities:style-unique"""
    for chain in suite.chains:
        authorities = [element.get("name") for element in chain.all("AuthorityURL")]
        assert len(authorities) == len(set(authorities))
        assert {e.get("authority") for e in chain.layer.findall(f"{WMS}Identifier")} <= set(authorities)
        styles = [element.findtext(f"{WMS}Name") for element in chain.all("Style")]
        assert len(styles) == len(set(styles)), chain.name


def test_dimensions_are_declared_properly(suite: Suite) -> None:
    """getcapabilities:dims-time, getcapabilities:dims-elevation-crs88, getcapabilities:dims-no-redeclarations,
    recommendations:dims-no-whitespace, recommendations:dims-defaults"""
    seen = 0
    for chain in suite.chains:
        units = {}
        for dimension in chain.all("Dimension"):
            seen += 1
            name = str(dimension.get("name"))
            assert name == "time", "there is no other"
            assert dimension.get("units") == "ISO8601"
            assert dimension.get("default")
            assert units.setdefault(name, dimension.get("units")) == dimension.get("units")
    assert seen, "generations have times"


def test_recommendations(suite: Suite) -> None:
    """recommendations:service-keywords, recommendations:layer-abstracts"""
    assert suite.root.findall(f"{WMS}Service/{WMS}KeywordList/{WMS}Keyword")
    without = [c.name for c in suite.named if not c.layer.findtext(f"{WMS}Abstract") and ":" not in str(c.name)]
    assert without == [], "only layers users bring may lack one"


def test_the_data_are_queryable(suite: Suite) -> None:
    """queryable:std-data-queryable"""
    for title in ("cite:BasicPolygons", "cite:Forests", "cite:Lakes", "cite:NamedPlaces"):
        assert suite.titled(title).queryable


# --- GetMap: BBOX ----------------------------------------------------------------------------------


def test_a_layers_own_box_is_drawn(suite: Suite) -> None:
    """getmap:bbox-direct (getmap:bbox-inherited is for layers without a box of their own)"""
    chain = suite.titled("cite:Forests")
    picture = pixels(suite.map(LAYERS=chain.name, BBOX=chain.box("CRS:84"), WIDTH=200, HEIGHT=200))
    assert picture.shape[:2] == (200, 200)
    assert not white(picture).all()


def test_outside_its_scales_a_layer_is_left_out_without_an_error(suite: Suite) -> None:
    """getmap:bbox-below-scale, getmap:bbox-above-scale"""
    low = [c for c in suite.named if float(c.layer.findtext(f"{WMS}MinScaleDenominator") or 0) > 0]
    high = [c for c in suite.named if c.layer.findtext(f"{WMS}MaxScaleDenominator")]
    assert high, "layers of buildings have a largest scale denominator"
    for chains, element, factor in ((low, "MinScaleDenominator", 0.9), (high, "MaxScaleDenominator", 1.1)):
        for chain in chains:
            side = float(str(chain.layer.findtext(f"{WMS}{element}"))) * factor * 0.00028 * 200 * 360 / 40075016.7
            assert (
                media_type(suite.map(LAYERS=chain.name, BBOX=f"0,0,{side},{side}", WIDTH=200, HEIGHT=200))
                == "image/png"
            )


def test_numbers_may_be_exponential(suite: Suite) -> None:
    """getmap:bbox-exponential, basic:bbox-exponential"""
    plain = suite.map(LAYERS=ALL, BBOX="-0.005,-0.0025,0.005,0.0025", WIDTH=400, HEIGHT=200)
    exponential = suite.map(LAYERS=ALL, BBOX="-.0005E1,-25E-4,+05E-3,.00025E+1", WIDTH=400, HEIGHT=200)
    assert not white(pixels(plain)).all()
    assert (pixels(plain) == pixels(exponential)).all()


def test_the_box_runs_around_the_pixels(suite: Suite) -> None:
    """getmap:bbox-pixel-interpretation, basic:bbox-pixel-interpretation"""
    picture = pixels(suite.map(BBOX="0.0016,-0.0012,0.0026,-0.0005", WIDTH=10, HEIGHT=7))
    blank = white(picture)
    assert not blank[[0, -1]].any()
    assert not blank[:, [0, -1]].any()


@pytest.mark.parametrize(
    "box",
    [
        pytest.param("1,0,0,1", id="getmap:bbox-minx-gt-maxx"),
        pytest.param("0,0,0,1", id="getmap:bbox-minx-eq-maxx"),
        pytest.param("0,1,1,0", id="getmap:bbox-miny-gt-maxy"),
        pytest.param("0,0,1,0", id="getmap:bbox-miny-eq-maxy"),
    ],
)
def test_a_box_without_an_inside_is_refused(suite: Suite, box: str) -> None:
    fault(suite.map(LAYERS="cite:BasicPolygons", BBOX=box))


@pytest.mark.parametrize(
    "box",
    [
        pytest.param("-180,-90,{west},{south}", id="getmap:bbox-no-overlap"),
        pytest.param("-10,90,10,110", id="getmap:bbox-outside-crs"),
    ],
)
def test_where_nothing_lies_nothing_is_drawn(suite: Suite, box: str) -> None:
    west, south = (float(end) for end in suite.titled("cite:Lakes").box("CRS:84").split(",")[:2])
    picture = pixels(suite.map(BBOX=box.format(west=west - 5, south=south - 5)))  # clear of the outline, a pixel wide
    assert picture.shape[:2] == (100, 100)
    assert white(picture).all()


# --- GetMap: BGCOLOR, TRANSPARENT ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "colour"),
    [
        pytest.param(None, (255, 255, 255), id="getmap:no-bgcolor basic:no-bgcolor"),
        pytest.param("0x0000FF", (0, 0, 255), id="getmap:blue-bgcolor basic:blue-bgcolor"),
    ],
)
def test_the_background(suite: Suite, given: str | None, colour: tuple[int, int, int]) -> None:
    picture = pixels(suite.map(**LAKE, BGCOLOR=given))
    assert (picture[:, :25, :3] == colour).all()
    assert (picture[:50, 150:, :3] == colour).all()
    assert (picture[..., :3] != colour).any()


@pytest.mark.parametrize(
    ("given", "some"),
    [
        pytest.param(None, False, id="getmap:transparent-default"),
        pytest.param("FALSE", False, id="getmap:transparent-false"),
        pytest.param("TRUE", True, id="getmap:transparent-true basic:transparent-true"),
    ],
)
def test_transparency(suite: Suite, given: str | None, some: bool) -> None:
    picture = pixels(suite.map(**LAKE, TRANSPARENT=given))
    assert (picture[..., 3] == 0).any() == some


# --- GetMap: CRS, FORMAT, sizes ----------------------------------------------------------------------


def test_every_system_of_every_layer_is_drawn(suite: Suite) -> None:
    """getmap:crs-direct, getmap:crs-inherited, getmap:each-crs, getmap:each-layer-crs-combination"""
    chain = suite.titled("cite:Lakes")
    for crs in chain.crs:
        answer = suite.map(LAYERS=chain.name, CRS=crs, BBOX=chain.box(crs) or "0,0,1,1")
        assert media_type(answer) == "image/png", f"{crs}: {answer.data[:300]!r}"
        assert not chain.box(crs) or not white(pixels(answer)).all(), crs


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        pytest.param({"CRS": "UndefinedCRS", "BBOX": "-1,-1,1,1"}, "InvalidCRS", id="getmap:invalid-crs"),
        pytest.param({"FORMAT": "UnknownFormat"}, "InvalidFormat", id="getmap:invalid-format"),
        pytest.param({"LAYERS": "NonExistant"}, "LayerNotDefined", id="getmap:invalid-layer"),
        pytest.param({"LAYERS": "NonExistant,cite:Lakes"}, "LayerNotDefined", id="getmap:first-layer-invalid"),
        pytest.param({"LAYERS": "cite:Lakes,NonExistant"}, "LayerNotDefined", id="getmap:second-layer-invalid"),
        pytest.param({"STYLES": "NonExistant"}, "StyleNotDefined", id="getmap:invalid-style"),
        pytest.param(
            {"LAYERS": "cite:Lakes,cite:Bridges", "STYLES": "NonExistant,"}, "StyleNotDefined",
            id="getmap:first-style-invalid",
        ),
        pytest.param(
            {"LAYERS": "cite:Lakes,cite:Bridges", "STYLES": ",NonExistant"}, "StyleNotDefined",
            id="getmap:second-style-invalid",
        ),
    ],
)  # fmt: skip
def test_what_is_not_offered_is_refused(suite: Suite, parameters: dict[str, str], code: str) -> None:
    assert fault(suite.map(**parameters)) == code


def test_every_format_is_sent_as_what_it_says(suite: Suite) -> None:
    """getmap:each-format"""
    formats = suite.formats("GetMap")
    assert {"image/png", "image/jpeg", "image/webp"} <= set(formats)
    for form in formats:
        answer = suite.map(FORMAT=form)
        assert media_type(answer) == form.partition(";")[0]
        assert pixels(answer).shape[:2] == (100, 100)


@pytest.mark.parametrize(
    ("width", "height"),
    [
        pytest.param("MaxWidth", "MaxHeight", id="getmap:large-size", marks=pytest.mark.timeout(60)),
        pytest.param(8, 5, id="getmap:small-size"),
    ],
)
def test_sizes_are_exact(suite: Suite, width: Any, height: Any) -> None:
    if isinstance(width, str):  # the largest the service says it draws
        width, height = (int(suite.root.findtext(f"{WMS}Service/{WMS}{end}") or 1024) for end in (width, height))
    assert pixels(suite.map(WIDTH=width, HEIGHT=height)).shape[:2] == (height, width)


# --- GetMap: EXCEPTIONS ------------------------------------------------------------------------------

WRONG = {"LAYERS": "NonExistant", "BBOX": "0,0,1,1"}


@pytest.mark.parametrize(
    "manner",
    [pytest.param(None, id="getmap:exceptions-default"), pytest.param("XML", id="getmap:exceptions-xml")],
)
def test_exceptions_in_xml(suite: Suite, manner: str | None) -> None:
    assert fault(suite.map(**WRONG, EXCEPTIONS=manner)) == "LayerNotDefined"


def test_exceptions_in_pictures(suite: Suite) -> None:
    """getmap:exceptions-inimage-mime, getmap:exceptions-blank-mime, getmap:exceptions-blank-red,
    getmap:exceptions-blank-transparent, interactive:exceptions-inimage"""
    told = pixels(suite.map(**WRONG, EXCEPTIONS="INIMAGE", WIDTH=300))
    assert told.shape[:2] == (100, 300)
    assert 0.005 < 1 - white(told).mean() < 0.5, "words on a ground"
    assert white(pixels(suite.map(**WRONG, EXCEPTIONS="BLANK"))).all()
    red = pixels(suite.map(**WRONG, EXCEPTIONS="BLANK", BGCOLOR="0xFF0000"))
    assert (red[..., :3] == (255, 0, 0)).all()
    assert (pixels(suite.map(**WRONG, EXCEPTIONS="BLANK", TRANSPARENT="TRUE"))[..., 3] == 0).all()


# --- GetMap: LAYERS, STYLES --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "layers",
    [
        pytest.param("cite:Lakes,cite:Streams", id="getmap:two-layers"),
        pytest.param("cite:Lakes,cite:Streams,cite:Bridges", id="getmap:three-layers"),
    ],
)
def test_several_layers(suite: Suite, layers: str) -> None:
    together, one = pixels(suite.map(LAYERS=layers)), pixels(suite.map())
    assert (together != one).any()


def test_as_many_layers_as_are_allowed(suite: Suite) -> None:
    """getmap:layerlimit"""
    limit = int(str(suite.root.findtext(f"{WMS}Service/{WMS}LayerLimit")))
    names = [str(chain.name) for chain in suite.named if ":" in str(chain.name)]
    assert media_type(suite.map(LAYERS=",".join((names * limit)[:limit]), WIDTH=10, HEIGHT=10)) == "image/png"
    assert fault(suite.map(LAYERS=",".join((names * limit)[: limit + 1])))


def test_every_layer_is_drawn_in_every_style(suite: Suite) -> None:
    """getmap:each-layer, getmap:each-style, getmap:styles-direct, getmap:styles-default-single-layer
    (getmap:styles-inherited is for styles of groups)"""
    for chain in suite.named:
        styles = [str(style.findtext(f"{WMS}Name")) for style in chain.all("Style")]
        assert styles, chain.name
        for style in ["", *styles]:
            answer = suite.map(LAYERS=chain.name, STYLES=style, BBOX=chain.box("CRS:84"))
            assert media_type(answer) == "image/png", f"{chain.name} {style}: {answer.data[:300]!r}"
        if ":" in str(chain.name):
            assert not white(pixels(answer)).all(), chain.name


def test_lists_of_styles(suite: Suite) -> None:
    """getmap:two-styles, getmap:three-styles, getmap:styles-default-multiple-layers, getmap:styles-default-commas,
    getmap:styles-some-default"""
    layers = ("cite:Lakes", "cite:Bridges", "cite:RoadSegments", "cite:Buildings")
    own = [suite.titled(title).all("Style")[0].findtext(f"{WMS}Name") for title in layers]
    usual = pixels(suite.map(LAYERS=",".join(layers)))
    for number in (2, 3):
        answer = suite.map(LAYERS=",".join(layers[:number]), STYLES=",".join(map(str, own[:number])))
        assert media_type(answer) == "image/png"
    for styles in (",,,", ",".join(map(str, own)), f"{own[0]},,{own[2]},"):
        assert (pixels(suite.map(LAYERS=",".join(layers), STYLES=styles)) == usual).all()
    assert fault(suite.map(LAYERS=",".join(layers), STYLES=","))


# --- what the suite asks a person about ---------------------------------------------------------------


def test_the_diamond_fills_its_frame(suite: Suite) -> None:
    """interactive:basic-polygons-sanity-check, basic:basic-polygons-sanity-check"""
    drawn = ~white(pixels(suite.map(LAYERS="cite:BasicPolygons", BBOX="-1,-1,1,1", WIDTH=300, HEIGHT=300)))
    y, x = np.mgrid[0:300, 0:300]
    distance = (np.abs(x - 149.5) + np.abs(y - 149.5)) / 150
    assert drawn[distance < 0.98].all()
    assert not drawn[distance > 1.03].any()


def test_the_vicinity_of_blue_lake(suite: Suite) -> None:
    """interactive:blue-lake-sanity-check, basic:blue-lake-sanity-check"""
    picture = pixels(suite.map(LAYERS=ALL, BBOX="-0.005,-0.0025,0.005,0.0025", WIDTH=400, HEIGHT=200))
    drawn = ~white(picture)
    columns, rows = np.flatnonzero(drawn.any(axis=0)), np.flatnonzero(drawn.any(axis=1))
    # the neat line: 0.0042 by 0.0024 degrees from the middle, 40 000 pixels a degree
    assert abs(columns[0] - 32) <= 2
    assert abs(columns[-1] - 367) <= 2
    assert abs(rows[0] - 4) <= 2
    assert abs(rows[-1] - 195) <= 2
    inside = blue_lake()["cite:Lakes"].representative_point().iloc[0]
    assert drawn[int((0.0025 - inside.y) * 40_000), int((inside.x + 0.005) * 40_000)], "inside the lake"


SLD_OF_THREE = (
    """<StyledLayerDescriptor version="1.0.0" xmlns="http://www.opengis.net/sld">{}</StyledLayerDescriptor>"""
)
NAMED = """<NamedLayer><Name>{0}</Name><UserStyle><FeatureTypeStyle><Rule><PolygonSymbolizer><Fill>
<CssParameter name="fill">{1}</CssParameter></Fill></PolygonSymbolizer></Rule></FeatureTypeStyle></UserStyle></NamedLayer>"""
COLOURS = {"cite:Forests": "#00aa00", "cite:Lakes": "#0000ff", "cite:NamedPlaces": "#ff0000"}


def test_the_leftmost_layer_lies_lowest(suite: Suite) -> None:
    """interactive:layer-order, basic:layer-order"""

    def colour_at_goose_island(layers: list[str]) -> tuple[int, ...]:
        body = SLD_OF_THREE.format("".join(NAMED.format(name, COLOURS[name]) for name in layers))
        picture = pixels(suite.map(
            LAYERS=",".join(layers), SLD_BODY=body, STYLES=None, BBOX="-0.0042,-0.0024,0.0042,0.0024", WIDTH=168, HEIGHT=96,
        ))  # fmt: skip
        return tuple(picture[64, 118, :3].tolist())  # lon 0.0017, lat -0.0008: in a forest, a lake and on an island

    above = ["cite:Forests", "cite:Lakes", "cite:NamedPlaces"]
    assert colour_at_goose_island(above) == (255, 0, 0)
    assert colour_at_goose_island(above[::-1]) != (255, 0, 0)


def test_a_picture_of_another_shape_is_stretched(suite: Suite) -> None:
    """interactive:aspect-ratio, basic:aspect-ratio"""
    box = "-0.005,-0.0025,0.005,0.0025"
    flat = ~white(pixels(suite.map(LAYERS="cite:Forests", BBOX=box, WIDTH=200, HEIGHT=100)))
    tall = ~white(pixels(suite.map(LAYERS="cite:Forests", BBOX=box, WIDTH=200, HEIGHT=200)))
    assert flat.any()
    assert (np.repeat(flat, 2, axis=0) == tall).mean() > 0.97


# --- GetFeatureInfo ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "manner",
    [
        pytest.param(None, id="getfeatureinfo:exceptions-default"),
        pytest.param("XML", id="getfeatureinfo:exceptions-xml"),
    ],
)
def test_exceptions_of_questions(suite: Suite, manner: str | None) -> None:
    wrong = {
        "LAYERS": "UndefinedLayer",
        "QUERY_LAYERS": "UndefinedLayer",
        "BBOX": "0,0,1,1",
        "WIDTH": 200,
        "HEIGHT": 200,
    }
    assert fault(suite.info(**wrong, I=100, J=100, EXCEPTIONS=manner)) == "LayerNotDefined"


def test_how_many_features_are_told(suite: Suite) -> None:
    """getfeatureinfo:feature_count-default, getfeatureinfo:feature_count-1, queryable:feature_count-default,
    queryable:feature_count-1"""
    layer = {"LAYERS": "cite:BasicPolygons", "QUERY_LAYERS": "cite:BasicPolygons"}
    place = {"BBOX": "-2,2,2,6", "WIDTH": 100, "HEIGHT": 100, "I": 50, "J": 50}
    for form in suite.formats("GetFeatureInfo"):
        lengths = [
            len(suite.info(**layer, **place, FEATURE_COUNT=count, INFO_FORMAT=form).data) for count in (None, 1, 2)
        ]
        assert lengths[0] == lengths[1] < lengths[2], form


def test_every_form_of_answers(suite: Suite) -> None:
    """getfeatureinfo:each-info_format"""
    for form in suite.formats("GetFeatureInfo"):
        answer = suite.info(INFO_FORMAT=form)
        assert media_type(answer) == form.partition(";")[0].strip()
        assert b"Blue Lake" in answer.data, form


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        pytest.param({"INFO_FORMAT": "InvalidFormat"}, "InvalidFormat", id="getfeatureinfo:invalid-info_format"),
        pytest.param({"I": 250}, "InvalidPoint", id="getfeatureinfo:invalid-i"),
        pytest.param({"J": 150}, "InvalidPoint", id="getfeatureinfo:invalid-j"),
        pytest.param({"QUERY_LAYERS": "InvalidLayer"}, "LayerNotDefined", id="getfeatureinfo:invalid-query_layers"),
    ],
)
def test_questions_that_cannot_be_answered(suite: Suite, parameters: dict[str, Any], code: str) -> None:
    assert fault(suite.info(**parameters)) == code


def test_layers_that_tell_nothing(suite: Suite) -> None:
    """getfeatureinfo:query_layers-not-queryable"""
    silent = [chain for chain in suite.named if not chain.queryable]
    assert silent, "the heat of reports is a picture only"
    for chain in silent:
        asked = {"LAYERS": chain.name, "QUERY_LAYERS": chain.name, "BBOX": chain.box("CRS:84")}
        assert fault(suite.info(**asked, WIDTH=100, HEIGHT=100, I=50, J=50)) == "LayerNotQueryable"


@pytest.mark.parametrize(
    ("layers", "asked"),
    [
        pytest.param("cite:NamedPlaces,cite:Lakes", None, id="getfeatureinfo:two-query_layers"),
        pytest.param("cite:NamedPlaces,cite:Lakes,cite:Forests", None, id="getfeatureinfo:three-query_layers"),
        pytest.param(
            "cite:NamedPlaces,cite:Streams,cite:Lakes", "cite:NamedPlaces,cite:Lakes",
            id="getfeatureinfo:less-query_layers",
        ),
    ],
)  # fmt: skip
def test_several_layers_are_asked(suite: Suite, layers: str, asked: str | None) -> None:
    answer = suite.info(LAYERS=layers, QUERY_LAYERS=asked or layers)
    assert media_type(answer) == suite.formats("GetFeatureInfo")[0]
    assert b"Blue Lake" in answer.data


def test_every_queryable_layer_answers(suite: Suite) -> None:
    """getfeatureinfo:each-queryable-layer"""
    for chain in suite.named:
        if chain.queryable:
            asked = {"LAYERS": chain.name, "QUERY_LAYERS": chain.name, "BBOX": chain.box("CRS:84")}
            answer = suite.info(**asked, WIDTH=100, HEIGHT=100, I=50, J=50)
            assert media_type(answer) == suite.formats("GetFeatureInfo")[0], f"{chain.name}: {answer.data[:300]!r}"
