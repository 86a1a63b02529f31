"""Styles users send: what is read is what was meant, what is not known is refused by name, nothing is fetched."""

from __future__ import annotations

import socket
import time
import tracemalloc
from typing import Any

import pytest
from pygeofilter import ast

from gisgrid.errors import BadInput, NotFound
from gisgrid.limits import XML_BYTES_MAX, XML_DEPTH_MAX
from layers.catalog import GRIDS, REPORTS
from layers.styles import Fill, Label, Marker, Stroke, Style
from layers.styles.sld import read_sld
from layers.styles.sld_filter import sql_pattern
from layers.xml import element, parse_xml

KNOWN = {"grids": GRIDS, "reports": REPORTS}
OLD = 'xmlns="http://www.opengis.net/sld" xmlns:ogc="http://www.opengis.net/ogc" version="1.0.0"'
NEW = 'xmlns="http://www.opengis.net/sld" xmlns:se="http://www.opengis.net/se" xmlns:ogc="http://www.opengis.net/ogc" version="1.1.0"'


def sld(rules: str, layer: str = "grids") -> str:
    return (
        f"<StyledLayerDescriptor {OLD}><NamedLayer><Name>{layer}</Name><UserStyle><Name>mine</Name>"
        f"<FeatureTypeStyle>{rules}</FeatureTypeStyle></UserStyle></NamedLayer></StyledLayerDescriptor>"
    )


def style(rules: str, layer: str = "grids") -> Style:
    found = read_sld(sld(rules, layer), KNOWN)[0].styles[0]
    assert isinstance(found, Style)
    return found


def condition(text: str) -> ast.Node:
    where = style(f"<Rule><ogc:Filter>{text}</ogc:Filter><PolygonSymbolizer/></Rule>").rules[0].where
    assert where is not None
    return where


def test_a_polygon_with_scales_title_and_label() -> None:
    rule = style("""<Rule><Name>r</Name><Title>多户</Title>
        <ogc:Filter><ogc:PropertyIsGreaterThan><ogc:PropertyName>households</ogc:PropertyName><ogc:Literal>400</ogc:Literal>
        </ogc:PropertyIsGreaterThan></ogc:Filter>
        <MinScaleDenominator>1000</MinScaleDenominator><MaxScaleDenominator>5e4</MaxScaleDenominator>
        <PolygonSymbolizer><Fill><CssParameter name="fill">#FF0000</CssParameter>
        <CssParameter name="fill-opacity"><ogc:Literal>0.5</ogc:Literal></CssParameter></Fill>
        <Stroke><CssParameter name="stroke">#000000</CssParameter><CssParameter name="stroke-width">2</CssParameter>
        <CssParameter name="stroke-dasharray">4 2 1</CssParameter></Stroke></PolygonSymbolizer>
        <TextSymbolizer><Label><ogc:PropertyName>name</ogc:PropertyName></Label>
        <Font><CssParameter name="font-family">SimHei</CssParameter><CssParameter name="font-size">13</CssParameter>
        <CssParameter name="font-weight">bold</CssParameter></Font>
        <Halo><Radius>2</Radius><Fill><CssParameter name="fill">#ffffff</CssParameter></Fill></Halo></TextSymbolizer>
        </Rule>""").rules[0]
    assert rule.title_zh == "多户"
    assert rule.scales == (1000.0, 50_000.0)
    assert rule.where == ast.GreaterThan(ast.Attribute("households"), 400)
    assert rule.symbols == (
        Fill("#ff0000", 0.5), Stroke("#000000", 2.0, dash=(4.0, 2.0, 1.0, 4.0, 2.0, 1.0), cap="butt", join="miter"),
        Label("name", "#000000", 13.0, "#ffffff", 2.0, bold=True),
    )  # fmt: skip


