"""Putting a draft plan in force: a new generation, in one transaction, with codes that never named another grid."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from data import tables as t
from data.plans import Generation, area_names, codes_ever_published, codes_in_force, grids_of_plan
from data.tables import COMPREHENSIVE
from gisgrid.errors import Conflict, NotFound
from gisgrid.numbering import grid_names, professional_codes, professional_home, professional_names, renumber

_PUBLISH_LOCK = 44900001
MAINLY = 0.5
"""A professional grid with this share of its ground under the new layer is replaced by it."""
SLIVER_M2 = 1.0
SLIVER_SHARE = 0.001
"""Common ground of old and new professional grids below either is two drawings of one border."""


def alone(connection: sa.Connection) -> None:
    """Wait until nobody else publishes; held to the end of the transaction."""
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_PUBLISH_LOCK)))


def lock_grids(connection: sa.Connection, *which: sa.ColumnElement[bool]) -> None:
    """Keep grids from being changed by others to the end of the transaction: their rows, in the order of their ids, as
    everybody takes them who takes several."""
    query = sa.select(t.grids.c.id).where(sa.or_(*which)).order_by(t.grids.c.id)
    connection.execute(query.with_for_update())


def publish_plan(connection: sa.Connection, plan: int, *, note: str = "", author: str = "", **about: Any) -> Generation:
    """Make a plan's grids, of all levels, the ones in force: a new generation, in the caller's transaction.

    Comprehensive grids replace those of their communities; professional grids those of their own system that they
    mainly cover; all others go on. A code that an earlier generation gave to another grid is replaced by a fresh one,
    also in the codes of the grids inside: a retired code is never reused. Only a grid that continues one in force keeps
    its code. ``about``: further columns of the generation. Raises NotFound, and Conflict when the plan is published
    already or its grids cut into professional grids that would go on.
    """
    alone(connection)
    row = connection.execute(sa.select(t.plans).where(t.plans.c.id == plan).with_for_update()).mappings().first()
    if row is None:
        raise NotFound(f"plan {plan} does not exist; 'gisgrid plans' lists those that do")
    if row["status"] != "draft":
        raise Conflict(f"plan {plan} is published already; make a new plan to change grids")
    ended = ended_by(connection, plan, row["system"])
    lock_grids(connection, t.grids.c.plan == plan, ended)
    renumber_taken(connection, plan, row["system"])
    made = open_generation(connection, plan=plan, note=note, author=author, **about)
    end_grids(connection, ended, made.id)
    still = sa.func.int4range(made.id, None, "[)")
    connection.execute(sa.update(t.grids).where(t.grids.c.plan == plan).values(generations=still))
    version = t.plans.c.version + 1
    connection.execute(
        sa.update(t.plans)
        .where(t.plans.c.id == plan)
        .values(status="published", version=version, updated_at=sa.func.now())
    )
    return made


def open_generation(connection: sa.Connection, **about: Any) -> Generation:
    """A new generation, the current one from now on, with no grids of its own yet."""
    connection.execute(sa.update(t.generations).where(t.generations.c.is_current).values(is_current=False))
    made = connection.execute(sa.insert(t.generations).values(is_current=True, **about).returning(t.generations))
    return Generation(**made.mappings().one())


def end_grids(connection: sa.Connection, which: sa.ColumnElement[bool], generation: int) -> None:
    """Let grids in force be in force up to a generation, itself left out."""
    lived = sa.func.int4range(sa.func.lower(t.grids.c.generations), generation, "[)")
    connection.execute(sa.update(t.grids).where(which).values(generations=lived))


def ended_by(connection: sa.Connection, plan: int, system: str) -> sa.ColumnElement[bool]:
    """Which grids in force end when a draft is published. Raises Conflict when it cuts into grids that would go on."""
    return _replaced(plan) if system == COMPREHENSIVE else _covered(connection, plan, system)


def renumber_taken(connection: sa.Connection, plan: int, system: str) -> None:
    """Give new codes to grids of a draft whose codes belong to other grids by now; names made of numbers follow.

    A grid that continues another keeps its code while that one is in force.
    """
    for row, values in new_numbers(connection, grids_of_plan(connection, plan), system).items():
        connection.execute(sa.update(t.grids).where(t.grids.c.id == row).values(**values))


def new_numbers(connection: sa.Connection, grids: gpd.GeoDataFrame, system: str) -> dict[int, dict[str, str]]:
    """What publishing changes in the rows of a draft's grids, by id: ``code``, and ``parent`` and ``name`` that follow.

    grids: those of the draft, as `data.plans.grids_of_plan` reads them.
    """
    communities = sorted(set(grids["community"].dropna()))
    taken = codes_ever_published(connection, communities, system=system)
    now = set(codes_in_force(connection, communities, system=system))
    kept = set(grids.loc[grids["continues"], "code"]) & now
    old = grids["code"].to_numpy(object)
    centres = grids.geometry.representative_point()
    xs, ys = centres.x.to_numpy(), centres.y.to_numpy()
    if system == COMPREHENSIVE:
        parents = np.where(grids["level"] > 1, grids["parent"], grids["community"])
        new = renumber(old, parents, xs, ys, taken=taken, kept=kept)
    else:
        new = _professional(old, xs, ys, set(taken), kept)
    changed = np.flatnonzero(new != old)
    if not changed.size:
        return {}
    places = area_names(connection)
    if system == COMPREHENSIVE:
        follow = dict(zip(old, new, strict=True))
        above = np.array([follow.get(parent, parent) for parent in parents], dtype=object)
        before, after = grid_names(old, parents, places), grid_names(new, above, places)
    else:
        above = np.full(len(new), None, object)
        before, after = professional_names(old, system, places), professional_names(new, system, places)
    found = {}
    for row in changed.tolist():
        values = {"code": str(new[row])}
        if grids["level"].iloc[row] > 1:
            values["parent"] = above[row]
        if grids["name"].iloc[row] == before[row]:
            values["name"] = after[row]
        found[int(grids["id"].iloc[row])] = values
    return found


def _professional(
    codes: npt.NDArray[np.object_], xs: npt.NDArray[np.float64], ys: npt.NDArray[np.float64], taken: set[str],
    kept: set[str],
) -> npt.NDArray[np.object_]:  # fmt: skip
    new = codes.copy()
    clash = np.array([code in taken and code not in kept for code in codes], dtype=bool)
    used = taken | set(codes)
    for subject in sorted({code[:6] for code in codes[clash]}):
        rows = np.flatnonzero(clash & np.array([code.startswith(subject) for code in codes], dtype=bool))
        homes = [professional_home(code) for code in codes[rows]]
        new[rows] = professional_codes(subject, homes, xs[rows], ys[rows], taken=used)
    return new


def _replaced(plan: int) -> sa.ColumnElement[bool]:
    """Comprehensive grids in force in the communities of a plan, of any level."""
    communities = sa.select(t.grids.c.community).where(t.grids.c.plan == plan)
    return sa.and_(
        sa.func.upper_inf(t.grids.c.generations),
        t.grids.c.community.in_(communities),
        t.grids.c.system == COMPREHENSIVE,
    )


def _covered(connection: sa.Connection, plan: int, system: str) -> sa.ColumnElement[bool]:
    """Grids in force of a professional system that a plan's grids mainly cover or continue.

    Raises Conflict when one that is neither would overlap them: it would no longer be a division.
    """
    old, new = t.grids.alias("old"), t.grids.alias("new")
    common = sa.func.sum(sa.func.ST_Area(sa.func.ST_Intersection(old.c.geometry, new.c.geometry)))
    # PostGIS measures on the ellipsoid of WGS 84; CGCS2000's differs by a tenth of a millimetre
    m2 = sa.func.ST_Area(sa.func.geography(sa.func.ST_Transform(old.c.geometry, 4326)))
    query = (
        sa.select(old.c.id, old.c.code, (common / sa.func.ST_Area(old.c.geometry)).label("share"), m2.label("m2"))
        .select_from(old.join(new, sa.func.ST_Intersects(old.c.geometry, new.c.geometry)))
        .where(new.c.plan == plan, old.c.system == system, sa.func.upper_inf(old.c.generations))
        .group_by(old.c.id)
        .order_by(old.c.code)
    )
    continued = set(connection.scalars(sa.select(t.grids.c.code).where(t.grids.c.plan == plan, t.grids.c.continues)))
    over: list[int] = []
    for row in connection.execute(query):
        if row.share >= MAINLY:
            over.append(row.id)
        elif row.code not in continued and row.share > SLIVER_SHARE and row.share * row.m2 > SLIVER_M2:
            raise Conflict(
                f"plan {plan} cuts {row.share * row.m2:.0f} m² ({row.share:.1%}) off the {system} grid {row.code}, "
                "which would go on; plan or import the system's grids for all of that grid's ground"
            )
    same = sa.and_(t.grids.c.system == system, sa.func.upper_inf(t.grids.c.generations))
    return sa.and_(same, sa.or_(t.grids.c.id.in_(over), t.grids.c.code.in_(sorted(continued))))
