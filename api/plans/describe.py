"""What /openapi.json says of the answers of /api/v1/plans, /api/v1/generations and the preview of a job."""

from __future__ import annotations

from typing import Final

from api.schemas import FACTS, FLAG, INTEGER, NUMBER, TEXT, TIME, Json, list_of, nullable, object_of
from data.tables import PUBLICATION_STATES

HERE: Final = "/api/v1/plans"
GENERATIONS: Final = "/api/v1/generations"


def _by_code(properties: Json) -> Json:
    return {"type": "object", "additionalProperties": object_of(properties)}


def _collection(more: Json, properties: Json) -> Json:
    shape = object_of({"type": TEXT, "coordinates": list_of({})})
    kind = {"type": "string", "enum": ["Feature"]}
    feature = object_of({"type": kind, "geometry": shape, "properties": object_of(properties)})
    return object_of({"type": {"type": "string", "enum": ["FeatureCollection"]}, **more, "features": list_of(feature)})


POINT: Final = nullable({**list_of(NUMBER), "description": "longitude, latitude"})
LINKS: Final = list_of(object_of({"rel": TEXT, "href": TEXT, "type": TEXT}))
BAND: Final = object_of({"low": INTEGER, "high": INTEGER})
PUBLICATION: Final[Json] = {
    "id": INTEGER, "plan": INTEGER, "version": INTEGER, "author": TEXT, "note": TEXT, "override": TEXT,
    "state": {"type": "string", "enum": list(PUBLICATION_STATES)}, "generation": nullable(INTEGER),
    "fault": {**TEXT, "description": "why it was refused"}, "effective_at": TIME, "asked_at": TIME,
}  # fmt: skip
PLAN: Final = object_of({
    "id": INTEGER, "name": TEXT, "area": TEXT, "area_name": TEXT, "area_name_en": TEXT, "system": TEXT,
    "status": {"type": "string", "enum": ["draft", "published"]}, "band": BAND,
    "levels": {**INTEGER, "description": "how many; 0 for a plan without grids"}, "seed": INTEGER, "feasible": FLAG,
    "reasons": list_of(FACTS), "stats": {**FACTS, "description": "figures of the run, and counts as the grids are now"},
    "version": INTEGER, "created_at": TIME, "updated_at": TIME, "author": TEXT, "source": nullable(INTEGER),
    "note": TEXT, "unit_set": nullable(INTEGER), "editable": FLAG, "generation": nullable(INTEGER),
    "publication": {
        **object_of(PUBLICATION, nullable=True),
        "description": "what was asked for last, while it waits or if it was refused",
    }, "links": LINKS,
})  # fmt: skip
GRID: Final[Json] = {
    "code": TEXT, "name": TEXT, "level": INTEGER, "parent": nullable(TEXT), "community": nullable(TEXT), "kind": TEXT,
    "households": INTEGER, "population": INTEGER,
}  # fmt: skip
MOVE: Final = object_of({
    "old": TEXT, "new": nullable(TEXT), "units": INTEGER, "households": INTEGER, "population": INTEGER, "from": POINT,
    "to": POINT,
})  # fmt: skip
COMMENT: Final = object_of({
    "id": INTEGER, "at": TIME, "author": TEXT, "body": TEXT, "grid": nullable(TEXT), "place": POINT, "resolved": FLAG,
    "etag": {**TEXT, "description": "what If-Match must name to change it"},
})  # fmt: skip
GENERATION: Final[Json] = {
    "id": INTEGER, "plan": INTEGER, "published_at": TIME, "is_current": FLAG, "note": TEXT, "author": TEXT,
    "restored": nullable({**INTEGER, "description": "the generation whose grids it brought back"}),
    "override": {**TEXT, "description": "why it was published though the check failed"},
    "problems": nullable({**FACTS, "description": "what the check failed on then"}),
}  # fmt: skip
MADE: Final = object_of({"generation": object_of(GENERATION)})
QUEUED: Final = object_of({"id": INTEGER, "kind": TEXT, "known": FLAG, "links": LINKS})