def test_version_1_1_and_points() -> None:
    text = (
        f"<StyledLayerDescriptor {NEW}><NamedLayer><se:Name>reports</se:Name><UserStyle><se:FeatureTypeStyle><se:Rule>"
        "<se:Description><se:Title>t</se:Title></se:Description><se:ElseFilter/><se:PointSymbolizer><se:Graphic><se:Mark>"
        "<se:WellKnownName>star</se:WellKnownName><se:Fill><se:SvgParameter name='fill'>#00ff00</se:SvgParameter></se:Fill>"
        "</se:Mark><se:Size>9</se:Size></se:Graphic></se:PointSymbolizer></se:Rule></se:FeatureTypeStyle></UserStyle>"
        "</NamedLayer><NamedLayer><se:Name>grids</se:Name><NamedStyle><se:Name>grids_outline</se:Name></NamedStyle>"
        "</NamedLayer></StyledLayerDescriptor>"
    )
    first, second = read_sld(text, KNOWN)
    assert isinstance(first.styles[0], Style)
    rule = first.styles[0].rules[0]
    assert rule.otherwise
    assert rule.title_zh == "t"
    assert rule.symbols == (Marker("star", "#00ff00", 9.0, outline=None),)
    assert second.styles == ("grids_outline",)


def test_conditions_become_the_tree_of_cql2() -> None:
    name = "<ogc:PropertyName>name</ogc:PropertyName>"
    equal = f"<ogc:PropertyIsEqualTo>{name}<ogc:Literal>a</ogc:Literal></ogc:PropertyIsEqualTo>"
    attribute = ast.Attribute("name")
    assert condition(equal) == ast.Equal(attribute, "a")
    assert condition(f"<ogc:PropertyIsNull>{name}</ogc:PropertyIsNull>") == ast.IsNull(attribute, False)
    turned = "<ogc:PropertyIsLessThan><ogc:Literal>3</ogc:Literal><ogc:PropertyName>level</ogc:PropertyName></ogc:PropertyIsLessThan>"
    assert condition(turned) == ast.GreaterThan(ast.Attribute("level"), 3)
    between = (
        "<ogc:PropertyIsBetween><ogc:PropertyName>level</ogc:PropertyName><ogc:LowerBoundary><ogc:Literal>1</ogc:Literal>"
        "</ogc:LowerBoundary><ogc:UpperBoundary><ogc:Literal>2.5</ogc:Literal></ogc:UpperBoundary></ogc:PropertyIsBetween>"
    )
    assert condition(between) == ast.Between(ast.Attribute("level"), 1, 2.5, False)
    like = f'<ogc:PropertyIsLike wildCard="*" singleChar="." escape="!">{name}<ogc:Literal>50%*.!*_</ogc:Literal></ogc:PropertyIsLike>'
    assert condition(like).pattern == r"50\%%_*\_"
    joined = condition(f"<ogc:Or>{equal * 9}</ogc:Or>")
    assert isinstance(joined, ast.Or)
    assert isinstance(condition(f"<ogc:Not><ogc:And>{equal * 2}</ogc:And></ogc:Not>"), ast.Not)


def test_patterns_escape_what_sql_would_read() -> None:
    assert sql_pattern("a*b?c", "*", "?", "\\") == "a%b_c"
    assert sql_pattern("100%_\\*", "*", "?", "\\") == r"100\%\_*"


