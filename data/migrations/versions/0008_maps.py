"""Layers for maps: shapes in Web Mercator, and a note of every change so that what is held in memory can follow."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql as pg

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

SHAPES = (
    "addresses", "areas", "barriers", "buildings", "circle_blind_spots", "circle_polygons", "components", "facilities",
    "grids", "reports", "streets", "units", "walls", "water",
)  # fmt: skip
WITH_ID = {
    "addresses", "barriers", "buildings", "components", "facilities", "grids", "plans", "reports", "streets", "units",
    "walls", "water",
}  # fmt: skip
NOTED = (*SHAPES, "circle_runs", "facility_categories", "generations", "plans")
EVENTS = (("insert", "NEW"), ("update", "NEW"), ("delete", "OLD"))

# Web Mercator ends at 85.06 degrees: what lies beyond is cut off
MERCATOR = """
CREATE FUNCTION web_mercator(shape geometry) RETURNS geometry
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE
  WHEN ST_YMin(shape) >= -85.06 AND ST_YMax(shape) <= 85.06 THEN ST_Transform(shape, 3857)
  ELSE ST_Transform(ST_ClipByBox2D(shape, ST_MakeEnvelope(-180, -85.06, 180, 85.06, 4490)), 3857)
END
"""
# Names up to 1,000 rows. Old notes go now and then; the newest 10,000 and the last ten minutes stay.
NOTE = """
CREATE FUNCTION note_layer_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  rows_changed bigint;
  named bigint[];
  noted bigint;
BEGIN
  IF TG_OP <> 'TRUNCATE' THEN
    SELECT count(*) INTO rows_changed FROM (SELECT 1 FROM changed LIMIT 1001) AS few;
    IF rows_changed = 0 THEN
      RETURN NULL;
    END IF;
    IF rows_changed <= 1000 AND TG_ARGV[0] = 'id' THEN
      SELECT array_agg(id) INTO named FROM changed;
    END IF;
  END IF;
  INSERT INTO layer_changes (layer, keys) VALUES (TG_TABLE_NAME, named) RETURNING id INTO noted;
  IF noted % 1000 = 0 THEN
    DELETE FROM layer_changes WHERE (layer, id) IN (
      SELECT layer, id FROM layer_changes
      WHERE layer = TG_TABLE_NAME AND id < noted - 10000 AND at < clock_timestamp() - interval '10 minutes'
      FOR UPDATE SKIP LOCKED
    );
  END IF;
  RETURN NULL;
END
$$
"""


def upgrade() -> None:
    """Apply the change."""
    op.execute(MERCATOR)
    for table in SHAPES:
        op.add_column(
            table,
            sa.Column(
                "mercator",
                Geometry("GEOMETRY", srid=3857, spatial_index=False, from_text="ST_GeomFromEWKT", name="geometry"),
                sa.Computed("web_mercator(geometry)", persisted=True),
                nullable=True,
            ),
        )
    op.create_table(
        "layer_changes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("layer", sa.Text(), nullable=False),
        sa.Column("keys", pg.ARRAY(sa.BigInteger()), nullable=True),
        sa.Column(
            "transaction",
            sa.BigInteger(),
            server_default=sa.text("((pg_current_xact_id())::text)::bigint"),
            nullable=False,
        ),
        sa.Column("at", sa.TIMESTAMP(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.PrimaryKeyConstraint("layer", "id", name=op.f("layer_changes_pkey")),
    )
    op.execute(NOTE)
    for table in NOTED:
        key = "id" if table in WITH_ID else ""
        for event, rows in EVENTS:
            op.execute(
                f"CREATE TRIGGER {table}_note_{event} AFTER {event} ON {table} "
                f"REFERENCING {rows} TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_layer_change('{key}')"
            )
        op.execute(
            f"CREATE TRIGGER {table}_note_truncate AFTER TRUNCATE ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION note_layer_change('{key}')"
        )


def downgrade() -> None:
    """Undo the change."""
    for table in NOTED:
        for event in (*[event for event, _ in EVENTS], "truncate"):
            op.execute(f"DROP TRIGGER {table}_note_{event} ON {table}")
    op.execute("DROP FUNCTION note_layer_change()")
    op.drop_table("layer_changes")
    for table in SHAPES:
        op.drop_column(table, "mercator")
    op.execute("DROP FUNCTION web_mercator(geometry)")
