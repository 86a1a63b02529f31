"""Who may come in and do what; what was changed by whom."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "audit_head",
        sa.Column("one", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("one", name=op.f("audit_head_one_row_check")),
        sa.PrimaryKeyConstraint("one", name=op.f("audit_head_pkey")),
    )
    op.create_table(
        "audit_log",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.TIMESTAMP(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("principal", sa.Text(), server_default="", nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("changes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("origin", sa.Text(), server_default="", nullable=False),
        sa.Column("previous", sa.LargeBinary(), nullable=True),
        sa.Column("hash", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("audit_log_pkey")),
        sa.UniqueConstraint("seq", name=op.f("audit_log_seq_key")),
    )
    op.create_index("audit_log_subject_idx", "audit_log", ["subject", "id"], unique=False)
    op.create_table(
        "idempotency_keys",
        sa.Column("principal", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("headers", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("length(key) BETWEEN 1 AND 200", name=op.f("idempotency_keys_key_length_check")),
        sa.PrimaryKeyConstraint("principal", "key", name=op.f("idempotency_keys_pkey")),
    )
    op.create_index("idempotency_keys_at_idx", "idempotency_keys", ["at"], unique=False)
    op.create_table(
        "sign_in_failures",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("about", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("sign_in_failures_pkey")),
    )
    op.create_index("sign_in_failures_about_idx", "sign_in_failures", ["about", "at"], unique=False)
    op.create_table(
        "tokens",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("hint", sa.Text(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("author", sa.Text(), server_default="", nullable=False),
        sa.Column("expires_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("used_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("tokens_pkey")),
        sa.UniqueConstraint("secret_hash", name=op.f("tokens_secret_hash_key")),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("issuer", sa.Text(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("disabled", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("login ~ '^[a-z0-9][a-z0-9._@-]{0,63}$'", name=op.f("users_login_form_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("users_pkey")),
        sa.UniqueConstraint("issuer", "subject", name=op.f("users_issuer_subject_key")),
        sa.UniqueConstraint("login", name=op.f("users_login_key")),
    )
    op.create_table(
        "grants",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("user", sa.BigInteger(), nullable=True),
        sa.Column("token", sa.BigInteger(), nullable=True),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("area", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("area ~ '^([0-9]{6}|[0-9]{9}|[0-9]{12})?$'", name=op.f("grants_area_form_check")),
        sa.CheckConstraint(
            "role IN ('viewer', 'reporter', 'dispatcher', 'analyst', 'planner', 'admin')",
            name=op.f("grants_role_known_check"),
        ),
        sa.CheckConstraint('("user" IS NULL) <> (token IS NULL)', name=op.f("grants_holder_one_check")),
        sa.ForeignKeyConstraint(["token"], ["tokens.id"], name=op.f("grants_token_fkey"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user"], ["users.id"], name=op.f("grants_user_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("grants_pkey")),
    )
    op.create_index(
        "grants_token_idx",
        "grants",
        ["token", "role", "area"],
        unique=True,
        postgresql_where=sa.text("token IS NOT NULL"),
    )
    op.create_index(
        "grants_user_idx",
        "grants",
        ["user", "role", "area"],
        unique=True,
        postgresql_where=sa.text('"user" IS NOT NULL'),
    )
    op.create_table(
        "sessions",
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("user", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("used_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user"], ["users.id"], name=op.f("sessions_user_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("secret_hash", name=op.f("sessions_pkey")),
    )
    op.create_index("sessions_user_idx", "sessions", ["user"], unique=False)
    op.execute("INSERT INTO audit_head (hash) VALUES (sha256('gisgrid'))")
    op.add_column("jobs", sa.Column("owner", sa.Text(), server_default="", nullable=False))
    op.add_column("jobs", sa.Column("request", sa.Text(), server_default="", nullable=False))
    op.add_column("generations", sa.Column("override", sa.Text(), server_default="", nullable=False))
    op.add_column("generations", sa.Column("problems", postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.create_check_constraint(
        op.f("generations_override_has_problems_check"), "generations", "(override = '') = (problems IS NULL)"
    )
    op.add_column("publications", sa.Column("override", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    """Take the change back."""
    op.drop_column("publications", "override")
    op.drop_constraint(op.f("generations_override_has_problems_check"), "generations")
    op.drop_column("generations", "problems")
    op.drop_column("generations", "override")
    op.drop_column("jobs", "request")
    op.drop_column("jobs", "owner")
    op.drop_index("sessions_user_idx", table_name="sessions")
    op.drop_table("sessions")
    op.drop_index("grants_user_idx", table_name="grants", postgresql_where=sa.text('"user" IS NOT NULL'))
    op.drop_index("grants_token_idx", table_name="grants", postgresql_where=sa.text("token IS NOT NULL"))
    op.drop_table("grants")
    op.drop_table("users")
    op.drop_table("tokens")
    op.drop_index("sign_in_failures_about_idx", table_name="sign_in_failures")
    op.drop_table("sign_in_failures")
    op.drop_index("idempotency_keys_at_idx", table_name="idempotency_keys")
    op.drop_table("idempotency_keys")
    op.drop_index("audit_log_subject_idx", table_name="audit_log")
    op.drop_table("audit_log")
    op.drop_table("audit_head")
