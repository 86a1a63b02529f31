"""Tile-matrix sets (OGC 17-083r4): how the world is cut into tiles at every zoom.

WebMercatorQuad and WorldCRS84Quad are the registered ones. CGCS2000Quad is not in OGC's registry; it is what Chinese
services mean by it: the tiles of WorldCRS84Quad in EPSG:4490, whose axes are latitude, longitude.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from data.tables import MERCATOR_SRID, SRID
from gisgrid.errors import NotFound

Box = tuple[float, float, float, float]
"""Smallest x, smallest y, largest x, largest y; x to the east."""

EXTENT: Final = 4096
"""Units along the side of a tile."""
BUFFER: Final = 64
"""Units of the neighbours' that a tile's features reach into."""
TILE_PIXELS: Final = 256
PIXEL_METRES: Final = 0.00028
EARTH_RADIUS: Final = 6_378_137.0
DEGREE_METRES: Final = math.pi * EARTH_RADIUS / 180.0
HALF_WORLD: Final = math.pi * EARTH_RADIUS
MERCATOR_LATITUDE: Final = math.degrees(2 * math.atan(math.exp(math.pi)) - math.pi / 2)
"""Where the square of Web Mercator ends: 85.051 degrees."""


@dataclass(frozen=True)
class MatrixSet:
    """A quad-tree of tiles. ``origin``: upper left corner, x first; ``side``: of a tile at zoom 0, in units of the
    CRS; ``across`` and ``down``: tiles at zoom 0; ``axes``: in the order of the CRS; ``srid``: of the shapes tiles are
    made from; ``zooms``: matrices; ``served``: largest zoom tiles are made at."""

    name: str
    title_zh: str
    title_en: str
    crs: str
    axes: tuple[str, str]
    scale_set: str
    srid: int
    origin: tuple[float, float]
    side: float
    across: int
    down: int
    zooms: int
    served: int
    uri: str | None = None

    @property
    def degrees(self) -> bool:
        """Whether its CRS is in degrees."""
        return self.srid == SRID

    def cell(self, zoom: int) -> float:
        """Side of a pixel at a zoom, in units of the CRS."""
        return math.ldexp(self.side / TILE_PIXELS, -zoom)

    def scale(self, zoom: int) -> float:
        """Scale denominator at a zoom (pixels of 0.28 mm)."""
        return self.cell(zoom) * (DEGREE_METRES if self.degrees else 1.0) / PIXEL_METRES

    def zoom_of(self, denominator: float) -> float:
        """The zoom, with a fraction, of a scale."""
        return math.log2(self.scale(0) / denominator)

    def size(self, zoom: int) -> tuple[int, int]:
        """Tiles across and down at a zoom."""
        return self.across * 2**zoom, self.down * 2**zoom

    def check(self, zoom: int, row: int, column: int) -> None:
        """Raises NotFound for a tile that is not among those served."""
        if not 0 <= zoom <= self.served:
            raise NotFound(f"{self.name} has tiles of zoom 0 to {self.served}, not {zoom}")
        columns, rows = self.size(zoom)
        if not (0 <= row < rows and 0 <= column < columns):
            raise NotFound(f"zoom {zoom} of {self.name} has rows 0 to {rows - 1} and columns 0 to {columns - 1}")

    def box(self, zoom: int, row: int, column: int) -> Box:
        """The box of a tile in units of the CRS, x to the east."""
        side = self.side / 2**zoom
        west, north = self.origin
        return west + column * side, north - (row + 1) * side, west + (column + 1) * side, north - row * side

    def lon_lat(self, box: Box) -> Box:
        """A box of this CRS in degrees."""
        if self.degrees:
            return box
        west, south, east, north = box
        return _longitude(west), _latitude(south), _longitude(east), _latitude(north)

    def with_buffer(self, box: Box, units: float = BUFFER) -> Box:
        """A tile's box with a margin of so many units of `EXTENT`."""
        margin = (box[2] - box[0]) * units / EXTENT
        return box[0] - margin, box[1] - margin, box[2] + margin, box[3] + margin

    def limits(self, bounds: Box, zoom: int) -> tuple[int, int, int, int]:
        """First row, last row, first column, last column of the tiles that a box in degrees touches."""
        west, south, east, north = bounds if self.degrees else _mercator(bounds)
        side = self.side / 2**zoom
        columns, rows = self.size(zoom)
        return (
            _within((self.origin[1] - north) / side, rows), _within((self.origin[1] - south) / side, rows),
            _within((west - self.origin[0]) / side, columns), _within((east - self.origin[0]) / side, columns),
        )  # fmt: skip

    @cached_property
    def definition(self) -> dict[str, Any]:
        """The JSON of 17-083r4, without links."""
        corner = list(self.origin) if self.axes[0] not in ("Lat", "N") else list(self.origin[::-1])
        head: dict[str, Any] = {"id": self.name, "title": self.title_en}
        if self.uri:
            head["uri"] = self.uri
        return head | {
            "crs": self.crs,
            "orderedAxes": list(self.axes),
            "wellKnownScaleSet": self.scale_set,
            "tileMatrices": [
                {
                    "id": str(zoom), "scaleDenominator": self.scale(zoom), "cellSize": self.cell(zoom),
                    "cornerOfOrigin": "topLeft", "pointOfOrigin": corner,
                    "tileWidth": TILE_PIXELS, "tileHeight": TILE_PIXELS,
                    "matrixWidth": self.size(zoom)[0], "matrixHeight": self.size(zoom)[1],
                }
                for zoom in range(self.zooms)
            ],
        }  # fmt: skip


