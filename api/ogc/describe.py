"""What /openapi.json tells about OGC API Features: every path with its parameters and inline schemas."""

from __future__ import annotations

from typing import Any, Final

from gisgrid.limits import PAGE_DEFAULT, PAGE_MAX
from layers.collections.crs import CRS84_URI, SYSTEMS

Json = dict[str, Any]
TEXT: Final[Json] = {"type": "string"}
LINKS: Final[Json] = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["rel", "href"],
        "properties": {"rel": TEXT, "href": TEXT, "type": TEXT, "title": TEXT},
    },
}
NUMBERS: Final[Json] = {"type": "array", "items": {"type": "number"}}
EXTENT: Final[Json] = {
    "type": "object",
    "properties": {
        "spatial": {
            "type": "object",
            "properties": {"bbox": {"type": "array", "items": NUMBERS}, "crs": TEXT},
        },
        "temporal": {
            "type": "object",
            "properties": {
                "interval": {"type": "array", "items": {"type": "array", "items": TEXT | {"nullable": True}}},
                "trs": TEXT,
            },
        },
    },
}
COLLECTION: Final[Json] = {
    "type": "object",
    "required": ["id", "links"],
    "properties": {
        "id": TEXT, "title": TEXT, "description": TEXT, "itemType": TEXT, "storageCrs": TEXT, "links": LINKS,
        "crs": {"type": "array", "items": TEXT}, "extent": EXTENT,
    },
}  # fmt: skip
GEOMETRY: Final[Json] = {
    "type": "object",
    "nullable": True,
    "required": ["type"],
    "properties": {"type": TEXT, "coordinates": {"type": "array", "items": {}}},
}
FEATURE: Final[Json] = {
    "type": "object",
    "required": ["type", "geometry", "properties"],
    "properties": {
        "type": {"type": "string", "enum": ["Feature"]},
        "id": {"oneOf": [{"type": "string"}, {"type": "integer"}]},
        "geometry": GEOMETRY, "properties": {"type": "object", "nullable": True}, "links": LINKS,
    },
}  # fmt: skip
FEATURES: Final[Json] = {
    "type": "object",
    "required": ["type", "features"],
    "properties": {
        "type": {"type": "string", "enum": ["FeatureCollection"]},
        "features": {"type": "array", "items": FEATURE}, "links": LINKS,
        "timeStamp": {"type": "string", "format": "date-time"},
        "numberMatched": {"type": "integer", "minimum": 0}, "numberReturned": {"type": "integer", "minimum": 0},
    },
}  # fmt: skip
LANDING: Final[Json] = {
    "type": "object", "required": ["links"], "properties": {"title": TEXT, "description": TEXT, "links": LINKS},
}  # fmt: skip
CONFORMANCE: Final[Json] = {
    "type": "object",
    "required": ["conformsTo"],
    "properties": {"conformsTo": {"type": "array", "items": TEXT}, "links": LINKS},
}
COLLECTIONS: Final[Json] = {
    "type": "object",
    "required": ["links", "collections"],
    "properties": {
        "links": LINKS, "crs": {"type": "array", "items": TEXT}, "collections": {"type": "array", "items": COLLECTION},
    },
}  # fmt: skip


def _query(name: str, about: str, schema: Json | None = None, **more: Any) -> Json:
    return {"name": name, "in": "query", "required": False, "description": about, "schema": schema or TEXT} | more


def _path(name: str, about: str) -> Json:
    return {"name": name, "in": "path", "required": True, "description": about, "schema": TEXT}


CRS_SCHEMA: Final[Json] = {"type": "string", "format": "uri", "default": CRS84_URI, "enum": list(SYSTEMS)}
FORM: Final = (
    _query("f", "json or html; instead of the header Accept", {"type": "string", "enum": ["json", "html"]}),
    _query("lang", "zh or en; instead of Accept-Language", {"type": "string", "enum": ["zh", "en"]}),
)
CRS: Final = _query("crs", "coordinate system of the answer, in the order of its axes", CRS_SCHEMA)
COLLECTION_ID: Final = _path("collection", "name of the collection")
ITEM_ID: Final = _path("key", "id of the feature")
ITEMS: Final = (
    _query(
        "limit", f"features a page; more than {PAGE_MAX} means {PAGE_MAX}",
        {"type": "integer", "minimum": 1, "maximum": PAGE_MAX, "default": PAGE_DEFAULT},
    ),
    _query(
        "bbox", "four or six numbers; west greater than east crosses 180°",
        NUMBERS | {"oneOf": [{"minItems": 4, "maxItems": 4}, {"minItems": 6, "maxItems": 6}]},
        style="form", explode=False,
    ),
    _query("bbox-crs", "coordinate system of bbox", CRS_SCHEMA),
    _query("datetime", "a time or START/END (.. is open), RFC 3339", style="form", explode=False),
    _query("filter", "a CQL2 condition"),
    _query("filter-lang", "language of filter", {"type": "string", "enum": ["cql2-text", "cql2-json"]}),
    _query("filter-crs", "coordinate system of geometries in filter", CRS_SCHEMA),
    _query("sortby", "properties split by commas, - in front: largest first", style="form", explode=False),
    _query("properties", "properties wanted, split by commas", style="form", explode=False),
    _query("skipGeometry", "true: without geometries", {"type": "boolean", "default": False}),
    _query("after", "where the page begins; take it from the next link"),
    CRS,
)  # fmt: skip
ERROR: Final[Json] = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
TOLD: Final = {
    "400": "A parameter or the body cannot be used", "401": "A key is missing", "403": "The key is not known here",
    "404": "There is no such thing", "405": "This collection cannot be edited", "409": "The code is in use",
    "412": "It has changed since it was read", "415": "Wrong Content-Type", "428": "If-Match is missing",
    "503": "The database does not answer; try again",
}  # fmt: skip


