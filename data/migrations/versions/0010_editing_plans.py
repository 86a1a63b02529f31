"""Plans are edited, talked about and published at a time to come; reports are given to another grid for a reason."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql as pg

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

NEW_TABLES = ("reassignments", "job_previews", "publications", "plan_comments", "plan_edits")


def _text(name: str, default: str = "") -> sa.Column[str]:
    return sa.Column(name, sa.Text(), server_default=default, nullable=False)


def _time(name: str, *, now: bool = True) -> sa.Column[object]:
    default = sa.text("now()") if now else None
    return sa.Column(name, sa.TIMESTAMP(timezone=True), server_default=default, nullable=False)


def _serial() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False)


def _link(table: str, column: str, to: str, *, end: str | None = "CASCADE") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [to], name=op.f(f"{table}_{column}_fkey"), ondelete=end)


def _key(table: str, column: str = "id") -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(column, name=op.f(f"{table}_pkey"))


def upgrade() -> None:
    """Apply the change."""
    op.add_column("plans", _time("updated_at"))
    op.add_column("plans", _text("author"))
    op.add_column("plans", sa.Column("source", sa.BigInteger(), nullable=True))
    op.add_column("plans", _text("note"))
    op.create_foreign_key(op.f("plans_source_fkey"), "plans", "plans", ["source"], ["id"], ondelete="SET NULL")
    op.add_column("grids", sa.Column("locked", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("generations", _text("author"))
    op.add_column("generations", sa.Column("restored", sa.Integer(), nullable=True))
    op.create_foreign_key(op.f("generations_restored_fkey"), "generations", "generations", ["restored"], ["id"])
    op.create_table(
        "plan_edits",
        _serial(),
        sa.Column("plan", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        _time("at"),
        _text("author"),
        _text("note"),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("operations", pg.JSONB(), nullable=False),
        _link("plan_edits", "plan", "plans.id"),
        _key("plan_edits"),
        sa.UniqueConstraint("plan", "version", name=op.f("plan_edits_plan_version_key")),
        sa.UniqueConstraint("plan", "key", name=op.f("plan_edits_plan_key_key")),
    )
    op.create_table(
        "plan_comments",
        _serial(),
        sa.Column("plan", sa.BigInteger(), nullable=False),
        _time("at"),
        _text("author"),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("grid_code", sa.Text(), nullable=True),
        sa.Column("place", Geometry("POINT", srid=4490, spatial_index=False), nullable=True),
        sa.Column("resolved", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.CheckConstraint("length(body) BETWEEN 1 AND 4000", name=op.f("plan_comments_body_length_check")),
        _link("plan_comments", "plan", "plans.id"),
        _key("plan_comments"),
    )
    op.create_index("plan_comments_plan_idx", "plan_comments", ["plan", "id"])
    op.create_table(
        "publications",
        _serial(),
        sa.Column("plan", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        _time("effective_at", now=False),
        _time("asked_at"),
        _text("author"),
        _text("note"),
        _text("state", "waiting"),
        sa.Column("generation", sa.Integer(), nullable=True),
        _text("fault"),
        sa.CheckConstraint(
            "state IN ('waiting', 'done', 'refused', 'cancelled')", name=op.f("publications_state_known_check")
        ),
        _link("publications", "plan", "plans.id"),
        _link("publications", "generation", "generations.id", end=None),
        _key("publications"),
    )
    op.create_index(
        "publications_one_waiting_idx", "publications", ["plan"], unique=True,
        postgresql_where=sa.text("state = 'waiting'"),
    )  # fmt: skip
    op.create_table(
        "job_previews",
        sa.Column("job", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        _time("at"),
        sa.Column("figures", pg.JSONB(), server_default="{}", nullable=False),
        sa.Column("unit_set", sa.BigInteger(), nullable=False),
        sa.Column("assignment", sa.LargeBinary(), nullable=False),
        _link("job_previews", "job", "jobs.id"),
        _link("job_previews", "unit_set", "unit_sets.id"),
        _key("job_previews", "job"),
    )
    op.create_table(
        "reassignments",
        _serial(),
        sa.Column("report", sa.BigInteger(), nullable=False),
        _time("at"),
        _text("author"),
        sa.Column("from_grid", sa.Text(), nullable=True),
        sa.Column("to_grid", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint("length(reason) BETWEEN 1 AND 2000", name=op.f("reassignments_reason_length_check")),
        _link("reassignments", "report", "reports.id"),
        _link("reassignments", "generation", "generations.id", end=None),
        _key("reassignments"),
    )
    op.create_index("reassignments_report_idx", "reassignments", ["report", "id"])


def downgrade() -> None:
    """Undo the change."""
    for table in NEW_TABLES:
        op.drop_table(table)
    op.drop_constraint(op.f("generations_restored_fkey"), "generations")
    op.drop_constraint(op.f("plans_source_fkey"), "plans")
    for table, columns in (
        ("generations", ("restored", "author")),
        ("grids", ("locked",)),
        ("plans", ("note", "source", "author", "updated_at")),
    ):
        for column in columns:
            op.drop_column(table, column)
