"""SQL of a tile: PostGIS writes it whole (``ST_AsMVT``), from the shapes stored in the tile's CRS.

A *plain* tile holds every feature as it is. A *thinned* one is for far away: points become one a cell with their
number, what is smaller than a pixel is left out, and in a coverage (grids, areas, units), which must show no holes,
small features become squares of the cells they fill.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from pygeofilter import ast
from sqlalchemy.dialects.postgresql import psycopg

from data import tables as t
from layers.catalog import Layer
from layers.styles import Style
from layers.tiles.matrix_sets import BUFFER, EXTENT, Box, MatrixSet

CELLS: Final = 32
"""Cells along a thinned tile that points are gathered in: 8 pixels each."""
SQUARES: Final = 64
"""Cells along a thinned tile that small features of a coverage become: 4 pixels each."""
PIECE_PIXELS: Final = 2.0
"""A feature of a coverage that is smaller becomes squares. Half a square, so none is missed: what covers the middle of
a square and is no larger than half of it lies inside it."""
LABEL_PIXELS: Final = 16.0
"""A polygon that is smaller is not labelled in a thinned tile."""
KEY: Final = "id"
"""Property with the feature's key, as OGC API Features has it."""
NUMBER: Final = "point_count"
"""Property with the number of features that a thinned one stands for."""
ROWS: Final = "tile_rows"
_DIALECT = psycopg.dialect()  # type: ignore[no-untyped-call]
_PARTS: Final = {"areas": ("level",), "drafts": ("plan", "level")}
"""Attributes that tell the coverages of one layer apart."""
Expression = sa.ColumnElement[Any]


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL in psycopg's form and what it is given beside a tile's own numbers; it answers the tile and its features."""

    sql: str
    given: Mapping[str, Any]


def statement(
    layer: Layer, tiles: MatrixSet, generation: int | None, styles: Sequence[Style], *, thinned: bool,
    where: Sequence[sa.ColumnElement[bool]] = (),
) -> Statement:  # fmt: skip
    """The statement of a layer's tiles. ``styles``: what the layer is drawn by; their classes survive thinning."""
    rows = _Rows(layer, tiles, [*layer.conditions(generation), *where])
    parts = _thinned(rows, _classes(layer, styles)) if thinned else [rows.whole()]
    made = _encoded(sa.union_all(*parts) if len(parts) > 1 else parts[0], layer.name, fid=rows.whole_key)
    tile, number = made.c.tile, made.c.number
    query = sa.select(tile, number)
    if has_labels(layer):
        names = _encoded(_labels(rows, layer, styles), labels_name(layer), fid=False)
        query = sa.select(tile.op("||")(names.c.tile), number)
    compiled = query.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
    given = {name: value for name, value in compiled.construct_params(_check=False).items() if name not in _NUMBERS}
    return Statement(str(compiled), given)


def numbers(tiles: MatrixSet, zoom: int, row: int, column: int, *, most: int, thinned: bool) -> dict[str, float | int]:
    """What a statement is given for one tile. ``most``: features at most."""
    box = tiles.box(zoom, row, column)
    pixel = tiles.cell(zoom)
    own, wide = tiles.lon_lat(box), tiles.lon_lat(tiles.with_buffer(box))
    return {
        **_named("xywh", box), **_named("wsen", wide), **_named("ownb", own),
        "pixel": pixel, "piece": PIECE_PIXELS * pixel, "label": LABEL_PIXELS * pixel if thinned else 0.0,
        "most": most,
    }  # fmt: skip


def has_labels(layer: Layer) -> bool:
    """Whether tiles of a layer have a second layer of points where its polygons are labelled."""
    return layer.label is not None and layer.shape in ("polygon", "mixed") and layer.base != "components"


def labels_name(layer: Layer) -> str:
    """Name of that second layer."""
    return f"{layer.name}_labels"


def label_attributes(layer: Layer, styles: Sequence[Style]) -> list[str]:
    """What label points tell: the label and what decides how it is drawn."""
    return [a.name for a in layer.attributes if a.name == layer.label or a.name in _classes(layer, styles)]


