"""Thematic layers: tables for layers with attributes of their own, their changes noted like those of all others."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql as pg

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

EVENTS = (("insert", "NEW"), ("update", "NEW"), ("delete", "OLD"))


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), server_default="", nullable=False)


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "thematic_layers",
        sa.Column("name", sa.Text(), nullable=False),
        *[_text(name) for name in ("title_zh", "title_en", "shape")],
        sa.Column("attributes", pg.JSONB(), server_default="[]", nullable=False),
        _text("label"),
        _text("sld"),
        sa.Column("changed_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("name ~ '^[A-Za-z][A-Za-z0-9_.:-]{0,59}$'", name=op.f("thematic_layers_name_plain_check")),
        sa.CheckConstraint(
            "shape IN ('point', 'line', 'polygon', 'mixed')", name=op.f("thematic_layers_shape_known_check")
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("thematic_layers_pkey")),
    )
    op.create_table(
        "thematic_features",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("layer", sa.Text(), nullable=False),
        sa.Column("properties", pg.JSONB(), server_default="{}", nullable=False),
        sa.Column("geometry", Geometry("GEOMETRY", srid=4490, spatial_index=False), nullable=False),
        sa.Column(
            "mercator",
            Geometry("GEOMETRY", srid=3857, spatial_index=False),
            sa.Computed("web_mercator(geometry)", persisted=True),
            nullable=True,
        ),
        sa.CheckConstraint(
            "ST_IsValid(geometry) AND NOT ST_IsEmpty(geometry)", name=op.f("thematic_features_geometry_valid_check")
        ),
        sa.ForeignKeyConstraint(
            ["layer"], ["thematic_layers.name"], name=op.f("thematic_features_layer_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("thematic_features_pkey")),
    )
    op.create_index("thematic_features_geometry_idx", "thematic_features", ["geometry"], postgresql_using="gist")
    op.create_index("thematic_features_layer_idx", "thematic_features", ["layer", "id"])
    for table, key in (("thematic_features", "id"), ("thematic_layers", "")):
        for event, rows in EVENTS:
            op.execute(
                f"CREATE TRIGGER {table}_note_{event} AFTER {event} ON {table} "
                f"REFERENCING {rows} TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_layer_change('{key}')"
            )
        op.execute(
            f"CREATE TRIGGER {table}_note_truncate AFTER TRUNCATE ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION note_layer_change('{key}')"
        )


def downgrade() -> None:
    """Undo the change."""
    op.drop_table("thematic_features")
    op.drop_table("thematic_layers")
