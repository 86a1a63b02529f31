"""MapIt's interface: FixMyStreet's requests replayed, held against SQL and against MapIt's documented shapes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import geopandas as gpd
import numpy as np
import psycopg
import pytest
import shapely
import sqlalchemy as sa
from flask.testing import FlaskClient

from api.app import create_app
from api.mapit import ADDRESSES, answers
from data import db, embedded, mapit
from data.plans import grids_in_force
from gisgrid.limits import MAPIT_IDS_MAX
from gisgrid.settings import Settings
from tests.integration.api.mapit_district import (
    FIRE,
    call,
    codes,
    owners,
    places,
    professional_generation,
    second_generation,
)
from tests.integration.api.test_openapi import assert_fits

pytestmark = pytest.mark.postgis

MEMBERS = {
    "id", "name", "parent_area", "type", "type_name", "country", "country_name", "generation_low", "generation_high",
    "codes", "all_names",
}  # fmt: skip


@pytest.fixture(scope="module")
def district(planned: Any, cluster: embedded.Cluster) -> Iterator[sa.Engine]:
    """The sample district in four generations: (1) as planned; (2) two grids made one, the others go on with two
    micro-grids each; (3) fire grids; (4) fire grids of a system nobody knows.
    """
    planned.engine.dispose()
    with psycopg.connect(host=str(cluster.socket), user=embedded.ROLE, dbname="postgres", autocommit=True) as admin:
        admin.execute("CREATE DATABASE mapit TEMPLATE planned")
    with db.database(
        Settings(home=planned.settings.home, database_url=cluster.url_of("mapit"), anonymous=("analyst",))
    ) as engine:
        with engine.begin() as connection:
            second_generation(connection)
        for system, subject in ((FIRE, "990200"), ("犬只", "990199")):
            with engine.begin() as connection:
                professional_generation(connection, system, subject)
        yield engine
    with psycopg.connect(host=str(cluster.socket), user=embedded.ROLE, dbname="postgres", autocommit=True) as admin:
        admin.execute("DROP DATABASE mapit WITH (FORCE)")


@pytest.fixture(scope="module")
def client(district: sa.Engine, planned: Any) -> FlaskClient:
    return create_app(planned.settings, district).test_client()


# --- points ---------------------------------------------------------------------------------


@pytest.mark.parametrize("generation", [None, 1, 2])
def test_a_point_has_the_owner_of_the_rule_and_its_chain(
    client: FlaskClient, district: sa.Engine, generation: int | None
) -> None:
    opts = {"generation": generation} if generation else {}
    for lon, lat in places(district):
        got = codes(call(client, "point", f"4326/{lon!r},{lat!r}", **opts))
        owner = owners(district, lon, lat, generation or 4)
        assert got.get("GRD") == owner
        if owner:
            assert (got["COM"], got["STR"], got["DIS"]) == (owner[:12], owner[:9], owner[:6])
            if generation != 1 and not owner.endswith("900"):
                assert got["MGD"].startswith(owner)
        assert ("MGD" in got) <= (owner is not None)
        assert got.get("PRO-FIRE") == (owners(district, lon, lat, 4, FIRE) if generation is None else None)


def test_the_owner_is_the_one_locate_tells(client: FlaskClient, district: sa.Engine) -> None:
    for lon, lat in places(district)[::4]:
        located = client.get(f"/api/v1/locate?lon={lon!r}&lat={lat!r}").get_json()
        got = codes(call(client, "point", f"4326/{lon!r},{lat!r}", type=["GRD", "COM", "STR", "DIS"]))
        assert got.get("GRD") == (located["owner"] and located["owner"]["code"])
        chain = [
            link["code"] for link in located["chain"] if link["level"] in ("grid", "community", "street", "district")
        ]
        assert not chain or sorted(got.values()) == sorted(chain)


@pytest.mark.parametrize("srid", [4490, 3857, 4547, 32649])
def test_points_of_other_systems(client: FlaskClient, district: sa.Engine, srid: int) -> None:
    points = gpd.GeoSeries.from_xy(*zip(*places(district)[:12], strict=True), crs=4490).to_crs(srid)
    for (lon, lat), moved in zip(places(district), points, strict=False):
        here = call(client, "point", f"4326/{lon!r},{lat!r}", type="GRD")
        assert call(client, "point", f"{srid}/{moved.x!r},{moved.y!r}", type="GRD") == here


def test_types_boxes_and_spans_of_points(client: FlaskClient, district: sa.Engine) -> None:
    with district.connect() as connection:
        inside = grids_in_force(connection, 4).geometry[0].representative_point()
    place = f"4326/{inside.x!r},{inside.y!r}"
    assert set(codes(call(client, "point", place, type=["GRD", "DIS"]))) == {"GRD", "DIS"}
    assert call(client, "point", place, type="") == call(client, "point", place)
    assert set(codes(call(client, "point", place, type="PRO-990199"))) == {"PRO-990199"}
    assert call(client, "point", place, country="E") == {}
    ever = call(client, "point", place, type="GRD", min_generation=1)
    now = call(client, "point", place, type="GRD")
    assert now.items() <= ever.items()
    with district.connect() as connection:
        boxed = connection.scalars(
            sa.text(
                "SELECT code FROM grids WHERE generations @> 4 AND geometry && ST_SetSRID(ST_MakePoint(:x, :y), 4490)"
            ),
            {"x": inside.x, "y": inside.y},
        ).all()
    got = client.get(f"/mapit/point/{place}/box").get_json().values()
    assert sorted(a["codes"]["gisgrid"] for a in got if len(a["codes"]["gisgrid"]) > 12) == sorted(boxed)
    sent = client.get(f"/mapit/point/latlon/{inside.y!r},{inside.x!r}?type=GRD")
    assert (sent.status_code, sent.location) == (302, f"/mapit/point/{place}?type=GRD")


# --- areas ----------------------------------------------------------------------------------


def test_an_area_has_the_members_mapit_documents(client: FlaskClient, district: sa.Engine) -> None:
    (district_area,) = call(client, "areas", "DIS").values()
    single = call(client, "area", district_area["id"])
    assert set(district_area) == set(single) == MEMBERS
    assert single == district_area | {
        "all_names": {"zh": ["中文 Chinese", "鸣凤示范区"], "en": ["英文 English", "Mingfeng Demonstration District"]}
    }
    assert district_area == {
        "id": district_area["id"], "name": "鸣凤示范区", "parent_area": None, "type": "DIS", "type_name": "区县 District",
        "country": "", "country_name": "-", "generation_low": 1, "generation_high": 4, "codes": {"gisgrid": "379903"},
        "all_names": {},
    }  # fmt: skip
    assert 0 < district_area["id"] < 2**31, "FixMyStreet keeps numbers of areas in four bytes"
    for key, area in call(client, "areas", ["STR", "COM", "GRD", "MGD", "PRO-FIRE", "PRO-990199"]).items():
        assert key == str(area["id"])
        parent = call(client, "area", area["parent_area"])
        above = {"STR": "DIS", "COM": "STR", "GRD": "COM", "MGD": "GRD", "PRO-FIRE": "COM", "PRO-990199": "COM"}
        assert parent["type"] == above[area["type"]]
        assert key in call(client, "area/children", [parent["id"]], type=area["type"])


def test_a_grid_keeps_its_number_over_its_generations(client: FlaskClient) -> None:
    first, second, now = (call(client, "areas", "GRD", generation=generation) for generation in (1, 2, 0))
    assert second == now
    gone, stayed, new = set(first) - set(second), set(first) & set(second), set(second) - set(first)
    assert (len(gone), len(stayed), len(new)) == (2, len(first) - 2, 1)
    assert {(first[key]["generation_low"], first[key]["generation_high"]) for key in gone} == {(1, 1)}
    assert {(now[key]["generation_low"], now[key]["generation_high"]) for key in stayed} == {(1, 4)}
    assert {(now[key]["generation_low"], now[key]["generation_high"]) for key in new} == {(2, 4)}
    assert set(call(client, "areas", "GRD", min_generation=1)) == set(call(client, "areas", "GRD", min_generation=-1))
    assert set(call(client, "areas", "GRD", min_generation=1)) == gone | stayed | new
    for key in gone:
        assert call(client, "area", key)["name"] == first[key]["name"], "an area is told whatever its generation"
    assert call(client, "areas", sorted(gone, key=int)) == {key: first[key] for key in gone}


def test_children_by_type_and_generation(client: FlaskClient) -> None:
    (community,) = call(client, "areas", "COM").values()
    grids = call(client, "area/children", [community["id"]], type=["GRD"])
    assert grids == call(client, "areas", "GRD")
    assert call(client, "area/children", community["id"], type="PRO-FIRE", generation=2) == {}
    assert len(call(client, "area/children", community["id"], type="PRO-FIRE", generation=3)) == 2
    everything = call(client, "area/children", community["id"], type=[], min_generation=1)
    assert len(everything) == len(call(client, "areas", "GRD", min_generation=1)) + 4


def test_names_codes_and_generations(client: FlaskClient) -> None:
    assert set(call(client, "areas", quote("鸣凤"))) >= set(call(client, "areas", "DIS,STR,COM"))
    assert set(call(client, "areas", quote("鸣凤示范社"), type="COM")) == set(call(client, "areas", "COM"))
    assert call(client, "areas", quote("100%")) == call(client, "areas", quote("_")) == {}
    (street,) = call(client, "areas", "STR").values()
    for address in ("/mapit/code/gisgrid/379903001", "/mapit/area/379903001"):
        sent = client.get(address)
        assert (sent.status_code, sent.location) == (302, f"/mapit/area/{street['id']}")
    made = call(client, "generations")
    assert list(made) == ["1", "2", "3", "4"]
    assert set(made["1"]) == {"id", "active", "created", "description"}
    assert made["4"]["active"] is True


def test_long_questions_are_posted(client: FlaskClient) -> None:
    ids = list(call(client, "areas", "GRD,MGD", min_generation=1))
    many = (ids * 100)[:400]
    assert call(client, "areas", many, generation=1) == call(client, "areas", ids)
    long_types = ["GRD"] * 300
    assert call(client, "areas", "鸣凤", type=long_types) == call(client, "areas", "鸣凤", type="GRD")


# --- relations ------------------------------------------------------------------------------


def test_relations_are_those_of_the_outlines_a_centimetre_apart(client: FlaskClient, district: sa.Engine) -> None:
    grids = call(client, "areas", "GRD")
    with district.connect() as connection:
        shapes = grids_in_force(connection, 4).set_index("code").geometry
    near = gpd.GeoSeries(shapes).to_crs(4547)
    for key, grid in itertools.islice(grids.items(), 4):
        here = near[grid["codes"]["gisgrid"]]
        distance, common = near.distance(here), near.intersection(here.buffer(-0.05)).area
        touching = set(near.index[(distance < 0.01) & (common < 1)]) - {grid["codes"]["gisgrid"]}
        got = call(client, "area/touches", key, type="GRD")
        assert {area["codes"]["gisgrid"] for area in got.values()} == touching
        assert call(client, "area/overlaps", key, type="GRD") == {}
        inside = call(client, "area/covers", key, type="MGD")
        assert {area["parent_area"] for area in inside.values()} <= {int(key)}
        assert len(inside) == (0 if grid["generation_low"] == 2 else 2)
        assert set(codes(call(client, "area/covered", key))) >= {"DIS", "STR", "COM"}
        assert set(got) <= set(call(client, "area/intersects", key))
    (community,) = call(client, "areas", "COM")
    assert call(client, "area/covers", community, type="GRD") == grids
    assert call(client, "area/coverlaps", community, type="GRD") == grids
    (west, _) = sorted(call(client, "areas", "PRO-FIRE").values(), key=lambda area: area["name"])
    cut = call(client, "area/overlaps", west["id"], type="GRD")
    held = call(client, "area/covers", west["id"], type="GRD")
    assert cut
    assert call(client, "area/coverlaps", west["id"], type="GRD") == cut | held
    assert not cut.keys() & held.keys()


# --- outlines -------------------------------------------------------------------------------


def test_outlines_in_every_format(client: FlaskClient, district: sa.Engine) -> None:
    key, grid = next(iter(call(client, "areas", "GRD").items()))
    with district.connect() as connection:
        wanted = grids_in_force(connection, 4).set_index("code").geometry[grid["codes"]["gisgrid"]]
    bare = call(client, f"area/{key}.geojson", generation=4)
    assert bare["type"] == "MultiPolygon", "FixMyStreet reads the geometry itself, not a feature"
    assert shapely.equals_exact(shapely.geometry.shape(bare), wanted, 1e-12)
    text = client.get(f"/mapit/area/{key}.wkt")
    assert text.mimetype == "text/plain"
    assert shapely.equals_exact(shapely.from_wkt(text.text), wanted, 1e-12)
    document = client.get(f"/mapit/area/{key}.kml")
    assert document.mimetype == "application/vnd.google-earth.kml+xml"
    tree = ElementTree.fromstring(document.text)
    name = {"kml": "http://www.opengis.net/kml/2.2"}
    assert [node.text for node in tree.iterfind(".//kml:Placemark/kml:name", name)] == [grid["name"]]
    ring = tree.find(".//kml:outerBoundaryIs//kml:coordinates", name)
    assert ring is not None
    drawn = [tuple(map(float, pair.split(","))) for pair in (ring.text or "").split()]
    assert np.allclose(drawn, shapely.get_coordinates(wanted), atol=1e-12)
    moved = shapely.from_wkt(client.get(f"/mapit/area/4547/{key}.wkt").text)
    (expected,) = gpd.GeoSeries([wanted], crs=4490).to_crs(4547)
    assert shapely.equals_exact(moved, expected, 1e-5)
    both = client.get(f"/mapit/areas/{key},1.geojson").get_json(force=True)
    assert [feature["properties"] for feature in both["features"]] == [{"name": grid["name"]}]
    assert client.get(f"/mapit/areas/{key}.kml").mimetype == document.mimetype


def test_outlines_are_thinned_as_postgis_thins_them(client: FlaskClient, district: sa.Engine) -> None:
    key, grid = next(iter(call(client, "areas", "COM").items()))
    thin = client.get(f"/mapit/area/{key}.wkt?simplify_tolerance=0.0005").text
    with district.connect() as connection:
        wanted = connection.scalar(
            sa.text("SELECT ST_AsText(ST_Simplify(geometry, 0.0005)) FROM areas WHERE code = :code"),
            {"code": grid["codes"]["gisgrid"]},
        )
    assert thin == wanted
    assert len(thin) < len(client.get(f"/mapit/area/{key}.wkt?simplify_tolerance=0").text)


def test_extents(client: FlaskClient, district: sa.Engine) -> None:
    grids = call(client, "areas", "GRD")
    with district.connect() as connection:
        shapes = grids_in_force(connection, 4).set_index("code").geometry
    keys = list(grids)
    found = client.get(f"/mapit/areas/{','.join(keys)},1/geometry").get_json()
    assert found.pop("1") == {}
    metres = shapes.to_crs(found[keys[0]]["srid_en"])
    for key, about in found.items():
        code = grids[key]["codes"]["gisgrid"]
        assert about == call(client, "area/geometry", key)
        corners = [about[f"{end}_{axis}"] for end in ("min", "max") for axis in ("lon", "lat")]
        assert np.allclose(corners, shapes[code].bounds, atol=1e-12)
        assert about["area"] == pytest.approx(metres[code].area, rel=1e-6)
        assert (about["centre_e"], about["centre_n"]) == pytest.approx(
            (metres[code].centroid.x, metres[code].centroid.y)
        )
        assert about["parts"] == 1


# --- the rest -------------------------------------------------------------------------------

BAD = (
    ("point/4326/nan,1", 400), ("point/4326/1e308,1", 400), ("point/4326/inf,1", 400), ("point/4326/text,1", 400),
    ("point/4326/999,1", 400), ("point/4326/35.5,112.8", 400), ("point/999999/1,1", 400), ("point/4547/1e12,1e12", 400),
    ("point/nix/1,1", 400), ("point/4326/1,1?type=NIX", 400), ("point/4326/1,1?generation=99", 400),
    ("point/4326/1,1?generation=one", 400), ("point/4326/1,1?generation=99999999999", 400),
    ("point/4326/1,1?min_generation=9", 400), ("point/4326/1,1?colour=red", 400), ("point/4326/1,1?type=GRD;type=COM", 400),
    ("point/4326/1", 404), ("area/1", 404), ("area/NIX", 400), ("area/" + "9" * 90, 404), ("area/" + "9" * 200, 400),
    ("area/1/children", 404), ("area/1/geometry", 404), ("area/1.geojson", 404), ("areas/1.geojson", 404),
    ("areas/NIX", 400), ("areas/1,,2", 400), ("areas/" + "1," * MAPIT_IDS_MAX + "1", 400), ("areas/" + "名" * 200, 400),
    ("code/ons/1", 404), ("code/gisgrid/1", 404), ("postcode/SW1A1AA", 404), ("postcode/partial/SW1A", 404),
    ("nearest/4326/1,1", 404), ("area/1/example_postcode", 404), ("generations.html", 404), ("", 404), ("nix", 404),
    ("areas/%00", 400),
)  # fmt: skip


@pytest.mark.parametrize(("address", "status"), BAD, ids=[address[:40] for address, _ in BAD])
def test_bad_questions_have_mapits_error(client: FlaskClient, address: str, status: int) -> None:
    answer = client.get(f"/mapit/{address}")
    assert answer.status_code == status
    assert answer.get_json() == {"code": status, "error": answer.get_json()["error"]}
    assert "\n" not in answer.get_json()["error"]


def test_bad_outlines_forms_and_methods(client: FlaskClient) -> None:
    key = next(iter(call(client, "areas", "GRD")))
    for tolerance in ("nan", "-1", "inf", "x", "1e308", "90"):
        assert client.get(f"/mapit/area/{key}.kml?simplify_tolerance={tolerance}").status_code == 400, tolerance
    assert client.get(f"/mapit/area/999999/{key}.wkt").status_code == 400
    assert client.get(f"/mapit/areas/{key}.wkt").status_code == 400
    posted = client.post("/mapit/areas", data=b"URL=\xff", content_type="application/x-www-form-urlencoded")
    assert (posted.status_code, posted.get_json()["code"]) == (400, 400)
    assert client.post("/mapit/areas", data="URL=" + "1," * 200_000).status_code == 400
    refused = client.delete(f"/mapit/area/{key}")
    assert (refused.status_code, refused.get_json()["code"]) == (405, 405)
    assert refused.headers["Allow"] == "GET, HEAD, POST"


def test_answers_are_asked_again_only_when_something_changed(client: FlaskClient, district: sa.Engine) -> None:
    answer = client.get("/mapit/areas/GRD")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cache-Control"] == "no-cache"
    again = client.get("/mapit/areas/GRD", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", answer.headers["ETag"])
    assert client.get("/mapit/areas/COM", headers={"If-None-Match": answer.headers["ETag"]}).status_code == 200
    with district.begin() as connection:
        connection.execute(sa.text("INSERT INTO imports (source, layer) VALUES ('later', 'areas')"))
    assert client.get("/mapit/areas/GRD", headers={"If-None-Match": answer.headers["ETag"]}).status_code == 200
    assert client.head("/mapit/areas/GRD").headers["ETag"] != answer.headers["ETag"]


def test_many_areas_are_sent_piece_by_piece(
    client: FlaskClient, district: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = client.get("/mapit/areas/GRD,MGD").data
    for size, spooled in ((1, 100), (7, 10**6), (len(call(client, "areas", "GRD,MGD")), 10**6)):
        monkeypatch.setattr(answers, "CHUNK", size)
        monkeypatch.setattr(answers, "SPOOL_BYTES", spooled)
        answer = client.get("/mapit/areas/GRD,MGD")
        assert (answer.data, answer.content_length) == (whole, len(whole))
    assert district.pool.checkedout() == 0, "connections go back"  # type: ignore[attr-defined]


def test_what_takes_too_long_is_given_up(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapit, "QUERY_SECONDS", 0.001)
    (street,) = call(client, "areas", "STR")
    answer = client.get(f"/mapit/area/{street}/intersects")
    assert (answer.status_code, answer.get_json()["code"]) == (503, 503)
    assert "type=" in answer.get_json()["error"]
    monkeypatch.undo()
    assert client.get(f"/mapit/area/{street}/intersects").status_code == 200


def test_areas_are_told_before_anything_is_published(settings: Settings, engine: sa.Engine) -> None:
    client = create_app(settings, engine).test_client()
    assert call(client, "areas", "COM") == call(client, "generations") == {}
    with engine.begin() as connection:
        square = "SRID=4490;MULTIPOLYGON(((116 35,117 35,117 36,116 36,116 35)))"
        connection.execute(
            sa.text("INSERT INTO areas (code, level, name, geometry) VALUES ('370811', 'district', '区', :shape)"),
            {"shape": square},
        )
    (district,) = call(client, "point", "4326/116.5,35.5").values()
    assert (district["type"], district["generation_low"], district["generation_high"]) == ("DIS", 0, 0)
    assert call(client, "areas", "DIS,GRD") == {str(district["id"]): district}
    assert call(client, "point", "4326/118,35.5") == {}


def test_numbers_are_given_once_and_to_no_draft(district: sa.Engine) -> None:
    with district.connect() as connection:
        rows = connection.execute(sa.text("SELECT id, code FROM mapit_ids ORDER BY id")).all()
        known = set(connection.scalars(sa.text("SELECT code FROM areas UNION SELECT code FROM grids")))
        assert [row.id for row in rows] == list(range(10_000_001, 10_000_001 + len(rows))), "no number is wasted"
        assert {row.code for row in rows} == known
        connection.execute(sa.text("UPDATE areas SET name = name || 'x'"))
        connection.execute(
            sa.text(
                "INSERT INTO areas (code, level, parent, geometry) SELECT '379903001999', level, parent, geometry "
                "FROM areas WHERE level = 'community'"
            )
        )
        connection.execute(
            sa.text(
                "INSERT INTO grids (plan, code, community, geometry) SELECT 1, '379903001001777', community, geometry "
                "FROM grids WHERE level = 1 AND system = '综合' LIMIT 1"
            )
        )
        added = connection.execute(sa.text("SELECT id, code FROM mapit_ids ORDER BY id")).all()
        assert added == [*rows, (10_000_001 + len(rows), "379903001999")]


def test_openapi_describes_what_is_answered(client: FlaskClient) -> None:
    spec = client.get("/openapi.json").get_json()["paths"]
    described = {path: item["get"] for path, item in spec.items() if path.startswith("/mapit/")}
    key, grid = next(iter(call(client, "areas", "GRD").items()))
    (community,) = call(client, "areas", "COM")
    box = call(client, "area/geometry", key)
    values = {
        "srid": "4326", "x": box["centre_lon"], "y": box["centre_lat"], "id": key, "ids": key, "types": "GRD",
        "name": quote("鸣凤"), "code_type": "gisgrid", "code": grid["codes"]["gisgrid"],
    }  # fmt: skip
    asked = set()
    for path, operation in described.items():
        address = path.format(**values | {"relation": "children"} | ({"id": community} if "relation" in path else {}))
        answer = client.get(address, follow_redirects=True)
        ((media, content),) = operation["responses"]["200"]["content"].items()
        assert (answer.status_code, answer.mimetype) == (200, media), path
        if "json" in media:
            assert_fits(answer.get_json(force=True), content["schema"], path)
        query = [item["name"] for item in operation["parameters"] if item["in"] == "query"]
        for name in query:
            given = {
                "type": "GRD",
                "generation": "1",
                "min_generation": "1",
                "country": "",
                "simplify_tolerance": "1e-6",
            }
            assert client.get(f"{address}?{name}={given[name]}").status_code == 200, (path, name)
        asked |= {view for pattern, view in ADDRESSES if pattern.fullmatch(address.removeprefix("/mapit/"))}
    assert len(asked) >= 12
    error = client.get("/mapit/area/1").get_json()
    assert_fits(
        error, described["/mapit/area/{id}"]["responses"]["404"]["content"]["application/json"]["schema"], "error"
    )
