"""Thematic layers 专题图层: whatever else a city wants on its maps, with attributes of its own."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from data.tables.base import geometry, mercator, metadata, one_of, serial, sound, spatial_index, text

thematic_layers = sa.Table(
    "thematic_layers",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    *[text(name) for name in ("title_zh", "title_en", "shape")],
    # in order: name, kind (JSON Schema's word)
    sa.Column("attributes", pg.JSONB, nullable=False, server_default="[]"),
    text("label"),
    # the style as its author gave it (SLD); empty: the usual one of the shape
    text("sld"),
    sa.Column("changed_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.CheckConstraint("name ~ '^[A-Za-z][A-Za-z0-9_.:-]{0,59}$'", name="name_plain"),
    one_of("shape", ("point", "line", "polygon", "mixed")),
)

thematic_features = sa.Table(
    "thematic_features",
    metadata,
    serial(),
    sa.Column("layer", sa.Text, sa.ForeignKey("thematic_layers.name", ondelete="CASCADE"), nullable=False),
    sa.Column("properties", pg.JSONB, nullable=False, server_default="{}"),
    geometry("GEOMETRY"),
    mercator(),
    *sound(),
    spatial_index("thematic_features"),
    sa.Index("thematic_features_layer_idx", "layer", "id"),
)
