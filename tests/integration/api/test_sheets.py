"""Printed sheets over HTTP, read back from the PDF itself; places for phones."""

from __future__ import annotations

import dataclasses
import io
import json
from typing import Any

import geopandas as gpd
import numpy as np
import pypdfium2
import pytest
import shapely
import sqlalchemy as sa
from flask.testing import FlaskClient
from PIL import Image

from api.app import create_app
from data import tables as t
from data.loading import read_rows
from data.plans import plan_row
from gisgrid.crs import metric_crs
from tests.conftest import Planned

pytestmark = pytest.mark.postgis
MM = 72.0 / 25.4
PURPLE = (0x6D, 0x1F, 0x5E)
KEY = {"Authorization": "Bearer sesame"}


@pytest.fixture(scope="module")
def community(planned: Planned) -> gpd.GeoDataFrame:
    with planned.engine.connect() as connection:
        rows = read_rows(connection, t.areas, where=[t.areas.c.level == "community"])
    assert len(rows) == 1
    return rows


@pytest.fixture(scope="module")
def code(community: gpd.GeoDataFrame) -> str:
    return str(community["code"].iloc[0])


@pytest.fixture
def drafting(planned_copy: Planned) -> tuple[FlaskClient, int]:
    """A service with a key, and a draft: the plan published is set back to be one."""
    with planned_copy.engine.begin() as connection:
        made = connection.execute(
            sa.insert(t.plans)
            .values(
                name="draft", area=planned_copy.area, band_low=300, band_high=500, status="draft",
                unit_set=plan_row(connection, planned_copy.plan).unit_set,
            )
            .returning(t.plans.c.id)
        ).scalar_one()  # fmt: skip
        columns = ["system", "code", "level", "parent", "community", "name", "kind", "households", "population",
                   "compactness", "geometry"]  # fmt: skip
        taken = sa.select(sa.literal(made), *[t.grids.c[name] for name in columns])
        connection.execute(
            sa.insert(t.grids).from_select(["plan", *columns], taken.where(t.grids.c.plan == planned_copy.plan))
        )
    settings = dataclasses.replace(planned_copy.settings, editor_keys=(("anna", "sesame"),))
    return create_app(settings, planned_copy.engine).test_client(), int(made)


def pdf_of(client: FlaskClient, address: str, **headers: Any) -> tuple[pypdfium2.PdfDocument, Any]:
    answer = client.get(address, **headers)
    assert answer.status_code == 200, answer.get_data()[:300]
    assert answer.mimetype == "application/pdf"
    return pypdfium2.PdfDocument(answer.data), answer


def pixels(page: pypdfium2.PdfPage, dpi: float) -> np.ndarray:
    return np.asarray(page.render(scale=dpi / 72.0).to_pil().convert("RGB")).astype(int)


def text_of(page: pypdfium2.PdfPage) -> str:
    return "".join(page.get_textpage().get_text_range().split())


def boxes_of(page: pypdfium2.PdfPage, text: str) -> list[tuple[float, float, float, float]]:
    """Boxes of a text on the page: left, bottom, right, top."""
    held = page.get_textpage()
    search, found = held.search(text), []
    while (hit := search.get_next()) is not None:
        chars = np.array([held.get_charbox(at) for at in range(hit[0], hit[0] + hit[1])])
        found.append((*chars[:, :2].min(axis=0).tolist(), *chars[:, 2:].max(axis=0).tolist()))
    return found