@pytest.mark.parametrize(("inside", "named"), [
    ("<PointSymbolizer><Graphic><ExternalGraphic/></Graphic></PointSymbolizer>", "ExternalGraphic"),
    ("<PolygonSymbolizer><Fill><GraphicFill/></Fill></PolygonSymbolizer>", "GraphicFill"),
    ("<RasterSymbolizer/>", "RasterSymbolizer"),
    ("<LegendGraphic/>", "LegendGraphic"),
    ("<ogc:Filter><ogc:BBOX/></ogc:Filter>", "BBOX"),
    ("<ogc:Filter><ogc:PropertyIsEqualTo><ogc:Function/><ogc:Literal>1</ogc:Literal></ogc:PropertyIsEqualTo></ogc:Filter>", "Function"),
    ("<PolygonSymbolizer uom='http://www.opengeospatial.org/se/units/metre'/>", "metre"),
    ("<PolygonSymbolizer><Fill><CssParameter name='filter'>x</CssParameter></Fill></PolygonSymbolizer>", "filter"),
    ("<PolygonSymbolizer><Fill><CssParameter name='fill'>url(http://x)</CssParameter></Fill></PolygonSymbolizer>", "colour"),
    ("<LineSymbolizer><Stroke><CssParameter name='stroke-width'>1e9</CssParameter></Stroke></LineSymbolizer>", "stroke-width"),
    ("<TextSymbolizer><Label><ogc:PropertyName>pg_sleep(9)</ogc:PropertyName></Label></TextSymbolizer>", "pg_sleep"),
    ("<TextSymbolizer><Label>Grid</Label></TextSymbolizer>", "Label"),
    ("<ogc:Filter><ogc:PropertyIsEqualTo><ogc:PropertyName>level</ogc:PropertyName><ogc:Literal>x</ogc:Literal></ogc:PropertyIsEqualTo></ogc:Filter>", "integer"),
])  # fmt: skip
def test_what_is_not_supported_is_named(inside: str, named: str) -> None:
    with pytest.raises(BadInput, match=named):
        style(f"<Rule>{inside}</Rule>")


@pytest.mark.parametrize("layer", ["<UserLayer><RemoteOWS/></UserLayer>", "<UserLayer><InlineFeature/></UserLayer>"])
def test_layers_from_elsewhere_are_refused(layer: str) -> None:
    with pytest.raises(BadInput, match="UserLayer"):
        read_sld(f"<StyledLayerDescriptor {OLD}>{layer}</StyledLayerDescriptor>", KNOWN)
    with pytest.raises(NotFound):
        read_sld(sld("", layer="../../etc/passwd"), KNOWN)


BOMB = '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY a{i} "{f"&a{i - 1 or str()};" * 10}">' for i in range(1, 12)
) + "]><a>&a11;</a>"  # fmt: skip
ATTACKS = {
    "file": '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    "http": '<!DOCTYPE a [<!ENTITY % x SYSTEM "http://127.0.0.1:1/x"> %x;]><a/>',
    "dtd": '<!DOCTYPE a SYSTEM "http://127.0.0.1:1/a.dtd"><a/>',
    "bomb": BOMB,
    "deep": "<a>" * 100_000,
    "deep enough": "<a>" * (XML_DEPTH_MAX + 1) + "</a>" * (XML_DEPTH_MAX + 1),
    "wide": "<a>" + "<b/>" * 30_000 + "</a>",
    "large": "<a>" + "x" * XML_BYTES_MAX + "</a>",
    "cut": "<a><b></a>",
    "none": "",
    "no XML": "hello",
    "NUL": "<a>\x00</a>",
    "unknown entity": "<a>&nbsp;</a>",
    "surrogate": "<a>\ud800</a>",
    "encoding": "<?xml version='1.0' encoding='utf-7'?><a>+ADw-</a>",
}


@pytest.mark.parametrize("attack", sorted(ATTACKS))
def test_attacks_in_xml_end_quickly_in_little_memory_without_a_socket(attack: str, monkeypatch: Any) -> None:
    def forbidden(*_: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", forbidden)
    begun = time.monotonic()
    tracemalloc.start()
    try:
        with pytest.raises((BadInput, NotFound)):
            read_sld(ATTACKS[attack], KNOWN)
        if attack != "surrogate":  # bytes hold none
            with pytest.raises(BadInput):
                parse_xml(ATTACKS[attack].encode(), name="the body")
        assert tracemalloc.get_traced_memory()[1] < 32 * 2**20
    finally:
        tracemalloc.stop()
    assert time.monotonic() - begun < 5.0


def test_written_xml_is_read_back() -> None:
    text = element("a", "<&>\"'\x00\ud800\r网格", element("b"), attributes={"c": '"<\x01'})
    root = parse_xml(text, name="x")
    assert root.text == "<&>\"'\ufffd\ufffd\r网格"
    assert root.get("c") == '"<\ufffd'
