"""/openapi.json beyond what the views' parameters tell: media types, bodies of answers, the one error shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from apiflask import APIFlask

from api.circles.describe import ANSWERS as CIRCLE_ANSWERS
from api.circles.describe import CHANGES as CIRCLE_CHANGES
from api.editing.describe import ANSWERS as EDITING_ANSWERS
from api.editing.describe import CHANGES as EDITING_CHANGES
from api.editing.describe import MATCHED as EDITING_MATCHED
from api.editing.describe import MEDIA as EDITING_MEDIA
from api.heat.describe import ANSWERS as HEAT_ANSWERS
from api.locate.describe import OPERATION as LOCATE_BATCH
from api.mapit.describe import PATHS as MAPIT_PATHS
from api.ogc.describe import PATHS as OGC_PATHS
from api.ogc.describe_tiles import PATHS as TILE_PATHS
from api.people.describe import ANSWERS as PEOPLE_ANSWERS
from api.people.describe import CHANGES as PEOPLE_CHANGES
from api.plans.describe import ANSWERS as PLAN_ANSWERS
from api.plans.describe import CHANGES as PLAN_CHANGES
from api.plans.describe import MATCHED as PLANS_MATCHED
from api.plans.describe import MEDIA as PLAN_MEDIA
from api.sign_in.describe import ANSWERS as SIGN_IN_ANSWERS
from api.sign_in.describe import CHANGES as SIGN_IN_CHANGES
from data.tables import JOB_STATES
from gisgrid.limits import PAGE_MAX
from layers.catalog import LAYERS, Layer

Json = dict[str, Any]

GEOJSON = "application/geo+json"
NUMBER: Json = {"type": "number"}
INTEGER: Json = {"type": "integer"}
TEXT: Json = {"type": "string"}
NULLABLE_TEXT: Json = {"type": "string", "nullable": True}
NULLABLE_SHARE: Json = {"type": "number", "minimum": 0, "maximum": 1, "nullable": True}
FACTS: Json = {"type": "object"}


def _object(properties: Mapping[str, Json], **more: Any) -> Json:
    """An object that always has all of the properties."""
    return {"type": "object", "properties": dict(properties), "required": list(properties), **more}


def _list(items: Json) -> Json:
    return {"type": "array", "items": items}


def _nullable(schema: Json) -> Json:
    return {**schema, "nullable": True}


def _geometry(kind: str | None = None) -> Json:
    type_ = {"type": "string", "enum": [kind]} if kind else TEXT
    return _object({"type": type_, "coordinates": {"type": "array", "items": {}}})


def _feature(properties: Json, geometry: Json | None = None) -> Json:
    kind = {"type": "string", "enum": ["Feature"]}
    return _object({"type": kind, "geometry": geometry or _geometry(), "properties": properties})


def _collection(feature: Json) -> Json:
    kind = {"type": "string", "enum": ["FeatureCollection"]}
    return _object({"type": kind, "numberReturned": INTEGER, "features": _list(feature)})


def _column(column: sa.ColumnElement[Any]) -> Json:
    """The JSON a property's SQL becomes."""
    kind = column.type
    if isinstance(kind, sa.Integer):
        schema: Json = dict(INTEGER)
    elif isinstance(kind, sa.Float):
        schema = dict(NUMBER)
    elif isinstance(kind, sa.Boolean):
        schema = {"type": "boolean"}
    elif isinstance(kind, sa.DateTime):
        schema = {"type": "string", "format": "date-time"}
    elif isinstance(kind, sa.Date):
        schema = {"type": "string", "format": "date"}
    elif isinstance(kind, sa.Text):
        schema = dict(TEXT)
    else:
        return {"type": "array", "items": NUMBER, "description": "longitude, latitude"}
    return _nullable(schema) if getattr(column, "nullable", False) else schema


def _layer_feature(layer: Layer, more: Mapping[str, Json] | None = None) -> Json:
    properties = {name: _column(column) for name, column in layer.properties.items()} | dict(more or {})
    return _feature(_object(properties))


