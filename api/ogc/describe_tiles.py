"""What /openapi.json tells about OGC API Tiles and Styles and the map service."""

from __future__ import annotations

from typing import Final

from api.ogc.describe import COLLECTION_ID, ERROR, LINKS, NUMBERS, OBJECT, TEXT, TOLD, Json
from layers.tiles import MATRIX_SETS
from layers.tiles.describe import MVT
from layers.wms.formats import INFOS, PICTURES

JSON: Final = "application/json"
MBS: Final = "application/vnd.mapbox.style+json"


def _query(name: str, about: str, schema: Json | None = None) -> Json:
    return {"name": name, "in": "query", "required": False, "description": about, "schema": schema or TEXT}


def _form(*forms: str) -> Json:
    return _query("f", " or ".join(forms), {"type": "string", "enum": list(forms)})


def _path(name: str, about: str, schema: Json) -> Json:
    return {"name": name, "in": "path", "required": True, "description": about, "schema": schema}


MATRIX_SET: Final = _path("tms", "tile-matrix set", {"type": "string", "enum": list(MATRIX_SETS)})
ZOOM: Final = _path("zoom", "tile matrix (zoom)", {"type": "integer", "minimum": 0, "maximum": 22})
ROW: Final = _path("row", "row, counted from the top", {"type": "integer", "minimum": 0})
COLUMN: Final = _path("column", "column, counted from the left; .mvt or .pbf may follow", TEXT)
STYLE_ID: Final = _path("style", "name of the style", TEXT)
DATETIME: Final = _query("datetime", "a time or START/END (.. is open), RFC 3339")
CHOSEN: Final = _query("collections", "names of collections, split by commas")
REVISION: Final = _query("v", "revision the address was made for, as TileJSON gives it: it may then be kept for ever")

MATRIX_SET_LIST: Final[Json] = {
    "type": "object", "required": ["tileMatrixSets"],
    "properties": {
        "links": LINKS,
        "tileMatrixSets": {
            "type": "array",
            "items": {
                "type": "object", "required": ["id", "links"],
                "properties": {"id": TEXT, "title": TEXT, "uri": TEXT, "crs": TEXT, "links": LINKS},
            },
        },
    },
}  # fmt: skip
DEFINITION: Final[Json] = {
    "type": "object", "required": ["crs", "tileMatrices"],
    "properties": {
        "id": TEXT, "title": TEXT, "uri": TEXT, "crs": TEXT, "wellKnownScaleSet": TEXT, "links": LINKS,
        "orderedAxes": {"type": "array", "items": TEXT}, "tileMatrices": {"type": "array", "items": OBJECT},
    },
}  # fmt: skip
TILE_SET: Final[Json] = {
    "type": "object",
    "properties": {
        "title": TEXT, "dataType": TEXT, "crs": TEXT, "tileMatrixSetURI": TEXT, "attribution": TEXT, "links": LINKS,
        "tileMatrixSetLimits": {"type": "array", "items": OBJECT}, "boundingBox": OBJECT,
        "layers": {"type": "array", "items": OBJECT}, "mediaTypes": {"type": "array", "items": TEXT},
    },
}  # fmt: skip
TILE_SETS: Final[Json] = {
    "type": "object", "required": ["tilesets"],
    "properties": {"links": LINKS, "tilesets": {"type": "array", "items": TILE_SET}},
}  # fmt: skip
TILE_JSON: Final[Json] = {
    "type": "object", "required": ["tilejson", "tiles", "vector_layers"],
    "properties": {
        "tilejson": {"type": "string", "enum": ["3.0.0"]}, "tiles": {"type": "array", "items": TEXT},
        **dict.fromkeys(("name", "description", "version", "scheme", "attribution"), TEXT),
        "minzoom": {"type": "integer"}, "maxzoom": {"type": "integer"},
        "bounds": NUMBERS, "center": NUMBERS, "vector_layers": {"type": "array", "items": OBJECT},
    },
}  # fmt: skip
STYLES: Final[Json] = {
    "type": "object", "required": ["styles"],
    "properties": {
        "default": TEXT, "links": LINKS,
        "styles": {
            "type": "array",
            "items": {
                "type": "object", "required": ["id", "links"],
                "properties": {"id": TEXT, "title": TEXT, "links": LINKS},
            },
        },
    },
}  # fmt: skip
STYLE: Final[Json] = {
    "type": "object", "required": ["version", "sources", "layers"],
    "properties": {
        "version": {"type": "integer", "enum": [8]}, "name": TEXT, "sources": OBJECT,
        "layers": {"type": "array", "items": OBJECT},
    },
}  # fmt: skip
BINARY: Final[Json] = {"type": "string", "format": "binary"}


