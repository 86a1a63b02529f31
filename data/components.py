"""City components 城市部件: who answers for one."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from data import tables as t
from gisgrid.errors import NotFound


@dataclass(frozen=True, slots=True)
class ComponentOwner:
    """A component, where it stands (degrees, EPSG:4490) and its departments 主管, 权属, 养护."""

    code: str
    name: str
    state: str
    dept_supervise: str
    dept_owner: str
    dept_maintain: str
    lon: float
    lat: float

    @property
    def department(self) -> str:
        """Whom a report on it goes to: who maintains it, else who owns it, else who supervises it."""
        return self.dept_maintain or self.dept_owner or self.dept_supervise


def component_owner(connection: sa.Connection, code: str) -> ComponentOwner:
    """The component of that code. Raises NotFound."""
    c = t.components.c
    inner = sa.func.ST_PointOnSurface(c.geometry)
    query = sa.select(
        c.component_code.label("code"), c.name, c.state, c.dept_supervise, c.dept_owner, c.dept_maintain,
        sa.func.ST_X(inner).label("lon"), sa.func.ST_Y(inner).label("lat"),
    ).where(c.component_code == code)  # fmt: skip
    row = connection.execute(query).mappings().first()
    if row is None:
        raise NotFound(f"component {code!r} is not known here; leave component out to go by the place alone")
    return ComponentOwner(**row)