def _errors(*statuses: str) -> Json:
    return {status: {"description": TOLD[status], "content": ERROR} for status in statuses}


def read(summary: str, name: str, schema: Json, *parameters: Json, media: str = "application/json") -> Json:
    """The description of a GET."""
    told = ("400", "404", "503") if parameters and parameters[0]["in"] == "path" else ("400", "503")
    content = {media: {"schema": schema}, "text/html": {"schema": TEXT}}
    return {
        "summary": summary, "operationId": name, "tags": ["OGC API"], "parameters": [*parameters, *FORM],
        "responses": {"200": {"description": "Done", "content": content}, **_errors(*told)},
    }  # fmt: skip


def _change(
    summary: str, name: str, done: Json, *parameters: Json, body: str | None, statuses: tuple[str, ...]
) -> Json:
    told: Json = {
        "summary": summary, "operationId": name, "tags": ["OGC API"], "parameters": list(parameters),
        "responses": done | _errors("400", "401", "403", "404", "405", *statuses, "503"),
    }  # fmt: skip
    if body:
        schema: Json = FEATURE if body == GEOJSON else {"type": "object"}
        told["requestBody"] = {"required": True, "content": {body: {"schema": schema}}}
    return told


GEOJSON: Final = "application/geo+json"
SCHEMA_MEDIA: Final = "application/schema+json"
OBJECT: Final[Json] = {"type": "object"}
IF_MATCH: Final[Json] = {
    "name": "If-Match", "in": "header", "required": True, "schema": TEXT, "description": "ETag of the feature as read",
}  # fmt: skip
CONTENT_CRS: Final[Json] = {
    "name": "Content-Crs", "in": "header", "required": False, "schema": TEXT, "description": "CRS of the body: <URI>",
}  # fmt: skip
ONE: Final = "/ogc/collections/{collection}"
DONE: Final[Json] = {"204": {"description": "Done"}}
MADE: Final[Json] = {"201": {"description": "Stored; Location tells where"}}

PATHS: Final[Json] = {
    "/ogc/": {"get": read("What there is", "ogc", LANDING)},
    "/ogc/conformance": {"get": read("Conformance classes", "ogc_conformance", CONFORMANCE)},
    "/ogc/api": {
        "get": read("This description", "ogc_api", OBJECT, media="application/vnd.oai.openapi+json;version=3.0")
    },
    "/ogc/collections": {"get": read("All collections", "ogc_collections", COLLECTIONS)},
    ONE: {"get": read("One collection", "ogc_collection", COLLECTION, COLLECTION_ID)},
    **{
        f"{ONE}/{name}": {"get": read(told, f"ogc_{name}", OBJECT, COLLECTION_ID, media=SCHEMA_MEDIA)}
        for name, told in (
            ("schema", "What features tell"), ("queryables", "What may be asked by"),
            ("sortables", "What may be sorted by"),
        )
    },
    f"{ONE}/items": {
        "get": read("A page of features", "ogc_items", FEATURES, COLLECTION_ID, *ITEMS, media=GEOJSON),
        "post": _change(
            "Add a feature", "ogc_items_post", MADE, COLLECTION_ID, CONTENT_CRS, body=GEOJSON, statuses=("409", "415")
        ),
    },
    f"{ONE}/items/{{key}}": {
        "get": read("One feature", "ogc_item", FEATURE, COLLECTION_ID, ITEM_ID, CRS, media=GEOJSON),
        "put": _change(
            "Replace a feature", "ogc_item_put", DONE, COLLECTION_ID, ITEM_ID, IF_MATCH, CONTENT_CRS, body=GEOJSON,
            statuses=("409", "412", "415", "428"),
        ),
        "patch": _change(
            "Change parts of a feature", "ogc_item_patch", DONE, COLLECTION_ID, ITEM_ID, IF_MATCH, CONTENT_CRS,
            body="application/merge-patch+json", statuses=("409", "412", "415", "428"),
        ),
        "delete": _change(
            "Delete a feature", "ogc_item_delete", DONE, COLLECTION_ID, ITEM_ID, IF_MATCH, body=None,
            statuses=("412", "428"),
        ),
    },
}  # fmt: skip
"""OpenAPI 3.0 path items."""