def _read(tag: str, summary: str, name: str, content: Json, *parameters: Json, empty: bool = False) -> Json:
    done: Json = {
        "200": {"description": "Done", "content": {media: {"schema": made} for media, made in content.items()}}
    }
    if empty:
        done["204"] = {"description": "Nothing lies in this tile"}
    named = any(parameter["in"] == "path" for parameter in parameters)
    told = ("400", *(("404",) if named else ()), "503")
    return {
        "summary": summary, "operationId": name, "tags": [tag], "parameters": list(parameters),
        "responses": done | {status: {"description": TOLD[status], "content": ERROR} for status in told},
    }  # fmt: skip


def _tiles(stem: str, name: str, of: str, *own: Json, chosen: tuple[Json, ...] = ()) -> Json:
    """The addresses of tile sets: of one collection, or of several."""

    def told(what: str, summary: str, content: Json, *parameters: Json, empty: bool = False) -> Json:
        return {"get": _read("OGC API Tiles", summary, f"{name}_{what}", content, *own, *parameters, empty=empty)}

    return {
        stem: told("tile_sets", f"Tile sets of {of}", {JSON: TILE_SETS}, _form("json"), *chosen),
        f"{stem}/{{tms}}": told(
            "tile_set", f"A tile set of {of}, or its TileJSON", {JSON: {"anyOf": [TILE_SET, TILE_JSON]}}, MATRIX_SET,
            _form("json", "tilejson"), DATETIME, *chosen,
        ),
        f"{stem}/{{tms}}/tilejson.json": told(
            "tile_json", f"TileJSON of {of}", {JSON: TILE_JSON}, MATRIX_SET, DATETIME, *chosen
        ),
        f"{stem}/{{tms}}/{{zoom}}/{{row}}/{{column}}": told(
            "tile", f"A vector tile of {of}", {MVT: BINARY}, MATRIX_SET, ZOOM, ROW, COLUMN, _form("mvt"), DATETIME,
            REVISION, *chosen, empty=True,
        ),
    }  # fmt: skip


def _styles(stem: str, name: str, of: str, *own: Json) -> Json:
    return {
        stem: {
            "get": _read("OGC API Styles", f"Styles of {of}", f"{name}_styles", {JSON: STYLES}, *own, _form("json"))
        },
        f"{stem}/{{style}}": {
            "get": _read("OGC API Styles", f"A style of {of} (MapLibre)", f"{name}_style", {MBS: STYLE}, *own, STYLE_ID,
                         _form("mbs"))
        },
    }  # fmt: skip


