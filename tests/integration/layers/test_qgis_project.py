"""The QGIS project as XML: every layer with renderer and place. Opening it in QGIS itself is a test of clients."""

from __future__ import annotations

from dataclasses import replace

import pytest
from defusedxml.ElementTree import fromstring
from pygeofilter import ast

from gisgrid.models import Band
from layers.catalog import offered
from layers.qgis import Place, extent_of, project
from layers.qgis.symbols import expression
from layers.styles import styles
from tests.conftest import Planned


def test_every_layer_is_in_the_project(planned: Planned) -> None:
    with planned.engine.connect() as connection:
        layers, box = list(offered(connection).values()), extent_of(connection)
    layers[0] = replace(layers[0], title_en='a <b> & "c"')
    made = project(layers, styles(Band(300, 500)), Place("http://x:1", box), language="en")
    root = fromstring(made)
    assert root.find("properties/SpatialRefSys/ProjectionsEnabled").text == "1"
    found = {layer.find("id").text: layer for layer in root.iter("maplayer")}
    assert set(found) == {f"gisgrid_{layer.name}" for layer in layers}
    assert found[f"gisgrid_{layers[0].name}"].find("layername").text == 'a <b> & "c"'
    for layer in found.values():
        (rules,) = layer.findall("renderer-v2")
        symbols = {symbol.get("name") for symbol in rules.findall("symbols/symbol")}
        assert {rule.get("symbol") for rule in rules.findall("rules/rule")} == symbols
    listed = [item.get("id") for item in root.iter("layer-tree-layer")]
    assert sorted(listed) == sorted(found)
    wms = fromstring(project(layers, styles(Band(300, 500)), Place("http://x:1", box), source="wms"))
    assert all(layer.find("provider").text == "wms" for layer in wms.iter("maplayer"))


def test_conditions_are_quoted() -> None:
    name, level = ast.Equal(ast.Attribute('na"me'), "O'Brien"), ast.LessThan(ast.Attribute("level"), 2)
    assert expression(ast.And(name, level)) == '("na""me" = \'O\'\'Brien\') AND ("level" < 2)'
    with pytest.raises(ValueError, match="expression"):
        expression(ast.Like(ast.Attribute("a"), "b", False, "%", ".", "\\", False))
