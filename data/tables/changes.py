"""What changed in the tables that layers are read from, noted by triggers."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from data.tables.base import metadata
from data.tables.components import components
from data.tables.places import addresses, areas, barriers, buildings, streets, walls, water
from data.tables.plans import generations, grids, plans, units
from data.tables.reports import reports
from data.tables.services import (
    circle_blind_spots,
    circle_polygons,
    circle_runs,
    facilities,
    facility_categories,
)
from data.tables.thematic import thematic_features, thematic_layers

THIS_TRANSACTION = "((pg_current_xact_id())::text)::bigint"

# one row a statement, never updated: writers do not wait for each other
layer_changes = sa.Table(
    "layer_changes",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True)),
    sa.Column("layer", sa.Text, nullable=False),
    # ids of the rows; null: too many to name, or the table has none
    sa.Column("keys", pg.ARRAY(sa.BigInteger)),
    sa.Column("transaction", sa.BigInteger, nullable=False, server_default=sa.text(THIS_TRANSACTION)),
    sa.Column("at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.text("clock_timestamp()")),
    sa.PrimaryKeyConstraint("layer", "id"),
)

NOTED = (
    addresses, areas, barriers, buildings, circle_blind_spots, circle_polygons, circle_runs, components, facilities,
    facility_categories, generations, grids, plans, reports, streets, thematic_features, thematic_layers,
    units, walls, water,
)  # fmt: skip
"""Tables whose changes are noted."""
NOTES = {**{table.name: table.name for table in NOTED}, "draft_grids": "grids", "draft_plans": "plans"}
"""Names changes are noted under, with their tables. Planners change drafts every second: what touches nothing but
drafts is noted apart, so that what is in force stays in every cache."""
