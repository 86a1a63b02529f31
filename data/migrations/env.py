"""Alembic environment: runs on the connection handed over by `data.db.upgrade_schema`."""

from __future__ import annotations

from alembic import context
from geoalchemy2 import alembic_helpers

from data.tables import metadata


def compare_object(
    obj: object, name: str | None, type_: str, reflected: bool, compare_to: object, *args: object
) -> bool:
    """Leave PostGIS's own tables and what other extensions made out of comparisons."""
    if type_ == "table" and reflected and name not in metadata.tables:
        return False
    return bool(alembic_helpers.include_object(obj, name, type_, reflected, compare_to))  # type: ignore[no-untyped-call]


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    include_object=compare_object,
    process_revision_directives=alembic_helpers.writer,
    render_item=alembic_helpers.render_item,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