def _layer_page(layer: Layer) -> Json:
    page = _collection(_layer_feature(layer))
    links = _list(_object({"rel": {"type": "string", "enum": ["self", "next"]}, "href": TEXT, "type": TEXT}))
    page["properties"] |= {"numberMatched": INTEGER, "links": links}
    page["required"] += ["numberMatched", "links"]
    return page


ERROR = _object({
    "error": _object({
        "status": {"type": "integer", "description": "the HTTP status again"},
        "code": {"type": "string", "description": "a stable word for programs, such as bad_input or not_found"},
        "message": {"type": "string", "description": "one line for people"},
        "details": FACTS,
    })
})  # fmt: skip
AREA = {"code": TEXT, "name": TEXT, "name_en": TEXT, "level": TEXT}
GRID_CIRCLE = {
    "category": TEXT,
    "minutes": INTEGER,
    "buildings_share": NULLABLE_SHARE,
    "residents_share": NULLABLE_SHARE,
}
GRID_DETAIL = dict.fromkeys(("buildings", "components", "facilities", "reports"), INTEGER)
OWNER = {
    "code": TEXT, "name": TEXT, "level": INTEGER, "kind": TEXT, "community": TEXT, "households": INTEGER,
    "population": INTEGER, "version": INTEGER,
}  # fmt: skip
POST = {"level": TEXT, "place": TEXT, "role": TEXT, "post": TEXT, "department": TEXT, "first": {"type": "boolean"}}
COMPONENT_OWNER = {
    **dict.fromkeys(("code", "name", "state", "dept_supervise", "dept_owner", "dept_maintain"), TEXT),
    "lon": NUMBER, "lat": NUMBER, "metres": NUMBER,
}  # fmt: skip
TEXTS: Json = {"type": "object", "additionalProperties": TEXT}
SHARE: Json = {"type": "number", "minimum": 0, "maximum": 1}
ADDRESS_MATCH = {
    "lon": NUMBER, "lat": NUMBER, "address_id": TEXT, "full": TEXT, "score": SHARE,
    "confident": {"type": "boolean"}, "how": TEXT, "matched": TEXTS, "accuracy": NUMBER, "community": TEXT,
    "grid": NULLABLE_TEXT,
}  # fmt: skip
STYLE_CLASS = {
    "label_zh": TEXT, "label_en": TEXT, "color": {"type": "string", "pattern": "^#[0-9a-f]{6}$"},
    "value": NULLABLE_TEXT, "min": _nullable(NUMBER), "max": _nullable(NUMBER), "width": _nullable(NUMBER),
}  # fmt: skip
STYLE = {"title_zh": TEXT, "title_en": TEXT, "attribute": TEXT, "classes": _list(_object(STYLE_CLASS))}
UPDATE = _object({
    "id": INTEGER, "update_id": NULLABLE_TEXT, "at": {"type": "string", "format": "date-time"}, "stage": TEXT,
    "note": TEXT, "media_urls": _list(TEXT), "channel": TEXT,
    "moved": _object({"grid": NULLABLE_TEXT, "generation": INTEGER}, nullable=True),
})  # fmt: skip
REASSIGNED_GRID = _object({"code": TEXT, "name": TEXT, "system": TEXT})
REASSIGNMENT = _object({
    "id": INTEGER, "at": {"type": "string", "format": "date-time"}, "author": TEXT,
    "from": _nullable(REASSIGNED_GRID), "to": REASSIGNED_GRID, "generation": INTEGER, "reason": TEXT,
})  # fmt: skip
QUEUED_REPORT = _object({
    "id": INTEGER, "lon": NUMBER, "lat": NUMBER, "accuracy": _nullable(NUMBER),
    **dict.fromkeys(("stage", "major", "minor", "channel", "description", "address"), TEXT),
    **{name: {"type": "string", "format": "date-time"} for name in ("reported_at", "updated_at")},
    "expected_at": {"type": "string", "format": "date-time", "nullable": True},
    **dict.fromkeys(("grid", "grid_name", "community", "system"), NULLABLE_TEXT),
    **{name: {"type": "boolean"} for name in ("near_border", "by_hand")},
})  # fmt: skip
REPORT = _layer_feature(LAYERS["reports"], {"agency": TEXT, "located": FACTS, "updates": _list(UPDATE)})

