"""People and systems that may come in, what they were given, and answers kept for those who ask twice."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from data.tables.base import flag, metadata, one_of, serial, text
from gisgrid.access import ROLES


def _time(name: str, *, now: bool = False) -> sa.Column[object]:
    default = sa.func.now() if now else None
    return sa.Column(name, sa.TIMESTAMP(timezone=True), nullable=not now, server_default=default)


users = sa.Table(
    "users",
    metadata,
    serial(),
    # lower case; what is typed to sign in
    sa.Column("login", sa.Text, nullable=False, unique=True),
    text("name"),
    # argon2id, None for those whom the identity provider vouches for
    sa.Column("password_hash", sa.Text),
    # issuer and subject of the identity provider
    sa.Column("issuer", sa.Text),
    sa.Column("subject", sa.Text),
    flag("disabled"),
    _time("created_at", now=True),
    sa.UniqueConstraint("issuer", "subject"),
    sa.CheckConstraint("login ~ '^[a-z0-9][a-z0-9._@-]{0,63}$'", name="login_form"),
)

tokens = sa.Table(
    "tokens",
    metadata,
    serial(),
    sa.Column("name", sa.Text, nullable=False),
    # SHA-256 of the secret, which is random enough to need no slower one
    sa.Column("secret_hash", sa.LargeBinary, nullable=False, unique=True),
    # its first letters, by which people tell tokens apart
    sa.Column("hint", sa.Text, nullable=False),
    _time("created_at", now=True),
    # the principal who made it
    text("author"),
    _time("expires_at"),
    _time("revoked_at"),
    _time("used_at"),
)

grants = sa.Table(
    "grants",
    metadata,
    serial(),
    sa.Column("user", sa.BigInteger, sa.ForeignKey("users.id", ondelete="CASCADE")),
    sa.Column("token", sa.BigInteger, sa.ForeignKey("tokens.id", ondelete="CASCADE")),
    sa.Column("role", sa.Text, nullable=False),
    # code of an area and everything inside it; empty: everywhere
    text("area"),
    one_of("role", tuple(ROLES)),
    sa.CheckConstraint('("user" IS NULL) <> (token IS NULL)', name="holder_one"),
    sa.CheckConstraint("area ~ '^([0-9]{6}|[0-9]{9}|[0-9]{12})?$'", name="area_form"),
    sa.Index("grants_user_idx", "user", "role", "area", unique=True, postgresql_where=sa.text('"user" IS NOT NULL')),
    sa.Index("grants_token_idx", "token", "role", "area", unique=True, postgresql_where=sa.text("token IS NOT NULL")),
)

sessions = sa.Table(
    "sessions",
    metadata,
    # SHA-256 of what the cookie holds
    sa.Column("secret_hash", sa.LargeBinary, primary_key=True),
    sa.Column("user", sa.BigInteger, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    _time("created_at", now=True),
    _time("used_at", now=True),
    sa.Column("expires_at", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Index("sessions_user_idx", "user"),
)

sign_in_failures = sa.Table(
    "sign_in_failures",
    metadata,
    serial(),
    _time("at", now=True),
    # SHA-256 of the login, or of the address, that failed: neither is kept
    sa.Column("about", sa.LargeBinary, nullable=False),
    sa.Index("sign_in_failures_about_idx", "about", "at"),
)

idempotency_keys = sa.Table(
    "idempotency_keys",
    metadata,
    # the principal, so that nobody is answered what another was
    sa.Column("principal", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    # SHA-256 of method, address and body: the same key with another request is a mistake
    sa.Column("request", sa.LargeBinary, nullable=False),
    _time("at", now=True),
    # None while the first request is still worked on
    sa.Column("status", sa.Integer),
    sa.Column("headers", pg.JSONB),
    sa.Column("body", sa.LargeBinary),
    sa.CheckConstraint("length(key) BETWEEN 1 AND 200", name="key_length"),
    sa.Index("idempotency_keys_at_idx", "at"),
)