ANSWERS: Final[dict[str, Json]] = {
    HERE: object_of({"plans": list_of(PLAN), "links": LINKS}),
    f"{HERE}/{{plan}}": PLAN,
    f"{HERE}/{{plan}}/grids": _collection(
        {"plan": INTEGER, "version": INTEGER},
        GRID | {
            "compactness": NUMBER, "version": INTEGER, "continues": FLAG, "locked": FLAG, "in_band": nullable(FLAG),
            "label_point": POINT,
        },
    ),
    f"{HERE}/{{plan}}/compare": object_of({
        "figures": FACTS, "before": FACTS, "changes": FACTS, "moves": list_of(MOVE),
        "grids": object_of({
            "now": _by_code({
                "name": TEXT, "level": INTEGER, "before": nullable(TEXT), "households": nullable(NUMBER),
                "households_before": nullable(NUMBER), "in_band": nullable(FLAG),
            }),
            "gone": _by_code({"name": TEXT, "level": INTEGER, "households": nullable(NUMBER)}),
        }),
        "estimated": FLAG,
    }),
    f"{HERE}/{{plan}}/comments": object_of({"comments": list_of(COMMENT)}),
    f"{HERE}/{{plan}}/comments/{{comment}}": COMMENT,
    f"{HERE}/{{plan}}/publication": object_of({
        "ok": FLAG, "check": FACTS, "born": list_of(object_of(GRID)), "gone": list_of(object_of(GRID)),
        "going_on": INTEGER,
        "moving": object_of({"households": INTEGER, "population": INTEGER, "reports_open": INTEGER}),
        "moves": list_of(MOVE), "estimated": FLAG,
        "outdated": list_of(object_of({"id": INTEGER, "name": TEXT, "area": TEXT, "author": TEXT, "updated_at": TIME})),
        "waiting": object_of(PUBLICATION, nullable=True), "communities": list_of(TEXT),
        "history": list_of(object_of(PUBLICATION)), "time_zone": object_of({"name": TEXT, "minutes": INTEGER}),
    }),
    GENERATIONS: object_of({
        "generations": list_of(object_of(GENERATION | {
            "plan_name": TEXT, "area": TEXT, "area_name": TEXT, "area_name_en": TEXT, "system": TEXT, "born": INTEGER,
            "ended": INTEGER,
        })),
        "links": LINKS,
    }),
    f"{GENERATIONS}/{{generation}}/restore": object_of({
        "generation": INTEGER, "ended": INTEGER, "back": INTEGER, "households": INTEGER, "communities": list_of(TEXT),
        "systems": list_of(TEXT),
    }),
    "/api/v1/jobs/{job}/preview": _collection(
        {"revision": INTEGER, "unit_set": INTEGER, "figures": FACTS},
        {"number": INTEGER, "kind": TEXT, "households": INTEGER, "in_band": nullable(FLAG)},
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
    f"POST {HERE}/{{plan}}/publication": {"200": MADE, "202": object_of({"publication": object_of(PUBLICATION)})},
    f"DELETE {HERE}/{{plan}}/publication": {"204": {}},
    f"POST {GENERATIONS}/{{generation}}/restore": {"200": MADE},
}
"""What addresses answer to other methods when all is well, by status; 204 has no body."""
MATCHED: Final = (
    f"PATCH {HERE}/{{plan}}", f"DELETE {HERE}/{{plan}}", f"POST {HERE}/{{plan}}/publication",
    f"DELETE {HERE}/{{plan}}/publication", f"PATCH {HERE}/{{plan}}/comments/{{comment}}",
    f"DELETE {HERE}/{{plan}}/comments/{{comment}}", f"POST {GENERATIONS}/{{generation}}/restore",
)  # fmt: skip
"""Changes that need ``If-Match``."""
MEDIA: Final = {"/api/v1/jobs/{job}/preview": "application/geo+json"}