LINKS = _list(_object({"rel": TEXT, "href": TEXT, "type": TEXT}))
TIME: Json = {"type": "string", "format": "date-time"}
JOB = {
    **dict.fromkeys(("id", "attempts", "revision"), INTEGER), **dict.fromkeys(("kind", "note"), TEXT),
    "state": {"type": "string", "enum": list(JOB_STATES)}, "share": {"type": "number", "minimum": 0, "maximum": 1},
    "params": FACTS, "cancel_asked": {"type": "boolean"}, "result": _nullable(FACTS),
    "created_at": TIME, "links": LINKS,
    **dict.fromkeys(("started_at", "finished_at"), _nullable(TIME)),
    "eta": _nullable({"type": "number", "description": "seconds still needed"}),
    "error": _nullable(_object({"status": INTEGER, "code": TEXT, "message": TEXT, "details": FACTS})),
}  # fmt: skip

HISTORY_ENTRY = _object({
    "seq": INTEGER, "at": TIME, **dict.fromkeys(("principal", "name", "subject", "action", "reason", "origin"), TEXT),
    "rows": INTEGER, "hash": TEXT, "digest": _nullable(FACTS),
    "changes": _list(_object({
        "id": {}, "area": TEXT, "label": TEXT, "before": _nullable(FACTS), "after": _nullable(FACTS),
    })),
})  # fmt: skip
LAYER_ATTRIBUTE = {"name": TEXT, "type": TEXT, "title_zh": TEXT, "title_en": TEXT, "unit": TEXT}
LAYER = _object({
    **dict.fromkeys(("name", "title_zh", "title_en", "about_zh", "about_en", "shape", "crs", "style"), TEXT),
    **dict.fromkeys(("group", "base", "label", "time"), NULLABLE_TEXT),
    **dict.fromkeys(("min_scale", "max_scale"), _nullable(NUMBER)),
    **{key: {"type": "boolean"} for key in ("queryable", "editable", "restricted", "picture_only")},
    "attributes": _list(_object(LAYER_ATTRIBUTE)), "styles": _list(TEXT),
    "downloads": {"type": "object", "additionalProperties": TEXT},
})  # fmt: skip

NAMED_COUNT = {"name_zh": TEXT, "name_en": TEXT}
PLACE = _object({
    **dict.fromkeys(("code", "name", "name_en", "kind"), TEXT), "level": INTEGER,
    "place": {"type": "string", "enum": ["grid", "community"]},
    "generation": _object({"id": INTEGER, "published_at": TIME}), "chain": _list(_object(AREA)),
    "posts": _list(_object(POST)), "numbers": {"type": "object", "additionalProperties": INTEGER},
    "components": _list(_object({"name": TEXT, "name_en": TEXT, "count": INTEGER})),
    "facilities": _list(_object({"category": TEXT, "count": INTEGER} | NAMED_COUNT)),
    "reports": _object({
        "this_month": INTEGER, "open": INTEGER, "months": _list(_object({"month": TEXT, "count": INTEGER})),
    }),
    "circles": _list(_object(
        {"category": TEXT, "minutes": INTEGER, "residents_share": NULLABLE_SHARE} | NAMED_COUNT
    )),
    "point": _list(NUMBER), "geometry": _geometry(),
    "neighbours": _list(_object(
        {"code": TEXT, "name": TEXT, "kind": TEXT, "households": INTEGER, "geometry": _geometry()}
    )),
})  # fmt: skip

