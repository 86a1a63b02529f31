"""What /openapi.json says of the answers of /api/v1/plans, /api/v1/generations and the preview of a job."""

from __future__ import annotations

from typing import Any, Final

from data.tables import PUBLICATION_STATES

Json = dict[str, Any]

TEXT: Final[Json] = {"type": "string"}
NUMBER: Final[Json] = {"type": "number"}
INTEGER: Final[Json] = {"type": "integer"}
FLAG: Final[Json] = {"type": "boolean"}
FACTS: Final[Json] = {"type": "object"}
TIME: Final[Json] = {"type": "string", "format": "date-time"}
HERE: Final = "/api/v1/plans"
GENERATIONS: Final = "/api/v1/generations"


def _object(properties: Json, **more: Any) -> Json:
    return {"type": "object", "properties": properties, "required": list(properties), **more}


def _list(items: Json) -> Json:
    return {"type": "array", "items": items}


def _null(schema: Json) -> Json:
    return {**schema, "nullable": True}


def _by_code(properties: Json) -> Json:
    return {"type": "object", "additionalProperties": _object(properties)}


def _collection(more: Json, properties: Json) -> Json:
    shape = _object({"type": TEXT, "coordinates": _list({})})
    kind = {"type": "string", "enum": ["Feature"]}
    feature = _object({"type": kind, "geometry": shape, "properties": _object(properties)})
    return _object({"type": {"type": "string", "enum": ["FeatureCollection"]}, **more, "features": _list(feature)})


POINT: Final = _null({**_list(NUMBER), "description": "longitude, latitude"})
LINKS: Final = _list(_object({"rel": TEXT, "href": TEXT, "type": TEXT}))
BAND: Final = _object({"low": INTEGER, "high": INTEGER})
PUBLICATION: Final[Json] = {
    "id": INTEGER, "plan": INTEGER, "version": INTEGER, "author": TEXT, "note": TEXT,
    "state": {"type": "string", "enum": list(PUBLICATION_STATES)}, "generation": _null(INTEGER),
    "fault": {**TEXT, "description": "why it was refused"}, "effective_at": TIME, "asked_at": TIME,
}  # fmt: skip
PLAN: Final = _object({
    "id": INTEGER, "name": TEXT, "area": TEXT, "area_name": TEXT, "area_name_en": TEXT, "system": TEXT,
    "status": {"type": "string", "enum": ["draft", "published"]}, "band": BAND,
    "levels": {**INTEGER, "description": "how many; 0 for a plan without grids"}, "seed": INTEGER, "feasible": FLAG,
    "reasons": _list(FACTS), "stats": {**FACTS, "description": "figures of the run, and counts as the grids are now"},
    "version": INTEGER, "created_at": TIME, "updated_at": TIME, "author": TEXT, "source": _null(INTEGER), "note": TEXT,
    "unit_set": _null(INTEGER), "editable": FLAG, "generation": _null(INTEGER),
    "publication": _object(PUBLICATION, nullable=True), "links": LINKS,
})  # fmt: skip
GRID: Final[Json] = {
    "code": TEXT, "name": TEXT, "level": INTEGER, "parent": _null(TEXT), "community": _null(TEXT), "kind": TEXT,
    "households": INTEGER, "population": INTEGER,
}  # fmt: skip
MOVE: Final = _object({
    "old": TEXT, "new": _null(TEXT), "units": INTEGER, "households": INTEGER, "population": INTEGER, "from": POINT,
    "to": POINT,
})  # fmt: skip
COMMENT: Final = _object({
    "id": INTEGER, "at": TIME, "author": TEXT, "body": TEXT, "grid": _null(TEXT), "place": POINT, "resolved": FLAG,
})  # fmt: skip
GENERATION: Final[Json] = {
    "id": INTEGER, "plan": INTEGER, "published_at": TIME, "is_current": FLAG, "note": TEXT, "author": TEXT,
    "restored": _null({**INTEGER, "description": "the generation whose grids it brought back"}),
}  # fmt: skip
MADE: Final = _object({"generation": _object(GENERATION)})
QUEUED: Final = _object({"id": INTEGER, "kind": TEXT, "known": FLAG, "links": LINKS})

