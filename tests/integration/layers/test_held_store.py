"""Layers held in memory are what the database has, and stay it."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
import shapely
import sqlalchemy as sa

from data import tables as t
from data.plans import current_generation
from layers.catalog import Layer, offered
from layers.held import HeldLayer, HeldLayers, View
from layers.held import store as store_module
from layers.held.store import BUDGET
from planning import workflow
from tests.conftest import BAND, Planned


def described(held: HeldLayer) -> dict[str, object]:
    """Everything a held layer tells, ready to be compared."""
    window = held.window(View("CRS:84", (-180.0, -90.0, 180.0, 90.0), 100_000, 50_000), 1.0)
    return {
        "keys": held.keys.tolist(),
        "ids": None if held.ids is None else held.ids.tolist(),
        "columns": {name: [str(value) for value in column[:]] for name, column in held.columns.items()},
        "coords": held.shapes.coords.tolist(),
        "parts": held.shapes.parts.tolist(),
        "features": held.shapes.features.tolist(),
        "box": held.box,
        "window": window.coords.tolist(),
        "anchors": held.anchors(np.arange(len(held))).tolist(),
    }


def test_every_layer_offered_is_held_as_the_database_has_it(planned: Planned) -> None:
    held_layers = HeldLayers(planned.engine)
    with planned.engine.connect() as connection:
        current = current_generation(connection)
        generation = current.id if current else None
        for layer in offered(connection).values():
            held = held_layers.get(layer)
            order = sa.collate(layer.key, "C") if isinstance(layer.key.type, sa.String) else layer.key
            query = (
                sa.select(layer.key, sa.func.ST_AsBinary(layer.geometry), *(a.column for a in layer.attributes))
                .select_from(layer.table)
                .where(*layer.conditions(generation))
                .order_by(order)
            )
            rows = connection.execute(query).all()
            assert held.keys.tolist() == [row[0] for row in rows], layer.name
            assert len(held) == len(rows)
            if not rows:
                assert held.box is None
                continue
            geometries = shapely.from_wkb([row[1] for row in rows])
            assert np.array_equal(held.shapes.coords, shapely.get_coordinates(geometries)), layer.name
            assert held.box == tuple(shapely.total_bounds(geometries).tolist())
            for k, attribute in enumerate(layer.attributes, 2):
                got = held.columns[attribute.name][:]
                for value, row in zip(got, rows, strict=True):
                    if row[k] is None:
                        assert value is None or np.isnat(value)
                    elif attribute.kind == "date-time":
                        assert abs(value.astype("int64") / 1e6 - row[k].timestamp()) < 1e-5
                    elif attribute.kind == "date":
                        assert value == np.datetime64(row[k], "D")
                    else:
                        assert value == row[k], (layer.name, attribute.name)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Changes are looked for at every request."""
    monkeypatch.setattr(store_module, "RECENT_SECONDS", 0.0)


def layer_of(planned: Planned, name: str) -> Layer:
    with planned.engine.connect() as connection:
        return offered(connection)[name]


def same_as_reloaded(held_layers: HeldLayers, planned: Planned, layer: Layer) -> HeldLayer:
    held = held_layers.get(layer)
    assert described(held) == described(HeldLayers(planned.engine).get(layer))
    return held


