"""Every area and every published grid has a number for MapIt, given once and kept."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

NUMBER_THEM = """
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO mapit_ids (code)
    SELECT DISTINCT n.code FROM new_rows n
    WHERE {wanted} AND NOT EXISTS (SELECT FROM mapit_ids m WHERE m.code = n.code)
    ORDER BY n.code
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$
"""
TRIGGER = """
CREATE TRIGGER mapit_ids_{event} AFTER {event} ON {table}
REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION {name}()
"""
NUMBERED = {"areas": "true", "grids": "n.generations IS NOT NULL"}


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "mapit_ids",
        sa.Column("id", sa.Integer(), sa.Identity(always=True, start=10_000_001), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("mapit_ids_pkey")),
        sa.UniqueConstraint("code", name=op.f("mapit_ids_code_key")),
    )
    # the index of the rule «a code once a generation» finds a code some hundred times slower
    op.create_index("grids_code_idx", "grids", ["code"])
    op.execute(
        "INSERT INTO mapit_ids (code) SELECT code FROM "
        "(SELECT code FROM areas UNION SELECT code FROM grids WHERE generations IS NOT NULL) AS known ORDER BY code"
    )
    for table, wanted in NUMBERED.items():
        name = f"number_{table}_for_mapit"
        op.execute(NUMBER_THEM.format(name=name, wanted=wanted))
        for event in ("insert", "update"):
            op.execute(TRIGGER.format(event=event, table=table, name=name))


def downgrade() -> None:
    """Take the change back."""
    for table in NUMBERED:
        for event in ("insert", "update"):
            op.execute(f"DROP TRIGGER mapit_ids_{event} ON {table}")
        op.execute(f"DROP FUNCTION number_{table}_for_mapit()")
    op.drop_index("grids_code_idx", "grids")
    op.drop_table("mapit_ids")