def matrix_set(name: str) -> MatrixSet:
    """The set of that name. Raises NotFound."""
    found = MATRIX_SETS.get(name)
    if found is None:
        raise NotFound(f"there is no tile-matrix set {name[:60]!r}; there are {', '.join(MATRIX_SETS)}")
    return found


def _longitude(x: float) -> float:
    return math.degrees(x / EARTH_RADIUS)


def _latitude(y: float) -> float:
    return math.degrees(2 * math.atan(math.exp(y / EARTH_RADIUS)) - math.pi / 2)


def _mercator(bounds: Box) -> Box:
    def northing(latitude: float) -> float:
        held = min(max(latitude, -MERCATOR_LATITUDE), MERCATOR_LATITUDE)
        return EARTH_RADIUS * math.log(math.tan(math.pi / 4 + math.radians(held) / 2))

    west, south, east, north = bounds
    return math.radians(west) * EARTH_RADIUS, northing(south), math.radians(east) * EARTH_RADIUS, northing(north)


def _within(position: float, count: int) -> int:
    return min(max(math.floor(position), 0), count - 1)


_DEFINITIONS = "http://www.opengis.net/def"
_DEGREES: dict[str, Any] = {
    "scale_set": f"{_DEFINITIONS}/wkss/OGC/1.0/GoogleCRS84Quad", "srid": SRID, "origin": (-180.0, 90.0),
    "side": 180.0, "across": 2, "down": 1, "zooms": 24, "served": 21,
}  # fmt: skip
MATRIX_SETS: Final[dict[str, MatrixSet]] = {
    made.name: made
    for made in (
        MatrixSet(
            "WebMercatorQuad", "全球 Web 墨卡托", "Google Maps Compatible for the World",
            f"{_DEFINITIONS}/crs/EPSG/0/3857", ("X", "Y"), f"{_DEFINITIONS}/wkss/OGC/1.0/GoogleMapsCompatible",
            MERCATOR_SRID, (-HALF_WORLD, HALF_WORLD), 2 * HALF_WORLD, 1, 1, 25, 22,
            f"{_DEFINITIONS}/tilematrixset/OGC/1.0/WebMercatorQuad",
        ),
        MatrixSet(
            "WorldCRS84Quad", "全球经纬度（WGS 84）", "CRS84 for the World", f"{_DEFINITIONS}/crs/OGC/1.3/CRS84",
            ("Lon", "Lat"), uri=f"{_DEFINITIONS}/tilematrixset/OGC/1.0/WorldCRS84Quad", **_DEGREES,
        ),
        MatrixSet(
            "CGCS2000Quad", "全球经纬度（国家大地坐标系 2000）", "CGCS2000 for the World",
            f"{_DEFINITIONS}/crs/EPSG/0/4490", ("Lat", "Lon"), **_DEGREES,
        ),
    )
}  # fmt: skip
