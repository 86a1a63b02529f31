"""The catalogue of a district with everything in it: every layer can be read, and says all it must."""

from __future__ import annotations

import sqlalchemy as sa

from data.plans import current_generation
from gisgrid.models import Band
from layers.catalog import offered
from layers.styles import styles, styles_of, with_names
from tests.conftest import Planned


def test_every_layer_can_be_read_and_has_a_style(planned: Planned) -> None:
    with planned.engine.connect() as connection:
        layers = offered(connection)
        known = with_names(styles(Band(300, 500)), layers.values())
        generation = current_generation(connection)
        assert generation is not None
        for layer in layers.values():
            columns = [layer.key, layer.geometry, layer.mercator, *layer.properties.values()]
            query = sa.select(*columns).select_from(layer.table).where(*layer.conditions(generation.id)).limit(3)
            connection.execute(query).all()
            assert styles_of(layer, known)[0].name == layer.style
            assert layer.title_zh
            assert layer.title_en
            assert set(layer.reads)
            if layer.label:
                assert layer.attribute(layer.label)
            assert layer.group is None or layer.group in layers
    assert {"grids", "areas_community", "components_01", "circles", "blind_spots", "drafts", "reports_heat"} <= set(
        layers
    )


def test_parts_add_up_to_their_whole(planned: Planned) -> None:
    with planned.engine.connect() as connection:
        layers = offered(connection)
        generation = current_generation(connection)
        assert generation is not None

        def count(name: str) -> int:
            layer = layers[name]
            rows = sa.select(sa.func.count()).select_from(layer.table).where(*layer.conditions(generation.id))
            return int(connection.scalar(rows) or 0)

        for base in ("components", "areas", "facilities", "circles", "blind_spots"):
            parts = [name for name, layer in layers.items() if layer.base == base]
            assert sum(count(name) for name in parts) == count(base), base