ANSWERS: dict[str, Json] = {
    "/api/v1/layers": _object({"layers": _list(LAYER)}),
    "/api/v1/layers/qgis": {"type": "string", "description": "a QGIS project (.qgs)"},
    "/api/v1/layers/{name}": LAYER,
    "/api/v1/layers/{name}/download": _object(
        {"type": TEXT, "name": TEXT, "title": TEXT, "features": _list(_feature(FACTS))}
    ),
    "/api/v1/overview": _object({
        "areas": _list(_object(AREA | {"parent": NULLABLE_TEXT})),
        "bounds": _nullable(_list(NUMBER)),
        "generation": _object(
            {"id": INTEGER, "published_at": {"type": "string", "format": "date-time"}, "note": TEXT}, nullable=True
        ),
        "band": _object({"low": INTEGER, "high": INTEGER}),
        "counts": {"type": "object", "additionalProperties": INTEGER},
        "circles": _object({"profile": TEXT, "minutes": _list(INTEGER)}, nullable=True),
        "attribution": TEXT,
        "embedded": {"type": "boolean"},
    }),
    "/api/v1/me": _object(
        {
            "name": TEXT, "kind": TEXT, "roles": _list(TEXT), "permissions": _list(TEXT),
            "grants": _list(_object({"role": TEXT, "area": TEXT})),
        } | {key: {"type": "boolean"} for key in ("planner", "open", "keys", "with_key")}
    ),
    "/api/v1/styles": _object({"layers": {"type": "object", "additionalProperties": _object(STYLE)}}),
    "/api/v1/locate": _object({
        "point": _object({"lon": NUMBER, "lat": NUMBER, "crs": TEXT}),
        "given": FACTS,
        "owner": _object(OWNER, nullable=True),
        "place": {"type": "string", "enum": ["inside", "near", "outside"]},
        "reason": NULLABLE_TEXT,
        "nearest": _object({"code": TEXT, "name": TEXT, "metres": NUMBER}, nullable=True),
        "chain": _list(_object(AREA)),
        "posts": _list(_object(POST)),
        "professional": FACTS,
        "generation": INTEGER,
        "distance_to_boundary": _nullable(NUMBER),
        "near_border": {"type": "boolean"},
        "accuracy": _nullable(NUMBER),
        "candidates": _list(_object({"code": TEXT, "name": TEXT, "probability": NUMBER})),
        "outside_probability": NULLABLE_SHARE,
        "address": {**FACTS, "nullable": True},
        "component": _object(COMPONENT_OWNER, nullable=True),
        "responsible": _object({
            "kind": {"type": "string", "enum": ["grid", "department"]}, "department": NULLABLE_TEXT, "code": TEXT,
            "post": NULLABLE_TEXT,
        }, nullable=True),
    }),
    "/api/v1/addresses/search": _object({
        "text": TEXT, "generation": _nullable(INTEGER), "matches": _list(_object(ADDRESS_MATCH)),
    }),
    "/api/v1/addresses/suggest": _object({
        "text": TEXT,
        "suggestions": _list(_object({
            "text": TEXT, "kind": TEXT, "lon": NUMBER, "lat": NUMBER, "count": INTEGER, "address_id": TEXT,
        })),
    }),
    "/api/v1/addresses/reverse": _object({
        "point": _object({"lon": NUMBER, "lat": NUMBER, "crs": TEXT}),
        "addresses": _list(_object({
            "lon": NUMBER, "lat": NUMBER, "address_id": TEXT, "full": TEXT, "metres": NUMBER, "how": TEXT, "road": TEXT,
            "door_number": TEXT, "community": TEXT,
        })),
    }),
    "/api/v1/addresses/parse": _object({"text": TEXT, "plain": TEXT, "near": {"type": "boolean"}, "parts": TEXTS}),
    "/api/v1/grids/{code}": _layer_feature(
        LAYERS["grids"], GRID_DETAIL | {"circles": _list(_object(GRID_CIRCLE))}
    ),
    "/api/v1/sheets/{code}.pdf": {"type": "string", "format": "binary"},
    "/api/v1/sheets/{code}.png": {"type": "string", "format": "binary"},
    "/api/v1/places/{code}": PLACE,
    "/api/v1/areas/{code}": _layer_feature(LAYERS["areas"]),
    "/api/v1/components/{component_code}": _layer_feature(LAYERS["components"]),
    "/api/v1/components/clusters": _collection(_feature(
        _object({"count": INTEGER, "major": TEXT, "major_name": TEXT, "component_code": NULLABLE_TEXT}),
        _geometry("Point"),
    )),
    "/api/v1/components/classes": _object({"classes": _list(_object({
        **dict.fromkeys(("standard", "kind", "major", "minor", "name", "major_name", "major_name_en"), TEXT),
        "is_local": {"type": "boolean"},
    }))}),
    "/api/v1/facilities/categories": _object({"categories": _list(_object({
        "category": TEXT, "tier": INTEGER, "minutes": INTEGER, "metres": INTEGER, "name_zh": TEXT, "name_en": TEXT,
        "count": INTEGER,
    }))}),
    "/api/v1/reports/queue": _object({
        "reports": _list(QUEUED_REPORT), "matched": INTEGER,
        "stages": {"type": "object", "additionalProperties": INTEGER}, "after": NULLABLE_TEXT,
    }),
    "/api/v1/reports/{report}": REPORT,
    "/api/v1/reports/{report}/reassignments": _object({"reassignments": _list(REASSIGNMENT)}),
    "/api/v1/reports/{report}/updates": _object({"updates": _list(UPDATE)}),
    "/api/v1/history": _object({"entries": _list(HISTORY_ENTRY), "links": LINKS}),
    "/api/v1/history/head": _object({"seq": INTEGER, "hash": TEXT, "since": TIME}),
    "/api/v1/history/{seq}": HISTORY_ENTRY,
    "/api/v1/jobs": _object({"jobs": _list(_object(JOB)), "links": LINKS}),
    "/api/v1/jobs/{job}": _object(JOB),
    "/api/v1/jobs/{job}/events": TEXT,
    "/api/v1/jobs/{job}/output": {"type": "string", "format": "binary"},
} | CIRCLE_ANSWERS | PLAN_ANSWERS | EDITING_ANSWERS | HEAT_ANSWERS | SIGN_IN_ANSWERS | PEOPLE_ANSWERS | {
    f"/api/v1/{name}": _layer_page(layer) for name, layer in LAYERS.items() if name != "units"
}  # fmt: skip
"""What each address answers to GET when all is well."""
MEDIA = {
    "/api/v1/jobs/{job}/events": "text/event-stream", "/api/v1/jobs/{job}/output": "application/octet-stream",
    "/api/v1/layers/qgis": "application/x-qgis-project", "/api/v1/sheets/{code}.pdf": "application/pdf",
    "/api/v1/sheets/{code}.png": "image/png",
} | PLAN_MEDIA | EDITING_MEDIA  # fmt: skip
"""Media type of answers that are neither JSON nor GeoJSON."""
CHANGES: dict[str, dict[str, Json]] = (
    {
        "POST /api/v1/addresses/search": {"200": ANSWERS["/api/v1/addresses/search"]},
        "POST /api/v1/reports": {"200": REPORT, "201": REPORT},
        "POST /api/v1/reports/{report}/updates": {"200": REPORT, "201": REPORT},
        "POST /api/v1/reports/{report}/reassign": {"200": REPORT},
        "DELETE /api/v1/jobs/{job}": {"202": _object(JOB), "204": {}},
    }
    | CIRCLE_CHANGES
    | PLAN_CHANGES
    | EDITING_CHANGES
    | SIGN_IN_CHANGES
    | PEOPLE_CHANGES
)
"""What addresses answer to other methods when all is well, by status; 204 has no body."""
REPORT_CHANGES = {"/api/v1/reports/{report}/updates", "/api/v1/reports/{report}/reassign"}
KEYED = {"/api/v1/reports", *REPORT_CHANGES} | {key.split()[1] for key in PLAN_CHANGES}
"""Addresses that take what is sent only with a key, where keys are set."""
MATCHED = {*PLANS_MATCHED, *EDITING_MATCHED}
"""Changes, as ``METHOD address``, that go by ``If-Match``."""
STATUSES = {"200": "Done, or known already", "201": "Stored", "202": "Begun", "204": "Done"}

