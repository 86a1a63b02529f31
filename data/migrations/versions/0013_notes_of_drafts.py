"""What changes nothing but drafts is noted apart: what is in force stays in every cache while planners work."""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

BEFORE = """
CREATE OR REPLACE FUNCTION note_layer_change() RETURNS trigger LANGUAGE plpgsql AS $$
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
# a note of both kinds of rows counts as one of those in force
NOTE = """
CREATE OR REPLACE FUNCTION note_layer_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  rows_changed bigint;
  named bigint[];
  noted bigint;
  noted_as text := TG_TABLE_NAME;
BEGIN
  IF TG_OP <> 'TRUNCATE' THEN
    SELECT count(*) INTO rows_changed FROM (SELECT 1 FROM changed LIMIT 1001) AS few;
    IF rows_changed = 0 THEN
      RETURN NULL;
    END IF;
    IF rows_changed <= 1000 AND TG_ARGV[0] = 'id' THEN
      SELECT array_agg(id) INTO named FROM changed;
    END IF;
    IF TG_TABLE_NAME = 'grids' THEN
      IF NOT EXISTS (SELECT FROM changed WHERE generations IS NOT NULL) THEN noted_as := 'draft_grids'; END IF;
    ELSIF TG_TABLE_NAME = 'plans' THEN
      IF NOT EXISTS (SELECT FROM changed WHERE status <> 'draft') THEN noted_as := 'draft_plans'; END IF;
    END IF;
  END IF;
  INSERT INTO layer_changes (layer, keys) VALUES (noted_as, named) RETURNING id INTO noted;
  IF noted % 1000 = 0 THEN
    DELETE FROM layer_changes WHERE (layer, id) IN (
      SELECT layer, id FROM layer_changes
      WHERE layer = noted_as AND id < noted - 10000 AND at < clock_timestamp() - interval '10 minutes'
      FOR UPDATE SKIP LOCKED
    );
  END IF;
  RETURN NULL;
END
$$
"""


def upgrade() -> None:
    """Apply the change."""
    op.execute(NOTE)


def downgrade() -> None:
    """Undo the change. Revisions go on: what was noted apart counts for the table again."""
    op.execute(BEFORE)
    op.execute("UPDATE layer_changes SET layer = substr(layer, 7) WHERE layer IN ('draft_grids', 'draft_plans')")
