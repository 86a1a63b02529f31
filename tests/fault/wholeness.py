"""What must hold of a city after every fault: one active generation, whole, with a history that equals its state."""

from __future__ import annotations

import sqlalchemy as sa

from data import plans
from data.audit_chain import verify
from data.audit_state import compare
from data.plans import current_generation, grids_in_force
from data.tables import COMPREHENSIVE
from planning.checking import check_levels

_CONSISTENT: dict[str, str] = {
    "generations in force other than one, the newest": """
        SELECT id FROM (SELECT max(id) FILTER (WHERE is_current) AS id, max(id) AS newest,
                        count(*) FILTER (WHERE is_current) AS number FROM generations) g
        WHERE number <> 1 OR id <> newest""",
    "published plans without exactly one generation of their own, drafts with one": """
        SELECT p.id FROM plans p LEFT JOIN generations g ON g.plan = p.id AND g.restored IS NULL
        GROUP BY p.id, p.status HAVING count(g.id) <> CASE p.status WHEN 'published' THEN 1 ELSE 0 END""",
    "grids whose time does not begin with their plan's generation": """
        SELECT g.id FROM grids g JOIN plans p ON p.id = g.plan LEFT JOIN generations m ON m.plan = p.id
        AND m.restored IS NULL WHERE (p.status = 'draft') <> (g.generations IS NULL)
        OR (g.generations IS NOT NULL AND lower(g.generations) <> m.id)""",
    "grids that end with no generation": """
        SELECT g.id FROM grids g WHERE upper(g.generations) IS NOT NULL
        AND NOT EXISTS (SELECT FROM generations m WHERE m.id = upper(g.generations))""",
    "codes in force twice in one generation": """
        SELECT g.code FROM generations m JOIN grids g ON g.generations @> m.id GROUP BY m.id, g.code HAVING count(*) > 1""",
    "generations whose grids do not cover the communities": f"""
        SELECT m.id FROM generations m JOIN grids g ON g.generations @> m.id AND g.level = 1 AND g.system = '{COMPREHENSIVE}'
        GROUP BY m.id HAVING abs(sum(ST_Area(g.geometry))
        / (SELECT sum(ST_Area(a.geometry)) FROM areas a WHERE a.level = 'community') - 1) > 1e-6""",
    "publications that say otherwise than their plans": """
        SELECT q.id FROM publications q JOIN plans p ON p.id = q.plan LEFT JOIN generations m ON m.id = q.generation
        WHERE (q.state = 'done') <> (q.generation IS NOT NULL) OR (q.state = 'done' AND m.plan <> q.plan)
        OR (q.state = 'waiting' AND p.status <> 'draft') OR q.state = 'refused'""",
    "drafts with units of two grids or grids of no plan": """
        SELECT o.unit FROM owners o LEFT JOIN grids g ON g.id = o.grid WHERE g.plan IS DISTINCT FROM o.plan""",
}


def faults_of(engine: sa.Engine, area: str) -> list[str]:
    """What is not as it must be; nothing, if all is well."""
    with engine.connect() as connection:
        found = [
            f"{what}: {rows[:5]}"
            for what, query in _CONSISTENT.items()
            if (rows := connection.execute(sa.text(query)).scalars().all())
        ]
        made = current_generation(connection)
        assert made is not None
        grids = grids_in_force(connection, made.id, level=None)
        report = check_levels(grids, plans.communities_of(connection, area))
        found += [] if report.ok else report.lines()
        found += _audit_faults(connection)
    return found


def _audit_faults(connection: sa.Connection) -> list[str]:
    """What the audit log's own proof finds, and where rows are not as it says they became."""
    faults = [f"audit log: {fault}" for fault in verify(connection).faults]
    return faults + [f"history and state: {fault}" for fault in compare(connection).faults]
