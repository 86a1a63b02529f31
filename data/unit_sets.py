"""Which units a plan of an area is made of: the area's own set, or one put together from those around and inside it."""

from __future__ import annotations

import sqlalchemy as sa

from data import tables as t
from data.loading import insert_one, stored_names
from data.plans import communities_of
from gisgrid.errors import NotFound

u = t.units.c


def unit_set_for(connection: sa.Connection, area: str) -> int:
    """The newest set of units of just this area; where there is none, one copied from the newest sets that reach into
    its communities. Raises NotFound for an unknown area and for a community without units.

    A copy is found again as long as the sets it is made of are the newest ones.
    """
    communities = [str(code) for code in communities_of(connection, area)["code"]]
    sets, derived = t.unit_sets.c, t.unit_sets.c.params.has_key("from")
    own = connection.scalar(sa.select(sa.func.max(sets.id)).where(sets.area == area, ~derived))
    if own is not None:
        return int(own)
    made_here = sa.select(sets.id).where(~derived)
    rows = connection.execute(
        sa.select(u.community, sa.func.max(u.unit_set))
        .where(u.community.in_(communities), u.unit_set.in_(made_here))
        .group_by(u.community)
    ).all()
    newest = {str(code): int(number) for code, number in rows}
    missing = [code for code in communities if code not in newest]
    if missing:
        raise NotFound(f"community {missing[0]} has no units yet; run 'gisgrid units --area {area}' first")
    source = {"from": sorted(set(newest.values()))}
    again = connection.scalar(sa.select(sa.func.max(sets.id)).where(sets.area == area, sets.params == source))
    if again is not None:
        return int(again)
    made = insert_one(connection, t.unit_sets, area=area, params=source)
    names = [name for name in stored_names(t.units) if name not in ("id", "unit_set", "unit_id")]
    chosen = sa.or_(
        *[
            sa.and_(u.unit_set == number, u.community.in_([code for code in communities if newest[code] == number]))
            for number in sorted(set(newest.values()))
        ]
    )
    # two sets may use one name
    named = sa.case(
        (sa.func.count().over(partition_by=u.unit_id) > 1, sa.func.concat(u.community, "-", u.unit_id)), else_=u.unit_id
    )
    values = sa.select(sa.literal(made), named, *[u[name] for name in names]).where(chosen).order_by(u.id)
    connection.execute(sa.insert(t.units).from_select(["unit_set", "unit_id", *names], values))
    return made
