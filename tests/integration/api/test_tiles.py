"""Vector tiles over HTTP, compared with the stored shapes cut by shapely."""

from __future__ import annotations

import gzip
import math
import time
from typing import Any

import numpy as np
import pytest
import shapely
import sqlalchemy as sa
from flask.testing import FlaskClient

from api.app import create_app
from data import tables as t
from layers.tiles import MATRIX_SETS, MatrixSet
from layers.tiles.describe import MVT
from planning import workflow, workflow_plans
from tests.conftest import Planned
from tests.mvt import Feature, TileLayer, read_tile

pytestmark = pytest.mark.postgis
MERCATOR = MATRIX_SETS["WebMercatorQuad"]
EXTENT = 4096


def tile(client: FlaskClient, layer: str, tiles: MatrixSet, zoom: int, row: int, column: int) -> dict[str, TileLayer]:
    answer = client.get(f"/ogc/collections/{layer}/tiles/{tiles.name}/{zoom}/{row}/{column}")
    assert answer.status_code in (200, 204), answer.text
    return read_tile(answer.data)


def features(client: FlaskClient, layer: str, tiles: MatrixSet, place: tuple[int, int, int]) -> list[Feature]:
    found = tile(client, layer, tiles, *place).get(layer)
    return found.features if found is not None else []


def places(client: FlaskClient, layer: str, tiles: MatrixSet, zoom: int) -> list[tuple[int, int, int]]:
    """Every tile of a zoom that the tile set says has features."""
    told = client.get(f"/ogc/collections/{layer}/tiles/{tiles.name}").json
    found = next(item for item in told["tileMatrixSetLimits"] if item["tileMatrix"] == str(zoom))
    rows = range(found["minTileRow"], found["maxTileRow"] + 1)
    columns = range(found["minTileCol"], found["maxTileCol"] + 1)
    return [(zoom, row, column) for row in rows for column in columns]


def stored(planned: Planned, table: sa.Table, key: str, tiles: MatrixSet) -> dict[Any, shapely.Geometry]:
    column = table.c.geometry if tiles.degrees else table.c.mercator
    with planned.engine.connect() as connection:
        rows = connection.execute(sa.select(table.c[key], sa.func.ST_AsBinary(column, type_=sa.LargeBinary)))
        return {found: shapely.from_wkb(bytes(shape)) for found, shape in rows}


def on_ground(shape: shapely.Geometry, tiles: MatrixSet, place: tuple[int, int, int]) -> shapely.Geometry:
    """A tile's units in units of the CRS."""
    west, _, east, north = tiles.box(*place)
    unit = (east - west) / EXTENT
    return shapely.transform(shape, lambda xy: np.column_stack([west + xy[:, 0] * unit, north - xy[:, 1] * unit]))


@pytest.mark.parametrize("name", list(MATRIX_SETS))
def test_buildings_are_the_stored_ones_cut_to_the_tile(client: FlaskClient, planned: Planned, name: str) -> None:
    tiles = MATRIX_SETS[name]
    originals = stored(planned, t.buildings, "id", tiles)
    seen: set[int] = set()
    for place in places(client, "buildings", tiles, 15):
        box = tiles.box(*place)
        unit = (box[2] - box[0]) / EXTENT
        frame = shapely.box(*tiles.with_buffer(box))
        found = {f.properties["id"]: f for f in features(client, "buildings", tiles, place)}
        inside = {key for key, shape in originals.items() if shape.intersection(shapely.box(*box)).area > 4 * unit**2}
        assert inside <= set(found)
        for key, feature in found.items():
            assert feature.id == key
            expected = originals[key].intersection(frame)
            shape = on_ground(feature.shape, tiles, place)
            assert expected.buffer(3 * unit).covers(shape)
            core = expected.buffer(-unit)  # a sliver the edge cuts off may be lost
            assert core.is_empty or shape.buffer(2 * unit).covers(core)
            assert abs(shape.area - expected.area) <= 2 * unit * expected.length
        seen |= set(found)
    assert seen == set(originals)


def test_grids_below_and_above_the_thinning_cover_the_same_ground(client: FlaskClient, planned: Planned) -> None:
    whole = shapely.union_all(list(stored(planned, t.grids, "id", MERCATOR).values()))
    for zoom in (8, 10, 12, 14):
        parts = []
        for place in places(client, "grids", MERCATOR, zoom):
            frame = shapely.box(*MERCATOR.box(*place))
            found = features(client, "grids", MERCATOR, place)
            shapes = [shapely.make_valid(on_ground(feature.shape, MERCATOR, place)) for feature in found]
            parts += [shape.intersection(frame) for shape in shapes]
        pixel = MERCATOR.cell(zoom)
        drawn = shapely.union_all(parts)
        assert drawn.buffer(4 * pixel).covers(whole), "no holes"
        if zoom >= 12:
            assert drawn.symmetric_difference(whole).area < pixel * whole.length
            assert not [ring for part in shapely.get_parts(drawn.buffer(pixel / 8)) for ring in part.interiors]