def is_coverage(layer: Layer) -> bool:
    """Whether the features of a layer fill a ground without gaps."""
    return _shapes(layer) in (t.grids, t.areas, t.units)


def _named(names: str, box: Box) -> dict[str, float]:
    return {f"{names}{place}": value for place, value in enumerate(box)}


_NUMBERS = {f"{names}{place}" for names in ("xywh", "wsen", "ownb") for place in range(4)} | {
    "pixel", "piece", "label", "most",
}  # fmt: skip


def _number(name: str) -> sa.BindParameter[Any]:
    return sa.bindparam(name, type_=sa.Integer() if name == "most" else sa.Double())


def _envelope(names: str, srid: int) -> Expression:
    return sa.func.ST_MakeEnvelope(*(_number(f"{names}{place}") for place in range(4)), sa.literal_column(str(srid)))


def _shapes(layer: Layer) -> sa.FromClause:
    return layer.table if layer.shapes is None else layer.shapes


class _Rows:
    """The features of a layer near a tile."""

    def __init__(self, layer: Layer, tiles: MatrixSet, conditions: Sequence[sa.ColumnElement[bool]]) -> None:
        self.layer, self.tiles, self.conditions = layer, tiles, conditions
        self.shape: Expression = layer.geometry if tiles.degrees else layer.mercator
        self.whole_key = isinstance(layer.key.type, sa.Integer)
        self.values = {KEY: layer.key if self.whole_key else sa.cast(layer.key, sa.Text)} | {
            a.name: _told(a.column) for a in layer.attributes
        }
        self.near = layer.geometry.op("&&")(_envelope("wsen", t.SRID))
        self.within = layer.geometry.op("&&")(_envelope("ownb", t.SRID))
        self.wide: Expression = sa.func.greatest(_span("X", self.shape), _span("Y", self.shape), type_=sa.Double())

    def whole(self, *where: sa.ColumnElement[bool], largest: bool = False) -> sa.Select[Any]:
        """Features as they are."""
        shape = in_tile(self.shape, self.tiles.srid, BUFFER)
        more = [sa.null().cast(sa.Integer).label(NUMBER)] if where else []
        key = [self.layer.key.label("fid")] if self.whole_key else []
        columns = [value.label(name) for name, value in self.values.items()]
        query = sa.select(shape.label("geom"), *key, *more, *columns).select_from(self.layer.table)
        query = query.where(*self.conditions, self.near, *where)
        if largest:
            query = query.order_by(self.wide.desc(), self.layer.key)
        return query.limit(_number("most"))

    def gathered(
        self, x: Expression, y: Expression, cells: int, classes: Mapping[str, bool],
        where: Sequence[sa.ColumnElement[bool]], *, squares: bool,
    ) -> sa.Select[Any]:  # fmt: skip
        """One row a cell: a point amid its points, or the cell itself."""
        columns = [value.label(name) for name, value in self.values.items()]
        parts = _PARTS.get(self.layer.base or self.layer.name, ()) if squares else ()
        west, south, east, north = (_number(f"xywh{place}") for place in range(4))
        side = (east - west) * sa.literal_column(repr(1.0 / cells), sa.Double)
        along = sa.literal_column(repr(float(cells)), sa.Double)
        column = sa.func.floor((x - west) * along / (east - west))
        row = sa.func.floor((north - y) * along / (east - west))
        cell = [sa.type_coerce(place, sa.Double).label(name) for name, place in (("i", column), ("j", row))]
        near = sa.select(x.label("x"), y.label("y"), *cell, *columns).select_from(self.layer.table)
        r = near.where(*self.conditions, self.within, *where).subquery("near").c
        srid: Expression = sa.literal_column(str(self.tiles.srid))
        if squares:
            left, top = west + r.i * side, north - r.j * side
            shape = sa.func.ST_MakeEnvelope(left, top - side, left + side, top, srid)
        else:
            shape = sa.func.ST_SetSRID(sa.func.ST_MakePoint(sa.func.avg(r.x), sa.func.avg(r.y)), srid)
        count = sa.func.count()
        key = [sa.case((count == 1, sa.func.min(r[KEY]))).label("fid")] if self.whole_key else []
        told = [_common(name, r[name], {name: True} if name in parts else classes).label(name) for name in self.values]
        number = sa.cast(count, sa.Integer).label(NUMBER)
        return (
            sa.select(in_tile(shape, self.tiles.srid, 0).label("geom"), *key, number, *told)
            .where(r.x >= west, r.x < east, r.y > south, r.y <= north)
            .group_by(r.i, r.j, *(r[name] for name in parts))
        )