ANSWERS: Final[dict[str, Json]] = {
    HERE: _object({"plans": _list(PLAN), "links": LINKS}),
    f"{HERE}/{{plan}}": PLAN,
    f"{HERE}/{{plan}}/grids": _collection(
        {"plan": INTEGER, "version": INTEGER},
        GRID | {
            "compactness": NUMBER, "version": INTEGER, "continues": FLAG, "locked": FLAG, "in_band": _null(FLAG),
            "label_point": POINT,
        },
    ),
    f"{HERE}/{{plan}}/compare": _object({
        "figures": FACTS, "before": FACTS, "changes": FACTS, "moves": _list(MOVE),
        "grids": _object({
            "now": _by_code({
                "name": TEXT, "level": INTEGER, "before": _null(TEXT), "households": _null(NUMBER),
                "households_before": _null(NUMBER), "in_band": _null(FLAG),
            }),
            "gone": _by_code({"name": TEXT, "level": INTEGER, "households": _null(NUMBER)}),
        }),
        "estimated": FLAG,
    }),
    f"{HERE}/{{plan}}/comments": _object({"comments": _list(COMMENT)}),
    f"{HERE}/{{plan}}/publication": _object({
        "ok": FLAG, "check": FACTS, "born": _list(_object(GRID)), "gone": _list(_object(GRID)), "going_on": INTEGER,
        "moving": _object({"households": INTEGER, "population": INTEGER, "reports_open": INTEGER}),
        "moves": _list(MOVE), "estimated": FLAG,
        "outdated": _list(_object({"id": INTEGER, "name": TEXT, "area": TEXT, "author": TEXT, "updated_at": TIME})),
        "waiting": _object(PUBLICATION, nullable=True), "communities": _list(TEXT),
        "history": _list(_object(PUBLICATION)), "time_zone": _object({"name": TEXT, "minutes": INTEGER}),
    }),
    GENERATIONS: _object({
        "generations": _list(_object(GENERATION | {
            "plan_name": TEXT, "area": TEXT, "area_name": TEXT, "area_name_en": TEXT, "system": TEXT, "born": INTEGER,
            "ended": INTEGER,
        })),
        "links": LINKS,
    }),
    f"{GENERATIONS}/{{generation}}/restore": _object({
        "generation": INTEGER, "ended": INTEGER, "back": INTEGER, "households": INTEGER, "communities": _list(TEXT),
        "systems": _list(TEXT),
    }),
    "/api/v1/jobs/{job}/preview": _collection(
        {"revision": INTEGER, "unit_set": INTEGER, "figures": FACTS},
        {"number": INTEGER, "households": INTEGER, "in_band": FLAG},
    ),
}  # fmt: skip
"""What each address answers to GET when all is well."""
CHANGES: Final[dict[str, dict[str, Json]]] = {
    f"POST {HERE}": {"201": PLAN, "202": QUEUED},
    f"PATCH {HERE}/{{plan}}": {"200": PLAN},
    f"DELETE {HERE}/{{plan}}": {"204": {}},
    f"POST {HERE}/{{plan}}/duplicate": {"201": PLAN},
    f"POST {HERE}/{{plan}}/comments": {"201": COMMENT},
    f"PATCH {HERE}/{{plan}}/comments/{{comment}}": {"200": COMMENT},
    f"DELETE {HERE}/{{plan}}/comments/{{comment}}": {"204": {}},
    f"POST {HERE}/{{plan}}/publication": {"200": MADE, "202": _object({"publication": _object(PUBLICATION)})},
    f"DELETE {HERE}/{{plan}}/publication": {"204": {}},
    f"POST {GENERATIONS}/{{generation}}/restore": {"200": MADE},
}
"""What addresses answer to other methods when all is well, by status; 204 has no body."""
MATCHED: Final = (f"PATCH {HERE}/{{plan}}", f"POST {HERE}/{{plan}}/publication")
"""Changes that need ``If-Match``."""
MEDIA: Final = {"/api/v1/jobs/{job}/preview": "application/geo+json"}
