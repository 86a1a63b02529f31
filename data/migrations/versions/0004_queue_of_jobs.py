"""The queue's own schema is kept track of; webhooks can be paused; due deliveries are found by an index."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from data.queue import drop_queue

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change. The queue's tables themselves follow in `data.queue.keep_in_step`."""
    op.create_table(
        "queue_migrations",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("queue_migrations_pkey")),
    )
    op.add_column("webhooks", sa.Column("paused", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.create_index(
        "webhook_deliveries_due_idx",
        "webhook_deliveries",
        ["webhook", "next_at", "id"],
        postgresql_where=sa.text("state = 'waiting'"),
    )


def downgrade() -> None:
    """Undo the change; what is queued is lost."""
    drop_queue(op.get_bind())
    op.drop_index("webhook_deliveries_due_idx", "webhook_deliveries")
    op.drop_column("webhooks", "paused")
    op.drop_table("queue_migrations")
