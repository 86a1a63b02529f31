"""Every change is written down in the transaction that makes it, and sealed as it commits."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

COVERING = (
    "(SELECT a.code FROM areas a WHERE a.level = 'community' AND ST_Covers(a.geometry, {}) ORDER BY a.code LIMIT 1)"
)
OF_PLAN = "(SELECT p.area FROM plans p WHERE p.id = r.plan)"
OF_REPORT = (
    "(SELECT a.code FROM reports p JOIN areas a ON a.level = 'community' AND ST_Covers(a.geometry, p.geometry) "
    "WHERE p.id = r.report ORDER BY a.code LIMIT 1)"
)
OF_PLACE = "CASE WHEN length(r.place) = 20 THEN substr(r.place, 7, 12) ELSE r.place END"
# table: key, what is left out (secrets, and what is no change of anything), the area a row ``r`` belongs to
TABLES = {
    "areas": ("code", "", "r.code"),
    "users": ("id", "password_hash", "''"),
    "tokens": ("id", "secret_hash,used_at", "''"),
    "grants": ("id", "", "r.area"),
    "plans": ("id", "", "r.area"),
    "grids": ("id", "", "r.community"),
    "plan_edits": ("id", "", OF_PLAN),
    "plan_comments": ("id", "", OF_PLAN),
    "publications": ("id", "", OF_PLAN),
    "generations": ("id", "", OF_PLAN),
    "components": ("id", "", COVERING.format("ST_PointOnSurface(r.geometry)")),
    "facilities": ("id", "", COVERING.format("r.geometry")),
    "reports": ("id", "token", COVERING.format("r.geometry")),
    "report_updates": ("id", "", OF_REPORT),
    "reassignments": ("id", "", OF_REPORT),
    "posts": ("id", "", OF_PLACE),
    "webhooks": ("id", "secret", "r.area"),
}
EVENTS = {
    "insert": "AFTER INSERT ON {} REFERENCING NEW TABLE AS fresh",
    "update": "AFTER UPDATE ON {} REFERENCING OLD TABLE AS stale NEW TABLE AS fresh",
    "delete": "AFTER DELETE ON {} REFERENCING OLD TABLE AS stale",
    "truncate": "BEFORE TRUNCATE ON {}",
}

# rows as they are kept: given columns, geometry as hexadecimal WKB, times in UTC
WRITE = """
CREATE FUNCTION audit_write() RETURNS trigger LANGUAGE plpgsql SET timezone = 'UTC' SET datestyle = 'ISO' AS $function$
DECLARE
  whole_rows CONSTANT integer := 500;
  key CONSTANT text := quote_ident(TG_ARGV[0]);
  area CONSTANT text := TG_ARGV[2];
  nothing CONSTANT text := 'SELECT NULL::text AS k, 0 AS n, NULL::jsonb AS key, NULL::jsonb AS j, NULL::text AS area LIMIT 0';
  columns text;
  told text;
  gone text := nothing;
  come text := nothing;
  number bigint;
