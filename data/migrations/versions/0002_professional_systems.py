"""Plans have a system; professional grids have codes of their own and may lie over several communities; a grid may be
the published grid of its code, drawn anew; a code names one grid of all systems."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.add_column("plans", sa.Column("system", sa.Text(), server_default="综合", nullable=False))
    op.create_unique_constraint(op.f("plans_id_system_key"), "plans", ["id", "system"])
    op.add_column("grids", sa.Column("continues", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.alter_column("grids", "community", existing_type=sa.Text(), nullable=True)
    op.drop_constraint(op.f("grids_plan_fkey"), "grids", type_="foreignkey")
    op.create_foreign_key(op.f("grids_plan_system_fkey"), "grids", "plans", ["plan", "system"], ["id", "system"])
    op.drop_constraint(op.f("grids_code_in_community_check"), "grids", type_="check")
    op.create_check_constraint(
        op.f("grids_code_in_community_check"),
        "grids",
        "system <> '综合' OR (community IS NOT NULL AND left(code, 12) = community)",
    )
    op.create_check_constraint(
        op.f("grids_professional_code_check"),
        "grids",
        "system = '综合' OR (code ~ '^[0-9]{20}$' AND level = 1 AND parent IS NULL "
        "AND (community IS NULL OR substr(code, 7, 12) = community))",
    )
    op.execute("ALTER TABLE grids DROP CONSTRAINT grids_code_once_a_generation")
    op.execute(
        "ALTER TABLE grids ADD CONSTRAINT grids_code_once_a_generation "
        "EXCLUDE USING gist (code WITH =, generations WITH &&) WHERE (generations IS NOT NULL)"
    )


def downgrade() -> None:
    """Undo the change; fails while professional grids are stored."""
    op.execute("ALTER TABLE grids DROP CONSTRAINT grids_code_once_a_generation")
    op.execute(
        "ALTER TABLE grids ADD CONSTRAINT grids_code_once_a_generation "
        "EXCLUDE USING gist (system WITH =, code WITH =, generations WITH &&) WHERE (generations IS NOT NULL)"
    )
    op.drop_constraint(op.f("grids_professional_code_check"), "grids", type_="check")
    op.drop_constraint(op.f("grids_code_in_community_check"), "grids", type_="check")
    op.create_check_constraint(op.f("grids_code_in_community_check"), "grids", "left(code, 12) = community")
    op.drop_constraint(op.f("grids_plan_system_fkey"), "grids", type_="foreignkey")
    op.create_foreign_key(op.f("grids_plan_fkey"), "grids", "plans", ["plan"], ["id"])
    op.alter_column("grids", "community", existing_type=sa.Text(), nullable=False)
    op.drop_column("grids", "continues")
    op.drop_constraint(op.f("plans_id_system_key"), "plans", type_="unique")
    op.drop_column("plans", "system")