def in_tile(shape: Expression, srid: int, buffer: int) -> Expression:
    """A shape in the units of the tile, cut to it."""
    # no type of geoalchemy's: it would have the shape written as EWKB
    bounds = _envelope("xywh", srid)
    return sa.func.ST_AsMVTGeom(
        shape, bounds, sa.literal_column(str(EXTENT)), sa.literal_column(str(buffer)), sa.true(), type_=sa.LargeBinary
    )


def _thinned(rows: _Rows, classes: Mapping[str, bool]) -> list[sa.Select[Any]]:
    """What a thinned tile is made of."""
    layer, shape = rows.layer, rows.shape
    pixel, piece = _number("pixel"), _number("piece")
    parts: list[sa.Select[Any]] = []
    if layer.shape in ("point", "mixed"):
        points = [] if layer.shape == "point" else [sa.func.ST_Dimension(layer.geometry) == 0]
        middle = shape if layer.shape == "point" else sa.func.ST_Centroid(shape)
        x: Expression = sa.func.ST_X(middle, type_=sa.Double())
        y: Expression = sa.func.ST_Y(middle, type_=sa.Double())
        parts.append(rows.gathered(x, y, CELLS, classes, points, squares=False))
    if layer.shape == "point":
        return parts
    if is_coverage(layer):
        x, y = _middle("X", shape), _middle("Y", shape)
        parts.append(rows.gathered(x, y, SQUARES, classes, [rows.wide < piece], squares=True))
        pixel = piece
    solid = [] if layer.shape != "mixed" else [sa.func.ST_Dimension(layer.geometry) > 0]
    parts.append(rows.whole(rows.wide >= pixel, *solid, largest=True).subquery().select())
    return parts


def _labels(rows: _Rows, layer: Layer, styles: Sequence[Style]) -> sa.Select[Any]:
    """Points where polygons are labelled, each in the one tile that holds it."""
    table = _shapes(layer)
    if "label_point" in table.c:
        spot: Expression = table.c.label_point
        if not rows.tiles.degrees:
            spot = _mercator(spot)
    else:
        spot = sa.func.ST_PointOnSurface(rows.shape)
    names = [KEY, *label_attributes(layer, styles)]
    columns = [rows.values[name].label(name) for name in names]
    where = [rows.wide >= _number("label")]
    if layer.shape == "mixed":
        where.append(sa.func.ST_Dimension(layer.geometry) == 2)
    # the type keeps geoalchemy from writing the point as EWKB
    point = sa.type_coerce(spot, sa.LargeBinary).label("spot")
    near = sa.select(point, *columns).select_from(layer.table).where(*rows.conditions, rows.within, *where)
    r = near.limit(_number("most")).subquery("named").c
    west, south, east, north = (_number(f"xywh{place}") for place in range(4))
    x: Expression = sa.func.ST_X(r.spot, type_=sa.Double())
    y: Expression = sa.func.ST_Y(r.spot, type_=sa.Double())
    shape = in_tile(r.spot, rows.tiles.srid, 0).label("geom")
    return sa.select(shape, *(r[name] for name in names)).where(x >= west, x < east, y > south, y <= north)


