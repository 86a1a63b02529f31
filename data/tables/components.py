"""City components 城市部件 and their catalogue."""

from __future__ import annotations

import sqlalchemy as sa

from data.tables.base import STATES, flag, geometry, mercator, metadata, one_of, serial, sound, spatial_index, text

component_classes = sa.Table(
    "component_classes",
    metadata,
    sa.Column("standard", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("major", sa.Text, primary_key=True),
    sa.Column("minor", sa.Text, primary_key=True),
    text("name"),
    text("major_name"),
    text("major_name_en"),
    flag("is_local"),
)

components = sa.Table(
    "components",
    metadata,
    serial(),
    text("source"),
    sa.Column("component_code", sa.Text, nullable=False),
    *[sa.Column(name, sa.Text, nullable=False) for name in ("standard", "kind", "major", "minor")],
    *[text(name) for name in ("name", "dept_supervise", "dept_owner", "dept_maintain")],
    text("state", STATES[0]),
    sa.Column("first_date", sa.Date),
    sa.Column("changed_date", sa.Date),
    text("note"),
    geometry("GEOMETRY"),
    mercator(),
    sa.UniqueConstraint("component_code"),
    sa.ForeignKeyConstraint(
        ["standard", "kind", "major", "minor"],
        [f"component_classes.{name}" for name in ("standard", "kind", "major", "minor")],
        name="components_class_fkey",
    ),
    one_of("state", STATES),
    *sound(),
    spatial_index("components"),
)
