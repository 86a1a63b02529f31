"""Service circles by district, community and grid; times of every building; blind spots.

Circles are computed from what is stored, so those of the old shape are dropped rather than converted.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql as pg

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

COUNTS = tuple(
    f"{who}{which}"
    for who in ("buildings", "residents", "elderly")
    for which in ("", "_assessed", "_covered", "_straight")
)
OLD_COUNTS = tuple(f"{who}{which}" for who in ("buildings", "residents") for which in ("", "_assessed", "_covered"))


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), server_default="0", nullable=False)


def _run(table: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("run", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["circle_runs.id"], name=op.f(f"{table}_run_fkey"), ondelete="CASCADE"),
    ]


def upgrade() -> None:
    """Apply the change."""
    op.execute("DELETE FROM circle_runs")
    op.drop_table("circle_coverage")
    op.create_table(
        "circle_coverage",
        *_run("circle_coverage"),
        *[sa.Column(name, sa.Text(), nullable=False) for name in ("category", "place", "code")],
        *[_count(name) for name in COUNTS],
        sa.CheckConstraint(
            "place IN ('district', 'community', 'grid')", name=op.f("circle_coverage_place_known_check")
        ),
        sa.PrimaryKeyConstraint("run", "category", "place", "code", name=op.f("circle_coverage_pkey")),
    )
    op.create_table(
        "circle_residences",
        *_run("circle_residences"),
        sa.Column("building", sa.BigInteger(), nullable=False),
        sa.Column("assessable", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("score", sa.REAL(), nullable=True),
        sa.Column("seconds", pg.ARRAY(sa.Integer()), nullable=False),
        sa.PrimaryKeyConstraint("run", "building", name=op.f("circle_residences_pkey")),
    )
    op.create_table(
        "circle_blind_spots",
        *_run("circle_blind_spots"),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        *[_count(name) for name in ("buildings", "residents", "elderly", "square_metres")],
        sa.Column("nearest", sa.Text(), nullable=True),
        sa.Column("seconds", sa.Integer(), nullable=True),
        sa.Column("extra_seconds", sa.Integer(), nullable=True),
        sa.Column("communities", pg.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("geometry", Geometry("MULTIPOLYGON", srid=4490, spatial_index=False), nullable=False),
        sa.CheckConstraint(
            "ST_IsValid(geometry) AND NOT ST_IsEmpty(geometry)", name=op.f("circle_blind_spots_geometry_valid_check")
        ),
        sa.PrimaryKeyConstraint("run", "category", "rank", name=op.f("circle_blind_spots_pkey")),
    )
    op.create_index("circle_blind_spots_geometry_idx", "circle_blind_spots", ["geometry"], postgresql_using="gist")


def downgrade() -> None:
    """Undo the change."""
    op.execute("DELETE FROM circle_runs")
    op.drop_table("circle_blind_spots")
    op.drop_table("circle_residences")
    op.drop_table("circle_coverage")
    op.create_table(
        "circle_coverage",
        *_run("circle_coverage"),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("grid_code", sa.Text(), nullable=False),
        *[_count(name) for name in OLD_COUNTS],
        sa.PrimaryKeyConstraint("run", "category", "grid_code", name=op.f("circle_coverage_pkey")),
    )