NOT_YET = {"/api/v1/locate", *CIRCLE_ANSWERS, *HEAT_ANSWERS} | {
    f"/api/v1/addresses/{name}" for name in ("search", "suggest", "reverse")
}
"""Addresses without an identifier that still answer 404: before a plan is published, circles are computed or
addresses imported."""


def init_app(app: APIFlask) -> None:
    """Have the description completed when it is made."""
    app.config["AUTO_404_RESPONSE"] = False
    app.spec_processor(_complete)


def _complete(spec: dict[Any, Any] | str) -> dict[Any, Any] | str:
    assert isinstance(spec, dict)  # text only when SPEC_FORMAT asks for YAML
    bodies = {name: made for name, made in spec["components"]["schemas"].items() if name.endswith("Body")}
    spec["components"] = {"schemas": bodies | {"Error": ERROR}}
    spec.pop("servers", None)  # the address a request came by need not be the one others use
    for path, operations in spec["paths"].items():
        named = path.removeprefix("/api/v1/").translate(str.maketrans("/{", "__", "}"))
        for method, operation in operations.items():
            operation["operationId"] = named if method == "get" else f"{named}_{method}"
            if (method, path) == ("post", "/api/v1/locate"):
                operation |= LOCATE_BATCH
                continue
            operation["responses"] = _read(path) if method == "get" else _changed(method.upper(), path)
            for parameter in operation.get("parameters", []):
                _complete_parameter(parameter)
    named = [tag["name"] for tag in spec.get("tags", [])] + ["OGC API", "OGC API Tiles", "OGC API Styles", "WMS"]
    spec["tags"] = [{"name": name} for name in dict.fromkeys(named)]  # several blueprints share one
    spec["paths"] |= MAPIT_PATHS | OGC_PATHS | TILE_PATHS
    return spec