def _mercator(point: Expression) -> Expression:
    """A point in degrees as one in EPSG:3857 (spherical Mercator, EPSG method 1024), or null beyond its ends.

    ST_Transform would do; it starts PROJ in every new session, which takes longer than twenty tiles.
    """
    radius = sa.literal_column("6378137.0", sa.Double)
    lon: Expression = sa.func.ST_X(point, type_=sa.Double())
    lat: Expression = sa.func.ST_Y(point, type_=sa.Double())
    x = radius * sa.func.radians(lon, type_=sa.Double())
    y = radius * sa.func.ln(sa.func.tand(45.0 + lat / sa.literal_column("2.0", sa.Double)), type_=sa.Double())
    made = sa.func.ST_SetSRID(sa.func.ST_MakePoint(x, y), sa.literal_column("3857"))
    return sa.case((sa.func.abs(lat) < sa.literal_column("89.0", sa.Double), made))


def _encoded(rows: Any, name: str, *, fid: bool) -> Any:
    """Rows as a layer of a tile, and how many they are."""
    found = rows.subquery(ROWS)
    arguments = [sa.literal_column(ROWS), sa.literal(name), sa.literal_column(str(EXTENT)), sa.literal("geom")]
    if fid:
        arguments.append(sa.literal("fid"))
    tile = sa.func.ST_AsMVT(*arguments, type_=sa.LargeBinary).label("tile")
    return sa.select(tile, sa.func.count().label("number")).select_from(found).subquery(f"{ROWS}_{len(name)}_{name}")


def _told(column: Expression) -> Expression:
    """A value as a tile can hold it: dates as text, times in UTC."""
    kind = column.type
    if isinstance(kind, sa.DateTime):
        moment = sa.func.timezone("UTC", column)
        return sa.func.to_char(moment, 'YYYY-MM-DD"T"HH24:MI:SS"Z"', type_=sa.Text)
    if isinstance(kind, sa.Date):
        return sa.func.to_char(column, "YYYY-MM-DD", type_=sa.Text)
    if isinstance(kind, sa.Numeric) and not isinstance(kind, sa.Float):
        return sa.cast(column, sa.Double)
    if isinstance(kind, sa.ARRAY | sa.JSON):
        return sa.cast(sa.func.to_json(column), sa.Text)
    return column


def _common(name: str, column: Expression, classes: Mapping[str, bool]) -> Expression:
    """What the features of a cell have in common: one feature's own, else its commonest class or its mean."""
    kind = column.type
    if name in classes:
        if classes[name] or not isinstance(kind, sa.Integer | sa.Float):
            return sa.func.mode().within_group(column)
        mean = sa.func.avg(column)
        return sa.cast(sa.func.round(mean), sa.Integer) if isinstance(kind, sa.Integer) else sa.cast(mean, sa.Double)
    one = sa.func.bool_or(column) if isinstance(kind, sa.Boolean) else sa.func.min(column)
    return sa.case((sa.func.count() == 1, one))


def _classes(layer: Layer, styles: Sequence[Style]) -> dict[str, bool]:
    """Attributes that styles choose by, and whether by single values."""
    found: dict[str, bool] = {}
    for style in styles:
        for rule in style.rules:
            _note(rule.where, found)
    return {name: single for name, single in found.items() if layer.attribute(name) is not None}


def _note(node: Any, found: dict[str, bool]) -> None:
    if isinstance(node, ast.Comparison) and isinstance(node.lhs, ast.Attribute):
        single = isinstance(node, ast.Equal | ast.NotEqual)
        found[node.lhs.name] = found.get(node.lhs.name, False) or single
    elif isinstance(node, ast.Not):
        _note(node.sub_node, found)
    elif isinstance(node, ast.Combination):
        _note(node.lhs, found)
        _note(node.rhs, found)


def _end(axis: str, end: str, shape: Expression) -> Expression:
    found: Expression = getattr(sa.func, f"ST_{axis}{end}")(shape, type_=sa.Double())
    return found


def _span(axis: str, shape: Expression) -> Expression:
    return _end(axis, "Max", shape) - _end(axis, "Min", shape)


def _middle(axis: str, shape: Expression) -> Expression:
    return (_end(axis, "Min", shape) + _end(axis, "Max", shape)) / sa.literal_column("2.0", sa.Double)