BEGIN
  IF TG_OP = 'TRUNCATE' THEN
    EXECUTE format('SELECT count(*) FROM %s', TG_RELID::regclass) INTO number;
  ELSIF TG_OP = 'DELETE' THEN
    SELECT count(*) INTO number FROM stale;
  ELSE
    SELECT count(*) INTO number FROM fresh;
  END IF;
  IF number = 0 THEN
    RETURN NULL;
  END IF;
  SELECT string_agg(
    CASE WHEN t.typname = 'geometry' THEN format('encode(ST_AsBinary(r.%1$I), ''hex'') AS %1$I', a.attname)
         ELSE format('r.%I', a.attname) END, ', ' ORDER BY a.attnum)
    INTO columns
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    WHERE a.attrelid = TG_RELID AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
      AND a.attname <> ALL (string_to_array(TG_ARGV[1], ','));
  told := format('to_jsonb((SELECT x FROM (SELECT %s) AS x))', columns);

  IF TG_OP = 'INSERT' AND number > whole_rows AND key = 'id' THEN
    EXECUTE format($sql$
      INSERT INTO audit_log (principal, name, subject, action, rows, reason, origin, areas, changes)
      SELECT w.principal, w.name, %1$L, 'insert', d.rows, w.reason, w.origin, '{}', jsonb_build_object('digest', jsonb_build_object(
        'rows', d.rows, 'ids', d.ids, 'sha256', encode(d.hash, 'hex')))
      FROM audit_who() AS w, (
        SELECT count(*)::integer AS rows, range_agg(int8range(r.id, r.id, '[]'))::text AS ids,
          sha256(string_agg(sha256(convert_to(%2$s::text, 'UTF8')), ''::bytea ORDER BY r.id)) AS hash
        FROM fresh AS r) AS d
    $sql$, TG_TABLE_NAME, told);
    RETURN NULL;
  END IF;

  IF TG_OP = 'UPDATE' THEN
    gone := format($sql$
      SELECT r.%1$s::text AS k, 0 AS n, to_jsonb(r.%1$s) AS key, %2$s AS j, NULL::text AS area
      FROM stale AS r JOIN touched ON touched.k = r.%1$s $sql$, key, told);
    come := format($sql$
      SELECT r.%1$s::text AS k, 0 AS n, to_jsonb(r.%1$s) AS key, %2$s AS j, %3$s AS area
      FROM fresh AS r JOIN touched ON touched.k = r.%1$s $sql$, key, told, area);
  ELSE
    told := format('SELECT r.%1$s::text AS k, 0 AS n, to_jsonb(r.%1$s) AS key, %2$s AS j, %3$s AS area FROM %4$s AS r',
      key, told, area, CASE TG_OP WHEN 'INSERT' THEN 'fresh' WHEN 'DELETE' THEN 'stale' ELSE TG_RELID::regclass::text END);
    IF TG_OP = 'INSERT' THEN come := told; ELSE gone := told; END IF;
  END IF;
  EXECUTE format($sql$
    WITH touched AS MATERIALIZED (%1$s), gone AS MATERIALIZED (%2$s), come AS MATERIALIZED (%3$s),
    pair AS (
      SELECT coalesce(o.key, n.key) AS key, coalesce(n.area, o.area, '') AS area, o.j AS old, n.j AS new
      FROM gone AS o FULL JOIN come AS n ON o.k = n.k),
    change AS (
      SELECT key, area, old, new, row_number() OVER (ORDER BY key) - 1 AS n,
        CASE WHEN old IS NULL OR new IS NULL THEN old ELSE
          (SELECT jsonb_object_agg(e.key, e.value) FROM jsonb_each(old) AS e WHERE e.value IS DISTINCT FROM new -> e.key)
        END AS before,
        CASE WHEN old IS NULL OR new IS NULL THEN new ELSE
          (SELECT jsonb_object_agg(e.key, e.value) FROM jsonb_each(new) AS e WHERE e.value IS DISTINCT FROM old -> e.key)
        END AS after
      FROM pair WHERE old IS DISTINCT FROM new)
    INSERT INTO audit_log (principal, name, subject, action, rows, reason, origin, ids, areas, changes)
    SELECT w.principal, w.name, %4$L, %5$L, count(*), w.reason, w.origin, array_agg(c.key #>> '{}' ORDER BY c.n),
      array_agg(DISTINCT c.area ORDER BY c.area),
      jsonb_agg(jsonb_build_object('id', c.key, 'area', c.area, 'before', c.before, 'after', c.after) ORDER BY c.n)
    FROM change AS c, audit_who() AS w
    GROUP BY c.n / %6$s, w.principal, w.name, w.reason, w.origin
    ORDER BY c.n / %6$s
  $sql$,
    CASE TG_OP WHEN 'UPDATE' THEN format(
      'SELECT coalesce(o.%1$s, n.%1$s) AS k FROM stale AS o FULL JOIN fresh AS n ON o.%1$s = n.%1$s '
      'WHERE (o *<> n) IS NOT FALSE', key) ELSE 'SELECT 1' END,
    gone, come, TG_TABLE_NAME, CASE TG_OP WHEN 'TRUNCATE' THEN 'delete' ELSE lower(TG_OP) END, whole_rows);
  RETURN NULL;
END
$function$
"""
# who the application says it is; somebody at a database client says nothing
WHO = """
CREATE FUNCTION audit_who(OUT principal text, OUT name text, OUT reason text, OUT origin text)
LANGUAGE sql STABLE AS $$
  SELECT coalesce(nullif(current_setting('gisgrid.principal', true), ''), 'sql:' || session_user),
    coalesce(current_setting('gisgrid.name', true), ''), coalesce(current_setting('gisgrid.reason', true), ''),
    coalesce(current_setting('gisgrid.origin', true), '')
$$
"""
# length:text of every field, so that no two entries have one text; data/audit.py has the same
TEXT = """
CREATE FUNCTION audit_text(entry audit_log) RETURNS bytea LANGUAGE sql STABLE AS $$
  SELECT string_agg(convert_to(octet_length(convert_to(field, 'UTF8')) || ':' || field, 'UTF8'), ''::bytea ORDER BY n)
  FROM unnest(ARRAY[
    entry.seq::text, entry.id::text, to_char(entry.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'),
    entry.principal, entry.name, entry.subject, entry.action, entry.rows::text, entry.reason, entry.origin,
    array_to_string(entry.ids, ','), array_to_string(entry.areas, ','), entry.changes::text
  ]) WITH ORDINALITY AS fields (field, n)
$$
"""
# runs as the transaction commits: who writes waits for others' commits, never for their work
SEAL = """
CREATE FUNCTION audit_seal() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  head audit_head;
  entry audit_log;
  sealed bytea;
BEGIN
  SELECT * INTO STRICT head FROM audit_head FOR UPDATE;
  SELECT * INTO STRICT entry FROM audit_log WHERE id = NEW.id;
  entry.seq := head.seq + 1;
  entry.at := statement_timestamp();
  sealed := sha256(head.hash || audit_text(entry));
  UPDATE audit_log SET seq = entry.seq, at = entry.at, previous = head.hash, hash = sealed WHERE id = NEW.id;
  UPDATE audit_head SET seq = entry.seq, hash = sealed;
  RETURN NULL;
END
$$
"""
GUARD = """
CREATE FUNCTION audit_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- that a backup was restored is no change of a row; the entry is sealed like any other
  IF TG_LEVEL = 'ROW' AND TG_TABLE_NAME = 'audit_log' AND TG_OP = 'INSERT' THEN
    IF NEW.subject = 'database' AND NEW.action = 'restore' AND NEW.seq IS NULL AND NEW.previous IS NULL
      AND NEW.hash IS NULL THEN RETURN NEW; END IF;
  END IF;
  IF TG_LEVEL = 'ROW' AND pg_trigger_depth() > 1 THEN
    IF TG_TABLE_NAME = 'audit_head' THEN
      IF TG_OP = 'UPDATE' AND NEW.seq = OLD.seq + 1 THEN RETURN NEW; END IF;
    ELSIF TG_OP = 'INSERT' THEN
      IF NEW.seq IS NULL AND NEW.previous IS NULL AND NEW.hash IS NULL THEN RETURN NEW; END IF;
    ELSIF TG_OP = 'UPDATE' THEN
      IF OLD.hash IS NULL AND (to_jsonb(NEW) - '{seq,at,previous,hash}'::text[])
          = (to_jsonb(OLD) - '{seq,at,previous,hash}'::text[]) THEN RETURN NEW; END IF;
    END IF;
  END IF;
  RAISE EXCEPTION '% of % is refused: the audit log is only ever added to, by the changes themselves', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'insufficient_privilege';
END
$$
"""


def upgrade() -> None:
    """Apply the change."""
    for name in ("ids", "areas"):
        op.add_column("audit_log", sa.Column(name, pg.ARRAY(sa.Text()), server_default="{}", nullable=False))
    op.create_index("audit_log_subject_at_idx", "audit_log", ["subject", "at"], unique=False)
    op.create_index("audit_log_ids_idx", "audit_log", ["ids"], unique=False, postgresql_using="gin")
    since = sa.Column("since", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False)
    op.add_column("audit_head", since)
    for function in (WHO, TEXT, WRITE, SEAL, GUARD):
        op.execute(sa.text(function.replace(":", "\\:")))
    op.execute(
        "CREATE CONSTRAINT TRIGGER audit_log_seal AFTER INSERT ON audit_log DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION audit_seal()"
    )
    for table in ("audit_log", "audit_head"):
        op.execute(
            f"CREATE TRIGGER {table}_guard BEFORE INSERT OR UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION audit_guard()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_guard_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION audit_guard()"
        )
    for table, given in TABLES.items():
        key, left_out, area = (value.replace("'", "''") for value in given)
        for event, when in EVENTS.items():
            op.execute(
                f"CREATE TRIGGER {table}_audit_{event} {when.format(table)} FOR EACH STATEMENT "
                f"EXECUTE FUNCTION audit_write('{key}', '{left_out}', '{area}')"
            )


def downgrade() -> None:
    """Take the change back."""
    for table in TABLES:
        for event in EVENTS:
            op.execute(f"DROP TRIGGER {table}_audit_{event} ON {table}")
    for table in ("audit_log", "audit_head"):
        op.execute(f"DROP TRIGGER {table}_guard ON {table}")
        op.execute(f"DROP TRIGGER {table}_guard_truncate ON {table}")
    op.execute("DROP TRIGGER audit_log_seal ON audit_log")
    for function in ("audit_guard()", "audit_seal()", "audit_write()", "audit_text(audit_log)", "audit_who()"):
        op.execute(f"DROP FUNCTION {function}")
    op.drop_column("audit_head", "since")
    op.drop_index("audit_log_ids_idx", table_name="audit_log")
    op.drop_index("audit_log_subject_at_idx", table_name="audit_log")
    for name in ("areas", "ids"):
        op.drop_column("audit_log", name)