_WMS_QUERY: Final = (
    _query("SERVICE", "WMS", {"type": "string", "enum": ["WMS"]}),
    _query("VERSION", "version of the standard", {"type": "string", "enum": ["1.1.1", "1.3.0"]}),
    _query("REQUEST", "operation", {
        "type": "string", "enum": ["GetCapabilities", "GetMap", "GetFeatureInfo", "GetLegendGraphic"],
    }),
    _query("LAYERS", "layers, the lowest first, split by commas"),
    _query("STYLES", "a style for each layer; empty: the usual ones"),
    _query("CRS", "coordinate system (1.3.0)"), _query("SRS", "coordinate system (1.1.1)"),
    _query("BBOX", "four numbers in the order of the version and system"),
    _query("WIDTH", "pixels"), _query("HEIGHT", "pixels"),
    _query("FORMAT", "format of the picture", {"type": "string", "enum": list(PICTURES)}),
    _query("TRANSPARENT", "whether nothing lies behind the layers", {"type": "string", "enum": ["TRUE", "FALSE"]}),
    _query("BGCOLOR", "0xRRGGBB"), _query("DPI", "dots an inch; also MAP_RESOLUTION, FORMAT_OPTIONS=dpi:n"),
    _query("TIME", "a moment, or START/END"), _query("EXCEPTIONS", "XML, INIMAGE or BLANK"),
    _query("SLD_BODY", "a style sent along (SLD 1.0 or 1.1)"), _query("LANGUAGE", "zh or en"),
    _query("QUERY_LAYERS", "layers asked about"), _query("I", "column of the pixel (1.3.0; X in 1.1.1)"),
    _query("J", "row of the pixel (1.3.0; Y in 1.1.1)"), _query("FEATURE_COUNT", "most features a layer tells"),
    _query("INFO_FORMAT", "format of what is told", {"type": "string", "enum": list(INFOS)}),
    _query("LAYER", "layer of the legend"), _query("STYLE", "style of the legend"),
    _query("RULE", "rule of the legend"),
    _query("SCALE", "denominator of the legend's scale"), _query("UPDATESEQUENCE", "capabilities known already"),
)  # fmt: skip
_FAULT: Final[Json] = {"text/xml": {"schema": TEXT}, "application/vnd.ogc.se_xml": {"schema": TEXT}}


def _wms(summary: str, name: str, *parameters: Json) -> Json:
    pictures = {media: {"schema": BINARY} for media in ("image/png", "image/jpeg", "image/webp")}
    told = {media: {"schema": TEXT} for media in ("text/xml", "application/vnd.ogc.wms_xml", *INFOS)}
    return {
        "summary": summary, "operationId": name, "tags": ["WMS"], "parameters": list(parameters),
        "description": "Names of parameters are read in any case, unknown ones are ignored; see docs/wms.md.",
        "responses": {
            "200": {"description": "Done", "content": told | pictures},
            **{status: {"description": f"{TOLD[status]} (a service exception)", "content": _FAULT}
               for status in ("400", "404", "503")},
        },
    }  # fmt: skip


WMS: Final = _wms("Web Map Service 1.1.1 and 1.3.0", "wms", *_WMS_QUERY)
POSTED: Final = _wms("The same by POST: a form, or a GetMap document with a style (XML)", "wms_post") | {
    "requestBody": {
        "required": True,
        "content": {
            "application/x-www-form-urlencoded": {"schema": OBJECT},
            **{media: {"schema": TEXT} for media in ("text/xml", "application/xml")},
        },
    },
}

PATHS: Final[Json] = {
    "/ogc/tileMatrixSets": {
        "get": _read("OGC API Tiles", "Tile-matrix sets", "ogc_matrix_sets", {JSON: MATRIX_SET_LIST}, _form("json"))
    },
    "/ogc/tileMatrixSets/{tms}": {
        "get": _read(
            "OGC API Tiles", "A tile-matrix set", "ogc_matrix_set", {JSON: DEFINITION}, MATRIX_SET, _form("json")
        )
    },
    **_tiles("/ogc/tiles", "ogc", "several collections", chosen=(CHOSEN,)),
    **_tiles("/ogc/collections/{collection}/tiles", "ogc_collection", "a collection", COLLECTION_ID),
    **_styles("/ogc/styles", "ogc", "the whole map and of every layer"),
    **_styles("/ogc/collections/{collection}/styles", "ogc_collection", "a collection", COLLECTION_ID),
    "/wms": {"get": WMS, "post": POSTED},
}  # fmt: skip
"""OpenAPI 3.0 path items."""
