"""Thematic layers: rows and attributes come back as they were; a name stands for one layer."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely
import sqlalchemy as sa

from data.thematic import clean_thematic, remove_thematic, store_thematic, thematic_listing
from gisgrid.errors import BadInput, NotFound
from gisgrid.models import Band
from layers.catalog import offered
from layers.held import held_from_frame
from layers.styles import Fill, styles, with_names
from layers.styles.sld import own_style
from tests.conftest import Planned


def noise() -> gpd.GeoDataFrame:
    boxes = [shapely.box(116.3 + i * 0.01, 39.9, 116.31 + i * 0.01, 39.91) for i in range(4)]
    boxes[3] = shapely.Polygon([(116, 39), (116.1, 39.1), (116.1, 39), (116, 39.1)])  # a bow-tie
    values = {
        "名称": ["一区", None, "三区", "四区"], "db(A)": [55.5, float("nan"), 61.0, 0.0], "zone": [1, 2, 3, 4],
        "day": pd.to_datetime(["2026-01-01", None, "2026-03-05", None]), "quiet": [True, False, True, False],
    }  # fmt: skip
    return gpd.GeoDataFrame(values, geometry=boxes, crs="EPSG:4326")


def test_what_comes_in_is_told(planned_copy: Planned) -> None:
    rows, kinds, report = clean_thematic(noise())
    assert kinds == [
        ("名称", "string"), ("db_A", "number"), ("zone", "integer"), ("day", "date"), ("quiet", "boolean"),
    ]  # fmt: skip
    assert (report.taken, report.refused) == (3, 1)
    with planned_copy.engine.begin() as connection:
        for _ in range(2):  # again takes its place
            store_thematic(connection, "noise", rows, kinds, report, title_zh="噪声", label="名称")
        layer = offered(connection)["noise"]
        columns = [a.column for a in layer.attributes]
        query = sa.select(*columns, sa.func.ST_AsText(layer.geometry)).where(*layer.conditions(1)).order_by(layer.key)
        found = connection.execute(query).all()
    assert [tuple(row[:5]) for row in found] == [
        ("一区", 55.5, 1, dt.date(2026, 1, 1), True),
        (None, None, 2, None, False),
        ("三区", 61.0, 3, dt.date(2026, 3, 5), True),
    ]
    assert shapely.equals(shapely.from_wkt([row[5] for row in found]), rows.geometry.to_numpy()).all()


def test_bad_names_and_labels_change_nothing(planned_copy: Planned, tmp_path: Path) -> None:
    rows, kinds, report = clean_thematic(noise())
    with planned_copy.engine.begin() as connection:
        for name in ("", "1st", "a/b", "../x", "a" * 61, "噪声"):
            with pytest.raises(BadInput, match="layer name"):
                store_thematic(connection, name, rows, kinds, report)
        with pytest.raises(BadInput, match="has no such attribute"):
            store_thematic(connection, "noise", rows, kinds, report, label="nope")
        assert thematic_listing(connection) == []
        with pytest.raises(NotFound):
            remove_thematic(connection, "noise")


def test_nothing_sound_is_refused_whole() -> None:
    with pytest.raises(BadInput, match="no row can be taken"):
        clean_thematic(noise().iloc[3:])


SLD = """<StyledLayerDescriptor version="1.0.0" xmlns="http://www.opengis.net/sld" xmlns:ogc="http://www.opengis.net/ogc">
<NamedLayer><Name>whatever QGIS called it</Name><UserStyle><FeatureTypeStyle><Rule><Title>loud</Title>
<ogc:Filter><ogc:PropertyIsGreaterThan><ogc:PropertyName>db_A</ogc:PropertyName><ogc:Literal>60</ogc:Literal>
</ogc:PropertyIsGreaterThan></ogc:Filter><PolygonSymbolizer><Fill><CssParameter name="fill">#ff0000</CssParameter>
</Fill></PolygonSymbolizer></Rule></FeatureTypeStyle></UserStyle></NamedLayer></StyledLayerDescriptor>"""


def test_a_style_of_its_own(planned_copy: Planned) -> None:
    rows, kinds, report = clean_thematic(noise())
    with planned_copy.engine.begin() as connection:
        store_thematic(connection, "cite:noise", rows, kinds, report, sld=SLD)
        layers = offered(connection)
    layer = layers["cite:noise"]
    style = with_names(styles(Band(300, 500)), layers.values())[layer.style]
    assert [rule.title_en for rule in style.rules] == ["loud"]
    assert style.rules[0].symbols == (Fill("#ff0000"),)
    held = held_from_frame(layer, rows)
    assert style.rules[0].where is not None
    assert held.matches(style.rules[0].where).tolist() == [False, False, True]
    with pytest.raises(BadInput, match="one UserStyle"):
        own_style(SLD.replace("UserStyle", "NamedStyle"), layer)
    with pytest.raises(BadInput, match="nope"):
        own_style(SLD.replace("db_A", "nope"), layer)