@pytest.mark.usefixtures("quick")
def test_what_changes_is_seen_row_by_row(planned_copy: Planned) -> None:
    held_layers = HeldLayers(planned_copy.engine)
    c = t.facilities.c
    layer = layer_of(planned_copy, "facilities")
    first = held_layers.get(layer)
    assert held_layers.get(layer) is first, "nothing changed"
    ids = first.ids
    assert ids is not None
    with planned_copy.engine.begin() as connection:
        row = dict(connection.execute(sa.select(t.facilities).where(c.id == int(ids[3]))).mappings().one())
        connection.execute(sa.delete(t.facilities).where(c.id == int(ids[0])))
        connection.execute(
            sa.update(t.facilities)
            .where(c.id == int(ids[1]))
            .values(name="新名字", geometry=sa.text("ST_SetSRID(ST_Translate(geometry, 0.001, 0.002), 4490)"))
        )
        row = {k: v for k, v in row.items() if k not in ("id", "mercator")} | {"facility_id": "new-1", "name": "天"}
        connection.execute(sa.insert(t.facilities).values(**row))
    second = same_as_reloaded(held_layers, planned_copy, layer)
    assert len(second) == len(first)
    assert "新名字" in second.columns["name"][:]
    assert "新名字" not in first.columns["name"][:], "a held layer never changes"
    with planned_copy.engine.begin() as connection:
        connection.execute(sa.delete(t.facilities))
    assert len(same_as_reloaded(held_layers, planned_copy, layer)) == 0
    components = layer_of(planned_copy, "components_01")
    before = held_layers.get(components)
    with planned_copy.engine.begin() as connection:
        code = str(before.keys[0])
        connection.execute(sa.update(t.components).where(t.components.c.component_code == code).values(note="检查"))
    assert held_layers.get(components).columns["note"][0] == "检查"
    same_as_reloaded(held_layers, planned_copy, components)


@pytest.mark.usefixtures("quick")
def test_publishing_changes_the_grids_in_force_and_keeps_the_old(planned_copy: Planned) -> None:
    held_layers = HeldLayers(planned_copy.engine)
    layer = layer_of(planned_copy, "grids")
    with planned_copy.engine.connect() as connection:
        current = current_generation(connection)
    assert current is not None
    old = held_layers.get(layer)
    assert held_layers.get(layer, current.id) is old
    plan, _, _ = workflow.plan_for_area(planned_copy.engine, planned_copy.area, band=BAND, seed=7)
    workflow.publish(planned_copy.engine, plan)
    new = same_as_reloaded(held_layers, planned_copy, layer)
    assert new is not old
    assert new.generation == current.id + 1
    again = held_layers.get(layer, current.id)
    assert again.keys.tolist() == old.keys.tolist()
    assert np.array_equal(again.shapes.coords, old.shapes.coords)
    assert new.label_points is not None
    window = new.window(View("CRS:84", new.box or (0, 0, 1, 1), 800, 800), 0.0)
    assert len(window.rows) == len(new)


def test_a_change_is_seen_within_a_second(planned_copy: Planned) -> None:
    held_layers = HeldLayers(planned_copy.engine)
    layer = layer_of(planned_copy, "buildings")
    before = held_layers.get(layer)
    with planned_copy.engine.begin() as connection:
        connection.execute(sa.delete(t.buildings).where(t.buildings.c.id == int(before.keys[0])))
    time.sleep(1.02)
    assert len(held_layers.get(layer)) == len(before) - 1


def test_many_threads_load_a_layer_once(planned: Planned, monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[str] = []
    read = store_module.read

    def counted(connection: sa.Connection, layer: Layer, *rest: object) -> object:
        loads.append(layer.name)
        return read(connection, layer, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(store_module, "read", counted)
    held_layers = HeldLayers(planned.engine)
    layer = layer_of(planned, "buildings")
    found: list[HeldLayer] = []
    threads = [threading.Thread(target=lambda: found.append(held_layers.get(layer))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert loads == ["buildings"]
    assert len({id(held) for held in found}) == 1


def test_the_least_used_layer_goes_when_memory_is_short(planned: Planned) -> None:
    with planned.engine.connect() as connection:
        layers = offered(connection)
    roomy = HeldLayers(planned.engine, budget_bytes=BUDGET)
    buildings, streets = roomy.get(layers["buildings"]), roomy.get(layers["streets"])
    most = max(buildings.nbytes, streets.nbytes) + 1_000
    tight = HeldLayers(planned.engine, budget_bytes=most)
    first = tight.get(layers["buildings"])
    assert tight.get(layers["buildings"]) is first
    tight.get(layers["streets"])
    assert tight.nbytes <= most
    assert tight.get(layers["buildings"]) is not first
    assert roomy.get(layers["buildings"]) is buildings
