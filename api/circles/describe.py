"""What /openapi.json says of the answers of /api/v1/circles."""

from __future__ import annotations

from typing import Final

from api.schemas import FACTS, FLAG, INTEGER, NUMBER, TEXT, TIME, Json, list_of, nullable, object_of
from data.circles import COUNTS
from planning.circles.scores import LEVELS

WHO: Final = ("buildings", "residents", "elderly")
HERE: Final = "/api/v1/circles"


def _geometry(kind: str) -> Json:
    return object_of({"type": {"type": "string", "enum": [kind]}, "coordinates": {"type": "array", "items": {}}})


def _collection(kind: str, properties: Json, more: Json) -> Json:
    feature = {"type": {"type": "string", "enum": ["Feature"]}, "geometry": _geometry(kind)}
    return object_of(
        {
            "type": {"type": "string", "enum": ["FeatureCollection"]},
            "numberReturned": INTEGER,
            **more,
            "features": list_of(object_of(feature | {"properties": object_of(properties)})),
        }
    )


SHARE: Final = nullable({"type": "number", "minimum": 0, "maximum": 1})
RUN: Final[Json] = {"profile": TEXT, "generation": INTEGER}
ABOUT: Final[Json] = RUN | {"category": TEXT, "minutes": INTEGER}
MOVER: Final[Json] = {"profile": TEXT, "metres_per_second": nullable(NUMBER), "factor": NUMBER}
CHOICE: Final = object_of({name: INTEGER for name, _, _ in LEVELS})
CATEGORY: Final = object_of(
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
PLACE: Final[Json] = {"lon": NUMBER, "lat": NUMBER, "inside": FLAG, "assessable": FLAG, "reason": nullable(TEXT)}
LINKS: Final = list_of(object_of({"rel": TEXT, "href": TEXT, "type": TEXT}))
QUEUED: Final = object_of({"id": INTEGER, "kind": TEXT, "known": FLAG, "links": LINKS}, additionalProperties=FLAG)

ANSWERS: Final[dict[str, Json]] = {
    HERE: object_of(
        RUN
        | {
            "profiles": list_of(TEXT),
            "score": object_of({"mean": nullable(NUMBER), "gini": nullable(NUMBER), "histogram": list_of(INTEGER)}),
            "made_at": TIME,
            "minutes": list_of(INTEGER),
            "outdated": {**FLAG, "description": "streets, gates, buildings, facilities or areas were imported since"},
            "categories": list_of(CATEGORY),
            "report": FACTS,
        }
    ),
    f"{HERE}/coverage": object_of(
        RUN
        | {"category": TEXT, "by": TEXT, "minutes": INTEGER, "metres": INTEGER}
        | {
            "rows": list_of(
                object_of(
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
            "square_metres": INTEGER, "seconds": nullable(INTEGER), "extra_seconds": nullable(INTEGER),
            "communities": list_of(TEXT),
            "nearest": object_of(
                {"facility_id": TEXT, "id": nullable(INTEGER), "name": TEXT, "name_en": TEXT}, nullable=True
            ),
        },
        ABOUT | {"numberMatched": INTEGER},
    ),
    f"{HERE}/buildings": _collection(
        "Point",
        {
            "building_id": TEXT, "name": TEXT, "kind": TEXT, "households": INTEGER, "population": INTEGER,
            "elderly": INTEGER, "community": nullable(TEXT), "assessable": FLAG, "score": SHARE,
            "seconds": nullable(INTEGER), "covered": nullable(FLAG),
        },
        ABOUT | {"numberMatched": INTEGER, "links": LINKS},
    ),
    f"{HERE}/nearest": object_of(
        {
            "place": object_of(
                PLACE
                | {"building": nullable(INTEGER), "building_id": nullable(TEXT), "metres_to_street": nullable(NUMBER)}
            ),
            **MOVER,
            "generation": INTEGER,
            "within_seconds": {**INTEGER, "description": "how far was looked"},
            "nearest": list_of(
                object_of(
                    {
                        "category": TEXT, "name_zh": TEXT, "name_en": TEXT, "minutes": INTEGER,
                        "k": {**INTEGER, "description": "1: the nearest, 2: the next …"},
                        "facility": object_of(FACILITY, nullable=True), "metres": nullable(NUMBER),
                        "seconds": nullable(INTEGER), "covered": nullable(FLAG),
                        "route": nullable(_geometry("LineString")),
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
            "place": object_of(PLACE | {"facility": object_of(FACILITY, nullable=True)}),
        },
    ),
}  # fmt: skip
CHANGES: Final[dict[str, dict[str, Json]]] = {
    f"POST {HERE}{what}": {"202": QUEUED} for what in ("", "/sites", "/straight", "/response")
}
