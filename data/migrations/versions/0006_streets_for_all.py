"""Streets say who may use them and how fast; closed gates and bollards are kept."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TOLD = ("bicycle", "car", "oneway_bicycle")


def upgrade() -> None:
    """Apply the change."""
    for name in TOLD:
        op.add_column("streets", sa.Column(name, sa.Boolean(), nullable=True))
    op.add_column("streets", sa.Column("speed", sa.SmallInteger(), nullable=True))
    op.create_check_constraint(op.f("streets_speed_positive_check"), "streets", "speed > 0")
    op.create_table(
        "barriers",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("source", sa.Text(), server_default="", nullable=False),
        sa.Column("barrier_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), server_default="gate", nullable=False),
        *[sa.Column(name, sa.Boolean(), nullable=True) for name in ("foot", "bicycle", "car")],
        sa.Column("geometry", Geometry("POINT", srid=4490, spatial_index=False), nullable=False),
        sa.CheckConstraint(
            "ST_IsValid(geometry) AND NOT ST_IsEmpty(geometry)", name=op.f("barriers_geometry_valid_check")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("barriers_pkey")),
        sa.UniqueConstraint("source", "barrier_id", name=op.f("barriers_source_barrier_id_key")),
    )
    op.create_index("barriers_geometry_idx", "barriers", ["geometry"], postgresql_using="gist")


def downgrade() -> None:
    """Undo the change."""
    op.drop_table("barriers")
    op.drop_constraint(op.f("streets_speed_positive_check"), "streets")
    for name in (*TOLD, "speed"):
        op.drop_column("streets", name)
