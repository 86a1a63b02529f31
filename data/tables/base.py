"""What the tables share: the metadata, the words they know, the columns and rules that come back."""

from __future__ import annotations

import sqlalchemy as sa
from geoalchemy2 import Geometry

SRID = 4490
MERCATOR_SRID = 3857
metadata = sa.MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "pk": "%(table_name)s_pkey",
    }
)

AREA_LEVELS = ("district", "street", "community")
COMPREHENSIVE = "综合"
"""Name of the comprehensive system; every other value of ``system`` is a professional one."""
STATES = ("完好", "破损", "丢失", "废弃")
STAGES = ("发现上报", "指挥派遣", "处置反馈", "事件评价", "结案归档")


def serial() -> sa.Column[int]:
    """Primary key the database counts up."""
    return sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True)


def text(name: str, default: str = "") -> sa.Column[str]:
    """Text that is never null."""
    return sa.Column(name, sa.Text, nullable=False, server_default=default)


def count(name: str) -> sa.Column[int]:
    """A whole number that is never null."""
    return sa.Column(name, sa.Integer, nullable=False, server_default="0")


def flag(name: str) -> sa.Column[bool]:
    """True or false, false when not told."""
    return sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false())


def geometry(kind: str) -> sa.Column[object]:
    """The geometry column, in the storage CRS."""
    return sa.Column("geometry", Geometry(kind, srid=SRID, spatial_index=False), nullable=False)


def mercator() -> sa.Column[object]:
    """The geometry in Web Mercator (EPSG:3857), kept by the database so that vector tiles need not transform it."""
    return sa.Column(
        "mercator",
        Geometry("GEOMETRY", srid=MERCATOR_SRID, spatial_index=False),
        sa.Computed("web_mercator(geometry)", persisted=True),
    )


def sound() -> list[sa.CheckConstraint]:
    """Geometry is valid and not empty."""
    return [sa.CheckConstraint("ST_IsValid(geometry) AND NOT ST_IsEmpty(geometry)", name="geometry_valid")]


def not_negative(*names: str) -> list[sa.CheckConstraint]:
    """Numbers from zero up."""
    return [sa.CheckConstraint(f"{name} >= 0", name=f"{name}_not_negative") for name in names]


def one_of(name: str, values: tuple[str, ...]) -> sa.CheckConstraint:
    """One of the known words."""
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{name} IN ({listed})", name=f"{name}_known")


def spatial_index(table: str) -> sa.Index:
    """GiST on the geometry."""
    return sa.Index(f"{table}_geometry_idx", "geometry", postgresql_using="gist")