def test_every_grid_is_labelled_once(client: FlaskClient, planned: Planned) -> None:
    codes = [
        feature.properties["id"]
        for place in places(client, "grids", MERCATOR, 16)
        for found in [tile(client, "grids", MERCATOR, *place)]
        if "grids_labels" in found
        for feature in found["grids_labels"].features
    ]
    with planned.engine.connect() as connection:
        expected = connection.scalars(sa.select(t.grids.c.code)).all()
    assert sorted(codes) == sorted(expected)


def test_thinned_points_keep_their_number_and_commonest_class(client: FlaskClient, planned: Planned) -> None:
    with planned.engine.connect() as connection:
        total = connection.scalar(sa.select(sa.func.count()).select_from(t.facilities))
    for zoom in (3, 9, 12):
        found = [
            f for place in places(client, "facilities", MERCATOR, zoom)
            for f in features(client, "facilities", MERCATOR, place)
        ]  # fmt: skip
        assert sum(f.properties["point_count"] for f in found) == total
        assert all("tier" in f.properties for f in found)
        assert zoom > 9 or len(found) < 10
    full = [
        f.properties["id"] for place in places(client, "facilities", MERCATOR, 18)
        for f in features(client, "facilities", MERCATOR, place)
    ]  # fmt: skip
    assert len(set(full)) == total


def test_several_layers_in_one_tile(client: FlaskClient) -> None:
    place = places(client, "buildings", MERCATOR, 15)[0]
    path = "/ogc/tiles/WebMercatorQuad/{}/{}/{}".format(*place)
    answer = client.get(path + "?collections=grids,buildings")
    assert answer.mimetype == MVT
    assert {"grids", "buildings"} <= set(read_tile(answer.data))
    assert {"streets", "components", "units"} <= set(read_tile(client.get(path).data))
    assert client.get(path + "?collections=grids,nothing").status_code == 404


def test_conditional_and_compressed_answers_and_the_short_way(client: FlaskClient) -> None:
    place = places(client, "buildings", MERCATOR, 15)[0]
    told = client.get("/ogc/collections/buildings/tiles/WebMercatorQuad/tilejson.json").json
    path = told["tiles"][0].format(z=place[0], y=place[1], x=place[2])
    plain = client.get(path)
    again = client.get(path)  # from memory, past Flask
    assert again.data == plain.data
    assert {k: v for k, v in again.headers.items() if k not in ("Date", "X-Request-Id")} == {
        k: v for k, v in plain.headers.items() if k != "X-Request-Id"
    }
    assert "immutable" in plain.headers["Cache-Control"]
    short = client.get(path.partition("?")[0])
    assert "max-age=30" in short.headers["Cache-Control"]
    packed = client.get(path, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    known = client.get(path, headers={"If-None-Match": plain.headers["ETag"]})
    assert (known.status_code, known.data) == (304, b"")
    assert "immutable" not in client.get(path.partition("?")[0] + "?v=00").headers["Cache-Control"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("collections/grids/tiles/WebMercatorQuad/23/0/0", 404),
        ("collections/grids/tiles/WebMercatorQuad/3/8/0", 404),
        ("collections/grids/tiles/WebMercatorQuad/3/0/8", 404),
        ("collections/grids/tiles/WebMercatorQuad/3/-1/0", 404),
        ("collections/grids/tiles/WebMercatorQuad/3/0/0", 204),
        ("collections/grids/tiles/WorldCRS84Quad/0/0/1.mvt", 200),
        ("collections/grids/tiles/CGCS2000Quad/0/0/1.pbf?f=mvt", 200),
        ("collections/grids/tiles/WebMercatorQuad/3/0/0?f=png", 400),
        ("collections/grids/tiles/WebMercatorQuad/3/0/0?colour=red", 400),
        ("collections/grids/tiles/WebMercatorQuad/3/0/0?datetime=yesterday", 400),
        ("collections/grids/tiles/WebMercatorQuad/3/0/0?datetime=1999-01-01", 404),
        ("collections/grids/tiles/Mars/3/0/0", 404),
        ("collections/drafts/tiles/WebMercatorQuad/3/0/0", 404),
        ("collections/drafts/tiles", 404),
        ("collections/reports_heat/tiles/WebMercatorQuad/3/0/0", 404),
        ("collections/buildings/tiles/WebMercatorQuad/3/0/0", 404),
        ("collections/..%2Fgrids/tiles", 404),
        ("collections/grids/tiles/WorldCRS84Quad?f=tilejson", 400),
        ("tileMatrixSets/Mars", 404),
        ("tiles?collections=" + ",".join(f"a{n}" for n in range(100)), 400),
    ],
)
def test_what_is_not_there(client: FlaskClient, path: str, status: int) -> None:
    answer = client.get(f"/ogc/{path}")
    assert answer.status_code == status, answer.text
    if status >= 400:
        assert answer.json["error"]["status"] == status


