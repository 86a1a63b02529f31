"""Alembic migrations of the gisgrid schema."""
