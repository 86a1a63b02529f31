"""What /openapi.json tells of MapIt's addresses."""

from __future__ import annotations

from typing import Any

from api.mapit.answers import MEDIA

Json = dict[str, Any]

TEXT: Json = {"type": "string"}
INTEGER: Json = {"type": "integer"}
NUMBER: Json = {"type": "number"}


def _object(properties: Json, **more: Any) -> Json:
    return {"type": "object", "properties": properties, "required": list(properties), **more}


AREA = _object({
    "id": {"type": "integer", "description": "number of the area, kept for good"},
    "name": TEXT,
    "type": {"type": "string", "description": "DIS, STR, COM, GRD, MGD, MGD3 …, PRO-FIRE …"},
    "type_name": TEXT,
    "parent_area": {"type": "integer", "nullable": True},
    "generation_low": INTEGER,
    "generation_high": INTEGER,
    "country": TEXT,
    "country_name": TEXT,
    "codes": {"type": "object", "additionalProperties": TEXT},
    "all_names": {"type": "object", "additionalProperties": {"type": "array", "items": TEXT}},
})  # fmt: skip
AREAS = {"type": "object", "additionalProperties": AREA, "description": "areas by their number"}
EXTENT = {
    **{"parts": INTEGER, "srid_en": INTEGER, "area": NUMBER},
    **{f"{what}_{axis}": NUMBER for what in ("min", "max", "centre") for axis in ("e", "n", "lon", "lat")},
}
GENERATION = _object({
    "id": INTEGER,
    "active": {"type": "boolean"},
    "created": {"type": "string", "format": "date-time"},
    "description": TEXT,
})  # fmt: skip
GEOMETRY = _object({"type": TEXT, "coordinates": {"type": "array", "items": {}}})
EXTENTS = {"type": "object", "additionalProperties": {"type": "object"}}
THIN = ("simplify_tolerance",)
COLLECTION = _object({"type": TEXT, "features": {"type": "array", "items": {"type": "object"}}})
ERROR = _object({"code": {"type": "integer", "description": "the HTTP status again"}, "error": TEXT})

_TOLD = {
    "srid": "EPSG number of the coordinates: 4326 (longitude, latitude), 4490, 3857, 4534 to 4554 …",
    "x": "longitude or easting",
    "y": "latitude or northing",
    "lat": "latitude",
    "lon": "longitude",
    "id": "number of an area, or its code",
    "ids": "numbers of areas, split by commas",
    "types": "types of areas, split by commas",
    "name": "how the names of the areas begin",
    "code_type": "gisgrid",
    "code": "code of an area or grid",
    "type": "only areas of these types, split by commas",
    "generation": "in this generation instead of the current one",
    "min_generation": "also areas in force since this generation; -1: however old",
    "country": "areas have none: any value finds nothing",
    "simplify_tolerance": "thin the outline, in the unit of its coordinates (Douglas–Peucker)",
    "relation": "how the areas found lie to this one: covers finds those it covers, covered those that cover it",
}
_WHEN = ("type", "generation", "min_generation", "country")


def _path(summary: str, path: str, schema: Json, query: tuple[str, ...] = (), media: str = "json") -> Json:
    """Path item of one address: its variables and parameters, its answer, MapIt's error."""
    variables = [name.split("}")[0] for name in path.split("{")[1:]]
    schemas = {"relation": {"type": "string", "enum": list(RELATION_WORDS)}, "simplify_tolerance": NUMBER}
    parameters = [
        {"name": name, "in": where, "required": where == "path", "description": _TOLD[name],
         "schema": schemas.get(name, INTEGER if name.endswith("generation") else TEXT)}
        for where, names in (("path", variables), ("query", query))
        for name in names
    ]  # fmt: skip
    error = {"application/json": {"schema": ERROR}}
    told = {"400": "Something asked for cannot be read", "404": "There is no such area", "503": "Try again in a moment"}
    answer = {"description": "Done", "content": {MEDIA[media].split(";")[0]: {"schema": schema}}}
    responses = {"200": answer} | {status: {"description": text, "content": error} for status, text in told.items()}
    name = path.removeprefix("/").translate(str.maketrans("/{.,", "____", "}"))
    operation = {"summary": summary, "operationId": name, "tags": ["MapIt"], "responses": responses}
    return {"get": operation | {"parameters": parameters}}


RELATION_WORDS = ("children", "covers", "covered", "coverlaps", "overlaps", "touches", "intersects")
_ADDRESSES: tuple[tuple[Any, ...], ...] = (
    ("Every generation by number", "/mapit/generations", {"type": "object", "additionalProperties": GENERATION}),
    ("Areas at a point: one of each type", "/mapit/point/{srid}/{x},{y}", AREAS, _WHEN),
    ("Areas whose bounding box holds a point", "/mapit/point/{srid}/{x},{y}/box", AREAS, _WHEN),
    ("One area", "/mapit/area/{id}", AREA),
    ("Areas below an area, or lying to it in some way", "/mapit/area/{id}/{relation}", AREAS, _WHEN),
    ("Extent, centre and size of an area", "/mapit/area/{id}/geometry", _object(EXTENT)),
    ("Outline as a GeoJSON geometry", "/mapit/area/{id}.geojson", GEOMETRY, THIN, "geojson"),
    ("Outline as KML", "/mapit/area/{id}.kml", TEXT, THIN, "kml"),
    ("Outline as WKT", "/mapit/area/{id}.wkt", TEXT, THIN, "wkt"),
    ("Outline in another system, GeoJSON", "/mapit/area/{srid}/{id}.geojson", GEOMETRY, THIN, "geojson"),
    ("Outline in another system, WKT", "/mapit/area/{srid}/{id}.wkt", TEXT, THIN, "wkt"),
    ("Several areas", "/mapit/areas/{ids}", AREAS),
    ("Areas of some types", "/mapit/areas/{types}", AREAS, _WHEN[1:]),
    ("Areas whose names begin so", "/mapit/areas/{name}", AREAS, _WHEN),
    ("Extent, centre and size of areas", "/mapit/areas/{ids}/geometry", EXTENTS),
    ("Outlines as GeoJSON features", "/mapit/areas/{ids}.geojson", COLLECTION, THIN, "geojson"),
    ("Outlines as a KML document", "/mapit/areas/{ids}.kml", TEXT, THIN, "kml"),
    ("The area with a code (sent on to its number)", "/mapit/code/{code_type}/{code}", AREA),
)  # fmt: skip
PATHS: dict[str, Json] = {address[1]: _path(*address) for address in _ADDRESSES}
"""Path items by address, MapIt's own words for what stands in them."""
