"""Reports keep how they were located, their updates, the component and department; posts; webhooks; jobs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

NOW = sa.text("now()")
STAGES = "'发现上报', '指挥派遣', '处置反馈', '事件评价', '结案归档'"
REPORT_TEXTS = ("address", "address_id", "media_url", "status_notes", "component_code", "department")


def _text(name: str, default: str = "") -> sa.Column[str]:
    return sa.Column(name, sa.Text(), server_default=default, nullable=False)


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False)


def _time(name: str, *, nullable: bool = False) -> sa.Column[object]:
    default = None if nullable else NOW
    return sa.Column(name, sa.TIMESTAMP(timezone=True), server_default=default, nullable=nullable)


def upgrade() -> None:
    """Apply the change."""
    for name in REPORT_TEXTS:
        op.add_column("reports", _text(name))
    op.add_column("reports", sa.Column("located", pg.JSONB(), server_default="{}", nullable=False))
    op.add_column("reports", sa.Column("token", sa.Text(), nullable=True))
    op.add_column("reports", _time("updated_at"))
    op.add_column("reports", _time("expected_at", nullable=True))
    op.create_unique_constraint(op.f("reports_token_key"), "reports", ["token"])
    op.create_index("reports_updated_at_idx", "reports", ["updated_at"])
    op.create_table(
        "report_updates",
        _id(),
        sa.Column("report", sa.BigInteger(), nullable=False),
        sa.Column("update_id", sa.Text(), nullable=True),
        _time("at"),
        _text("stage", "发现上报"),
        *[_text(name) for name in ("note", "media_url", "channel")],
        sa.Column("grid_code", sa.Text(), nullable=True),
        sa.Column("generation", sa.Integer(), nullable=True),
        sa.CheckConstraint(f"stage IN ({STAGES})", name=op.f("report_updates_stage_known_check")),
        sa.ForeignKeyConstraint(
            ["report"], ["reports.id"], name=op.f("report_updates_report_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["generation"], ["generations.id"], name=op.f("report_updates_generation_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("report_updates_pkey")),
        sa.UniqueConstraint("report", "update_id", name=op.f("report_updates_report_update_id_key")),
    )
    op.create_index("report_updates_at_idx", "report_updates", ["at"])
    op.create_table(
        "webhooks",
        _id(),
        *[sa.Column(name, sa.Text(), nullable=False) for name in ("name", "url", "secret")],
        sa.Column("events", pg.ARRAY(sa.Text()), server_default="{}", nullable=False),
        _text("area"),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        _time("created_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("webhooks_pkey")),
        sa.UniqueConstraint("name", name=op.f("webhooks_name_key")),
    )
    op.create_table(
        "webhook_deliveries",
        _id(),
        sa.Column("webhook", sa.BigInteger(), nullable=False),
        sa.Column("report", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("payload", pg.JSONB(), nullable=False),
        _text("state", "waiting"),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        _time("created_at"),
        _time("next_at"),
        _time("finished_at", nullable=True),
        sa.Column("answer_status", sa.SmallInteger(), nullable=True),
        _text("fault"),
        sa.CheckConstraint(
            "state IN ('waiting', 'delivered', 'given_up')", name=op.f("webhook_deliveries_state_known_check")
        ),
        sa.ForeignKeyConstraint(
            ["webhook"], ["webhooks.id"], name=op.f("webhook_deliveries_webhook_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("webhook_deliveries_pkey")),
    )
    op.create_index(
        "webhook_deliveries_waiting_idx",
        "webhook_deliveries",
        ["webhook", "report", "id"],
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_table(
        "posts",
        _id(),
        *[sa.Column(name, sa.Text(), nullable=False) for name in ("place", "role", "post")],
        _text("department"),
        sa.Column("first", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint("place ~ '^[0-9]{6,30}$'", name=op.f("posts_place_digits_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("posts_pkey")),
        sa.UniqueConstraint("place", "role", "post", name=op.f("posts_place_role_post_key")),
    )
    op.create_table(
        "jobs",
        _id(),
        sa.Column("kind", sa.Text(), nullable=False),
        _text("state", "queued"),
        sa.Column("params", pg.JSONB(), server_default="{}", nullable=False),
        sa.Column("share", sa.Float(), server_default="0", nullable=False),
        _text("note"),
        sa.Column("cancel_asked", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("result", pg.JSONB(), nullable=True),
        sa.Column("error", pg.JSONB(), nullable=True),
        *[sa.Column(name, sa.Integer(), server_default="0", nullable=False) for name in ("attempts", "revision")],
        _time("created_at"),
        _time("started_at", nullable=True),
        _time("finished_at", nullable=True),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'done', 'failed', 'cancelled')", name=op.f("jobs_state_known_check")
        ),
        sa.CheckConstraint("share BETWEEN 0 AND 1", name=op.f("jobs_share_is_one_check")),
        sa.CheckConstraint("attempts >= 0", name=op.f("jobs_attempts_not_negative_check")),
        sa.CheckConstraint("revision >= 0", name=op.f("jobs_revision_not_negative_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("jobs_pkey")),
    )
    op.create_index("jobs_state_idx", "jobs", ["state"])


def downgrade() -> None:
    """Undo the change."""
    for name in ("jobs", "posts", "webhook_deliveries", "webhooks", "report_updates"):
        op.drop_table(name)
    op.drop_index("reports_updated_at_idx", "reports")
    op.drop_constraint(op.f("reports_token_key"), "reports", type_="unique")
    for name in ("expected_at", "updated_at", "token", "located", *reversed(REPORT_TEXTS)):
        op.drop_column("reports", name)