def test_descriptions_lead_to_tiles(client: FlaskClient) -> None:
    sets = client.get("/ogc/tileMatrixSets").json["tileMatrixSets"]
    assert [item["id"] for item in sets] == list(MATRIX_SETS)
    for item in sets:
        told = client.get(item["links"][0]["href"]).json
        assert told["id"] == item["id"]
    for listed in client.get("/ogc/collections/grids/tiles").json["tilesets"]:
        links = {link["rel"]: link["href"] for link in listed["links"]}
        told = client.get(links["self"]).json
        last = told["tileMatrixSetLimits"][14]
        place = (last["tileMatrix"], last["minTileRow"], last["minTileCol"])
        path = links["item"]
        for name, value in zip(("tileMatrix", "tileRow", "tileCol"), place, strict=True):
            path = path.replace("{" + name + "}", str(value))
        assert client.get(path).status_code == 200
    told = client.get("/ogc/tiles/WebMercatorQuad/tilejson.json?collections=grids,streets").json
    assert told["tilejson"] == "3.0.0"
    assert [item["id"] for item in told["vector_layers"]] == ["grids", "grids_labels", "streets"]
    assert told["vector_layers"][0]["fields"]["households"] == "户数 Households ({household})"
    west, south, east, north = told["bounds"]
    assert west < east
    assert south < north
    assert math.isfinite(north)


def test_a_change_of_the_layer_is_seen(planned_copy: Planned) -> None:
    client = create_app(planned_copy.settings, planned_copy.engine).test_client()
    place = places(client, "facilities", MERCATOR, 14)[0]
    before = tile(client, "facilities", MERCATOR, *place)
    with planned_copy.engine.begin() as connection:
        connection.execute(sa.update(t.facilities).values(name="改名"))
    client.application.extensions["gisgrid"].catalogue.now()
    after = tile(client, "facilities", MERCATOR, *place)
    assert {f.properties["name"] for f in before["facilities"].features} != {"改名"}
    assert {f.properties["name"] for f in after["facilities"].features} == {"改名"}


def test_styles_lead_to_tiles_that_hold_what_they_draw(client: FlaskClient) -> None:
    told = client.get("/ogc/styles").json
    assert {"gisgrid", "grids.grids", "grids.grids_outline"} <= {item["id"] for item in told["styles"]}
    assert client.get("/ogc/collections/grids/styles").json["default"] == "grids.grids"
    style = client.get("/ogc/styles/gisgrid").json
    zoom, row, column = places(client, "buildings", MERCATOR, 16)[0]
    template = style["sources"]["gisgrid"]["tiles"][0]
    answer = client.get(template.format(z=zoom, y=row, x=column))
    assert "immutable" in answer.headers["Cache-Control"]
    found = read_tile(answer.data)
    drawn = {item["source-layer"] for item in style["layers"]}
    assert {"grids", "buildings", "streets"} <= drawn & set(found)
    assert "grids_labels" in drawn
    for path in ("styles/grids.nothing", "styles/nothing", "collections/drafts/styles"):
        assert client.get(f"/ogc/{path}").status_code == 404
    assert client.get("/ogc/styles/grids.grids?f=sld").status_code == 400


def test_planners_at_work_leave_the_tiles_of_what_is_in_force_alone(planned_copy: Planned) -> None:
    engine = planned_copy.engine
    client = create_app(planned_copy.settings, engine).test_client()
    with engine.begin() as connection:
        plan = workflow_plans.draft_in_force(connection, planned_copy.area)
    grids, units = (
        f"/ogc/collections/{layer}/tiles/WebMercatorQuad/{'/'.join(map(str, places(client, layer, MERCATOR, 14)[0]))}"
        for layer in ("grids", "units")
    )
    before = [client.get(url).headers["ETag"] for url in (grids, units)]
    with engine.begin() as connection:
        connection.execute(sa.update(t.grids).where(t.grids.c.plan == plan).values(name="草案"))
        connection.execute(sa.update(t.plans).where(t.plans.c.id == plan).values(note="改"))
    time.sleep(1.2)  # longer than a change may go unnoticed
    assert [client.get(url).headers["ETag"] for url in (grids, units)] == before
    workflow.publish(engine, plan)
    time.sleep(1.2)
    assert client.get(grids).headers["ETag"] != before[0]