def _read(path: str) -> Json:
    told = {"400": "A parameter cannot be used", "503": "The database does not answer; try again"}
    if "{" in path or path in NOT_YET:
        told["404"] = "There is no such thing (yet)"
    return {"200": {"description": "Done", "content": _content(path, ANSWERS[path])}} | _errors(told)


def _changed(method: str, path: str) -> Json:
    done: Json = {
        status: {"description": STATUSES[status]} | ({"content": _content(path, answer)} if answer else {})
        for status, answer in CHANGES[f"{method} {path}"].items()
    }
    told = {
        "400": "What was sent cannot be used", "404": "There is no such thing (yet)",
        "409": "It clashes with what is stored", "503": "The database does not answer; try again",
    }  # fmt: skip
    told |= {"403": "A key is missing or not known"} if path in KEYED else {}
    if f"{method} {path}" in MATCHED or path in REPORT_CHANGES:
        told["428"] = "If-Match is missing"
    if f"{method} {path}" in MATCHED or path in REPORT_CHANGES:
        told["412"] = "It has changed since it was read (If-Match)"
    return done | _errors(told)


def _content(path: str, answer: Json) -> Json:
    held = answer.get("properties", {})
    media = MEDIA.get(path) or (
        GEOJSON if "features" in held or ("geometry" in held and "place" not in held) else "application/json"
    )
    return {media: {"schema": answer}}


def _errors(told: Mapping[str, str]) -> Json:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {status: {"description": told[status], "content": content} for status in sorted(told)}


def _complete_parameter(parameter: Json) -> None:
    if parameter["name"] == "limit":
        parameter["schema"] = {"minimum": 1, "maximum": PAGE_MAX} | parameter["schema"]
    if parameter["in"] == "path":
        parameter.setdefault("description", "identifier, as the pages give it")