@pytest.mark.parametrize("query", ["", "?paper=A4&lang=both", "?paper=A2&scale=5000&orientation=landscape&lang=en"])
def test_ground_and_scale_bar_are_true_to_the_scale(
    client: FlaskClient, community: gpd.GeoDataFrame, code: str, query: str
) -> None:
    document, answer = pdf_of(client, f"/api/v1/sheets/{code}.pdf{query}")
    scale, page = int(answer.headers["Sheet-Scale"]), document[0]
    assert int(answer.headers["Sheet-Pages"]) == len(document)
    dpi = 200.0
    picture = pixels(page, dpi)
    ratio = boxes_of(page, f"1:{scale:,}")[0]
    # the community's outline is as wide and high on paper as on the ground; the same line in the legend stands apart
    west, south, east, north = community.to_crs(metric_crs(community)).total_bounds
    rows, columns = np.nonzero(np.abs(picture - PURPLE).max(axis=2) < 30)
    across, down = ratio[0] / 72 * dpi, (page.get_height() - ratio[3]) / 72 * dpi
    below = page.get_height() > page.get_width() or down > 0.5 * picture.shape[0]
    on_map = rows < down if below else columns < across - 40 / 25.4 * dpi
    rows, columns = rows[on_map] / dpi * 25.4, columns[on_map] / dpi * 25.4
    line = 3.0  # millimetres: the outline's own width
    assert columns.max() - columns.min() == pytest.approx((east - west) * 1000 / scale, abs=line)
    assert rows.max() - rows.min() == pytest.approx((north - south) * 1000 / scale, abs=line)
    # the bar under the ratio: its upper edge is one dark run that begins where the ratio does
    top, left = int(picture.shape[0] - ratio[1] / 72 * dpi), int(across)
    dark = picture[top : top + int(7 / 25.4 * dpi)].max(axis=2) < 120
    runs = []
    for row in dark:
        start = left - 3 + int(np.argmax(row[left - 3 : left + 12]))
        ends = np.flatnonzero(~row[start:])
        runs.append(int(ends[0]) if row[start] and len(ends) else 0)
    words = page.get_textpage().get_text_range().replace("\r", "\n").split("\n")
    told = next(word.split() for word in words if word.strip().endswith(" m") and word.strip()[0] == "0")
    assert max(runs) / dpi * 25.4 == pytest.approx(float(told[-2]) * 1000 / scale, abs=0.6)


def test_title_table_and_source_are_told_and_no_names_collide(client: FlaskClient, code: str) -> None:
    document, _ = pdf_of(client, f"/api/v1/sheets/{code}.pdf")
    page = document[0]
    assert page.get_size() == pytest.approx((420 * MM, 297 * MM), abs=1.0)
    text = text_of(page)
    grids = [f["properties"] for f in client.get("/api/v1/grids?level=1").get_json(force=True)["features"]]
    for word in ("网格图", "图例", "网格一览表", "合计", "子午线收敛角", "第1代方案"):
        assert word in text, word
    named = []
    for grid in grids:
        found = boxes_of(page, grid["code"])
        assert found, grid["code"]
        named += found
        assert f"{grid['households']:,}" in text
        assert f"{grid['population']:,}" in text
    named += [box for number in range(1, len(grids) + 1) for box in boxes_of(page, f"第{number}网格")]
    shapes = np.array([shapely.box(*box) for box in named])
    assert len(shapely.STRtree(shapes).query(shapes, predicate="overlaps")[0]) == 0
    assert shapely.box(0, 0, *page.get_size()).buffer(-5 * MM).contains(shapely.union_all(shapes))


def test_nothing_is_drawn_outside_the_margins(client: FlaskClient, code: str) -> None:
    document, _ = pdf_of(client, f"/api/v1/sheets/{code}.pdf?paper=A4")
    picture = pixels(document[0], 100.0)
    inked = picture.min(axis=2) < 250
    edge = int(7.0 / 25.4 * 100)
    inked[edge:-edge, edge:-edge] = False
    assert not inked.any()


def test_the_picture_has_the_size_its_dots_say(client: FlaskClient, code: str) -> None:
    answer = client.get(f"/api/v1/sheets/{code}.png?paper=A4&orientation=portrait&dpi=120")
    picture = Image.open(io.BytesIO(answer.data))
    assert picture.size == (round(210 / 25.4 * 120), round(297 / 25.4 * 120))
    assert picture.info["dpi"] == pytest.approx((120, 120), abs=0.1)
    assert client.get(f"/api/v1/sheets/{code}.png?page=2").status_code == 400


def test_an_area_gives_an_atlas(client: FlaskClient, code: str) -> None:
    document, _ = pdf_of(client, f"/api/v1/sheets/{code[:6]}.pdf?paper=A4")
    assert len(document) == 1
    assert code in text_of(document[0])


@pytest.mark.parametrize(
    ("query", "word"),
    [("scale=500", "fit"), ("scale=1", "500"), ("paper=A0", "A4"), ("lang=fr", "both"), ("orientation=up", "portrait"),
     ("nonsense=1", "nonsense"), ("plan=1&generation=1", "one of them"), ("scale=x", "scale")],
)  # fmt: skip
def test_what_cannot_be_printed_is_refused_in_one_line(client: FlaskClient, code: str, query: str, word: str) -> None:
    answer = client.get(f"/api/v1/sheets/{code}.pdf?{query}")
    assert answer.status_code == 400
    assert word in answer.get_json()["error"]["message"]


def test_pictures_are_capped_before_memory_is_taken(client: FlaskClient, code: str) -> None:
    for query, word in (("paper=A1&dpi=600", "million"), ("dpi=601", "36"), ("dpi=10", "36"), ("page=0", "page")):
        answer = client.get(f"/api/v1/sheets/{code}.png?{query}")
        assert answer.status_code == 400, query
        assert word in answer.get_json()["error"]["message"]


