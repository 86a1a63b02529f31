"""The tables, as SQLAlchemy Core. Rules that must always hold are constraints: the database keeps them.

Geometry is stored in CGCS2000 (EPSG:4490), longitude first. A *plan* owns units and grids; *publishing* it opens a
*generation*. A grid is in force for the generations in its ``generations`` range (empty for drafts), so a code names
one grid in any generation and old generations stay queryable.
"""

from __future__ import annotations

from data.tables.access import grants, idempotency_keys, sessions, sign_in_failures, tokens, users
from data.tables.audit import AUDITED, NOT_TOLD, RESTORED, RIGHTS, WHOLE_ROWS, audit_head, audit_log
from data.tables.base import AREA_LEVELS, COMPREHENSIVE, MERCATOR_SRID, SRID, STAGES, STATES, metadata
from data.tables.changes import NOTED, NOTES, layer_changes
from data.tables.components import component_classes, components
from data.tables.editing import (
    PUBLICATION_STATES,
    job_previews,
    plan_comments,
    plan_edits,
    publications,
    reassignments,
)
from data.tables.ids import mapit_ids
from data.tables.places import addresses, areas, barriers, buildings, streets, walls, water
from data.tables.plans import generations, grids, owners, plans, unit_sets, units
from data.tables.reports import DELIVERY_STATES, posts, report_updates, reports, webhook_deliveries, webhooks
from data.tables.services import (
    circle_blind_spots,
    circle_coverage,
    circle_polygons,
    circle_residences,
    circle_runs,
    facilities,
    facility_categories,
)
from data.tables.thematic import thematic_features, thematic_layers
from data.tables.work import JOB_STATES, imports, jobs, queue_migrations

__all__ = [
    "AREA_LEVELS", "AUDITED", "COMPREHENSIVE", "DELIVERY_STATES", "JOB_STATES", "MERCATOR_SRID", "NOTED", "NOTES",
    "NOT_TOLD",
    "PUBLICATION_STATES", "RESTORED", "RIGHTS", "SRID", "STAGES", "STATES", "WHOLE_ROWS", "addresses", "areas",
    "audit_head",
    "audit_log", "barriers", "buildings", "circle_blind_spots", "circle_coverage", "circle_polygons",
    "circle_residences", "circle_runs", "component_classes", "components", "facilities", "facility_categories",
    "generations", "grants", "grids", "idempotency_keys", "imports", "job_previews", "jobs", "layer_changes",
    "mapit_ids", "metadata", "owners", "plan_comments", "plan_edits", "plans", "posts", "publications",
    "queue_migrations", "reassignments", "report_updates", "reports", "sessions", "sign_in_failures", "streets",
    "thematic_features", "thematic_layers", "tokens", "unit_sets", "units", "users", "walls", "water",
    "webhook_deliveries", "webhooks",
]  # fmt: skip
