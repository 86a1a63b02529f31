"""What /openapi.json says of the answers of /api/v1/circles."""

from __future__ import annotations

from typing import Any, Final

from data.circles import COUNTS
from planning.circles.scores import LEVELS

Json = dict[str, Any]

TEXT: Final[Json] = {"type": "string"}
NUMBER: Final[Json] = {"type": "number"}
INTEGER: Final[Json] = {"type": "integer"}
FLAG: Final[Json] = {"type": "boolean"}
FACTS: Final[Json] = {"type": "object"}
TIME: Final[Json] = {"type": "string", "format": "date-time"}
WHO: Final = ("buildings", "residents", "elderly")
HERE: Final = "/api/v1/circles"


def _object(properties: Json, **more: Any) -> Json:
    return {"type": "object", "properties": properties, "required": list(properties), **more}


def _list(items: Json) -> Json:
    return {"type": "array", "items": items}


def _null(schema: Json) -> Json:
    return {**schema, "nullable": True}


def _geometry(kind: str) -> Json:
    return _object({"type": {"type": "string", "enum": [kind]}, "coordinates": {"type": "array", "items": {}}})


def _collection(kind: str, properties: Json, more: Json) -> Json:
    feature = {"type": {"type": "string", "enum": ["Feature"]}, "geometry": _geometry(kind)}
    return _object(
        {
            "type": {"type": "string", "enum": ["FeatureCollection"]},
            "numberReturned": INTEGER,
            **more,
            "features": _list(_object(feature | {"properties": _object(properties)})),
        }
    )


SHARE: Final = _null({"type": "number", "minimum": 0, "maximum": 1})
RUN: Final[Json] = {"profile": TEXT, "generation": INTEGER}
ABOUT: Final[Json] = RUN | {"category": TEXT, "minutes": INTEGER}
MOVER: Final[Json] = {"profile": TEXT, "metres_per_second": _null(NUMBER), "factor": NUMBER}
CHOICE: Final = _object({name: INTEGER for name, _, _ in LEVELS})
CATEGORY: Final = _object(
    {
        "category": TEXT, "tier": INTEGER, "name_zh": TEXT, "name_en": TEXT, "minutes": INTEGER, "metres": INTEGER,
        "facilities": INTEGER, "facilities_on_network": INTEGER, "blind_spots": INTEGER,
        **{f"{who}_{which}": INTEGER for who in WHO for which in ("total", "assessed", "covered", "within_metres")},
        **{f"straight_line_{who}_covered": INTEGER for who in WHO},
        **{f"homes_{which}": INTEGER for which in ("total", "assessed", "covered")},
        "opportunity": CHOICE, "opportunity_buildings": CHOICE, "opportunity_elderly": CHOICE,
    }
)  # fmt: skip
FACILITY: Final[Json] = {
    "id": INTEGER,
    "facility_id": TEXT,
    "name": TEXT,
    "name_en": TEXT,
    "lon": NUMBER,
    "lat": NUMBER,
}
PLACE: Final[Json] = {"lon": NUMBER, "lat": NUMBER, "inside": FLAG, "assessable": FLAG, "reason": _null(TEXT)}
LINKS: Final = _list(_object({"rel": TEXT, "href": TEXT, "type": TEXT}))
QUEUED: Final = _object({"id": INTEGER, "kind": TEXT, "known": FLAG, "links": LINKS}, additionalProperties=FLAG)

ANSWERS: Final[dict[str, Json]] = {
    HERE: _object(
        RUN
        | {
            "profiles": _list(TEXT),
            "score": _object({"mean": _null(NUMBER), "gini": _null(NUMBER), "histogram": _list(INTEGER)}),
            "made_at": TIME,
            "minutes": _list(INTEGER),
            "outdated": {**FLAG, "description": "streets, gates, buildings, facilities or areas were imported since"},
            "categories": _list(CATEGORY),
            "report": FACTS,
        }
    ),
    f"{HERE}/coverage": _object(
        RUN
        | {"category": TEXT, "by": TEXT, "minutes": INTEGER, "metres": INTEGER}
        | {
            "rows": _list(
                _object(
                    {"code": TEXT, "name": TEXT}
                    | dict.fromkeys(COUNTS, INTEGER)
                    | {f"{who}_{which}": SHARE for who in WHO for which in ("share", "straight_share")}
                )
            )
        }
    ),
    f"{HERE}/polygons": _collection("MultiPolygon", {"category": TEXT, "minutes": INTEGER}, RUN),
    f"{HERE}/blind-spots": _collection(
        "MultiPolygon",
        {
            "category": TEXT, "rank": INTEGER, "buildings": INTEGER, "residents": INTEGER, "elderly": INTEGER,
            "square_metres": INTEGER, "seconds": _null(INTEGER), "extra_seconds": _null(INTEGER),
            "communities": _list(TEXT),
            "nearest": _object(
                {"facility_id": TEXT, "id": _null(INTEGER), "name": TEXT, "name_en": TEXT}, nullable=True
            ),
        },
        ABOUT | {"numberMatched": INTEGER},
    ),
    f"{HERE}/buildings": _collection(
        "Point",
        {
            "building_id": TEXT, "name": TEXT, "kind": TEXT, "households": INTEGER, "population": INTEGER,
            "elderly": INTEGER, "community": _null(TEXT), "assessable": FLAG, "score": SHARE,
            "seconds": _null(INTEGER), "covered": _null(FLAG),
        },
        ABOUT | {"numberMatched": INTEGER, "links": LINKS},
    ),
    f"{HERE}/nearest": _object(
        {
            "place": _object(
                PLACE | {"building": _null(INTEGER), "building_id": _null(TEXT), "metres_to_street": _null(NUMBER)}
            ),
            **MOVER,
            "generation": INTEGER,
            "within_seconds": {**INTEGER, "description": "how far was looked"},
            "nearest": _list(
                _object(
                    {
                        "category": TEXT, "name_zh": TEXT, "name_en": TEXT, "minutes": INTEGER,
                        "k": {**INTEGER, "description": "1: the nearest, 2: the next …"},
                        "facility": _object(FACILITY, nullable=True), "metres": _null(NUMBER),
                        "seconds": _null(INTEGER), "covered": _null(FLAG),
                        "route": _null(_geometry("LineString")),
                    }
                )
            ),
        }
    ),
    f"{HERE}/isochrones": _collection(
        "MultiPolygon",
        {"minutes": NUMBER, "square_metres": INTEGER},
        MOVER
        | {
            "generation": INTEGER,
            "direction": {"type": "string", "enum": ["to", "from"]},
            "place": _object(PLACE | {"facility": _object(FACILITY, nullable=True)}),
        },
    ),
}  # fmt: skip
CHANGES: Final[dict[str, dict[str, Json]]] = {
    f"POST {HERE}{what}": {"202": QUEUED} for what in ("", "/sites", "/straight", "/response")
}