def test_unknown_places_plans_and_generations_are_not_found(client: FlaskClient, code: str) -> None:
    for address in ("999999999999.pdf", f"{code}.pdf?plan=4711", f"{code}.pdf?generation=4711"):
        assert client.get(f"/api/v1/sheets/{address}").status_code == 404, address


def test_an_unchanged_sheet_is_not_drawn_again(client: FlaskClient, code: str) -> None:
    address = f"/api/v1/sheets/{code}.pdf?paper=A4"
    tag = client.get(address).headers["ETag"]
    again = client.get(address, headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")
    assert client.get(f"{address}&lang=en", headers={"If-None-Match": tag}).status_code == 200


def test_drafts_are_marked_and_for_planners_only(drafting: tuple[FlaskClient, int], code: str) -> None:
    client, plan = drafting
    address = f"/api/v1/sheets/{code}.pdf?paper=A4&plan={plan}"
    assert client.get(address).status_code == 404
    document, answer = pdf_of(client, address, headers=KEY)
    assert f"草案·方案{plan}" in text_of(document[0])
    assert answer.headers["Cache-Control"].startswith("private")
    published, _ = pdf_of(client, f"/api/v1/sheets/{code}.pdf?paper=A4")
    assert "草案" not in text_of(published[0])


def test_posts_stored_for_a_grid_stand_in_the_table(planned_copy: Planned, code: str) -> None:
    with planned_copy.engine.begin() as connection:
        row = {"place": f"{code}001", "role": "网格员", "post": "鸣凤一号岗", "department": "", "first": True}
        connection.execute(sa.insert(t.posts).values(row))
    client = create_app(planned_copy.settings, planned_copy.engine).test_client()
    document, _ = pdf_of(client, f"/api/v1/sheets/{code}.pdf")
    assert text_of(document[0]).count("鸣凤一号岗") == 1


# --- places -----------------------------------------------------------------------------


def test_a_grid_tells_its_numbers_and_neighbours(client: FlaskClient, planned: Planned, code: str) -> None:
    grids = {f["properties"]["code"]: f for f in client.get("/api/v1/grids?level=1").get_json(force=True)["features"]}
    shapes = {name: shapely.from_geojson(json.dumps(one["geometry"])) for name, one in grids.items()}
    name = f"{code}002"
    told = client.get(f"/api/v1/places/{name}").get_json()
    properties = grids[name]["properties"]
    assert told["numbers"]["households"] == properties["households"]
    assert told["numbers"]["population"] == properties["population"]
    assert [link["level"] for link in told["chain"]] == ["grid", "community", "street", "district"]
    touching = {
        other for other, shape in shapes.items() if other != name and shape.intersects(shapes[name].buffer(1e-9))
    }
    assert {one["code"] for one in told["neighbours"]} == touching
    assert shapes[name].contains(shapely.Point(told["point"]))
    with planned.engine.connect() as connection:
        buildings = read_rows(connection, t.buildings)
        components = read_rows(connection, t.components)
    inside = buildings[shapely.covers(shapes[name], shapely.point_on_surface(buildings.geometry.to_numpy()))]
    assert told["numbers"]["elderly"] == inside["elderly"].sum()
    assert told["numbers"]["buildings"] == len(inside)
    counted = sum(row["count"] for row in told["components"])
    assert counted == int(shapely.covers(shapes[name], components.geometry.to_numpy()).sum())
    detail = client.get(f"/api/v1/grids/{name}").get_json(force=True)["properties"]
    assert sum(row["count"] for row in told["facilities"]) == detail["facilities"]
    assert len(told["reports"]["months"]) == 12
    assert sum(month["count"] for month in told["reports"]["months"]) <= detail["reports"]
    shares = {row["category"]: row["residents_share"] for row in detail["circles"]}
    assert {row["category"]: row["residents_share"] for row in told["circles"]} == shares


def test_a_community_adds_up_its_grids(client: FlaskClient, code: str) -> None:
    told = client.get(f"/api/v1/places/{code}").get_json()
    grids = [f["properties"] for f in client.get("/api/v1/grids?level=1").get_json(force=True)["features"]]
    assert told["place"] == "community"
    assert told["numbers"]["grids"] == len(told["neighbours"]) == len(grids)
    assert told["numbers"]["households"] == sum(grid["households"] for grid in grids)
    assert [link["level"] for link in told["chain"]] == ["community", "street", "district"]
    assert client.get("/api/v1/places/12345").status_code == 404
    assert client.get(f"/api/v1/places/{code}?x=1").status_code == 400
