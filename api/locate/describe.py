"""What /openapi.json says of POST /api/v1/locate: bodies in four formats, answers in the same."""

from __future__ import annotations

from typing import Any, Final

Json = dict[str, Any]

_TEXT: Final[Json] = {"type": "string"}
_NULLABLE_TEXT: Final[Json] = {"type": "string", "nullable": True}
_NUMBER: Final[Json] = {"type": "number"}
_NULLABLE_NUMBER: Final[Json] = {"type": "number", "nullable": True}
_INTEGER: Final[Json] = {"type": "integer"}
_ID: Final[Json] = {"description": "whatever the caller calls the point: text, a number or null"}
_BYTES: Final[Json] = {"type": "string", "format": "binary"}
_ERROR: Final[Json] = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}


def _object(properties: Json, optional: Json | None = None) -> Json:
    more = optional or {}
    return {"type": "object", "properties": {**properties, **more}, "required": list(properties)}


_ANSWER: Final[Json] = {
    "row": {"type": "integer", "description": "counted from 1, in the order sent"},
    "grid": _NULLABLE_TEXT,
    "community": _NULLABLE_TEXT,
    "outside": {"type": "boolean", "description": "a usable point in no grid"},
    "nearest": _NULLABLE_TEXT,
    "metres": {**_NULLABLE_NUMBER, "description": "to the nearest grid"},
    "reason": {**_NULLABLE_TEXT, "description": "why the row could not be used"},
    "generation": _INTEGER,
}
_SURE: Final[Json] = {
    "distance_to_boundary": {**_NULLABLE_NUMBER, "description": "metres, when an accuracy is given"},
    "near_border": {
        "type": "boolean",
        "nullable": True,
        "description": "10 m from the boundary, or its accuracy",
    },
    "address": {**_NULLABLE_TEXT, "description": "the place an address means"},
    "candidates": {
        "type": "array",
        "nullable": True,
        "description": "the most probable first",
        "items": _object({"code": _TEXT, "probability": _NUMBER}),
    },
}
_COUNTS: Final[Json] = {
    "generation": _INTEGER, "located": _INTEGER, "outside": _INTEGER, "unusable": _INTEGER,
    "reasons": {"type": "object", "additionalProperties": _INTEGER},
}  # fmt: skip
_POINT: Final[Json] = _object(
    {"lon": {}, "lat": {}},
    {"id": _ID, "crs": _TEXT, "accuracy": {**_NUMBER, "description": "metres"}, "address": _TEXT},
)
_SENT_COLLECTION: Final[Json] = _object(
    {
        "type": {"type": "string", "enum": ["FeatureCollection"]},
        "features": {"type": "array", "items": {"type": "object"}},
    }
)
_COLLECTION: Final[Json] = _object({
    "type": {"type": "string", "enum": ["FeatureCollection"]},
    "numberReturned": _INTEGER,
    "points": _INTEGER,
    **_COUNTS,
    "features": {"type": "array", "items": _object({
        "type": {"type": "string", "enum": ["Feature"]},
        "geometry": {"type": "object", "nullable": True},
        "properties": {**_object(_ANSWER, _SURE), "additionalProperties": True},
    })},
})  # fmt: skip
_LIST: Final[Json] = _object(
    {**_COUNTS, "points": {"type": "array", "items": _object({"id": {**_ID, "nullable": True}, **_ANSWER}, _SURE)}}
)
_JOB: Final[Json] = _object({
    "id": _INTEGER, "kind": _TEXT, "state": _TEXT, "points": _INTEGER,
    "links": {"type": "array", "items": _object({"rel": _TEXT, "href": _TEXT, "type": _TEXT})},
})  # fmt: skip


def _told(description: str, content: Json = _ERROR) -> Json:
    return {"description": description, "content": content}


OPERATION: Final[Json] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {
                "description": "points as objects or [lon, lat]; a plain list of them does, too",
                **_object({"points": {"type": "array", "items": _POINT}}, {"crs": _TEXT}),
            }},
            "application/geo+json": {"schema": _SENT_COLLECTION},
            "text/csv": {"schema": _BYTES},
            "application/vnd.apache.parquet": {"schema": _BYTES},
        },
    },
    "responses": {
        "200": _told("One answer a point, in the order they came", {
            "application/json": {"schema": _LIST},
            "application/geo+json": {"schema": _COLLECTION},
            "text/csv": {"schema": _BYTES},
            "application/vnd.apache.parquet": {"schema": _BYTES},
        }),
        "202": _told("So many points that they became a job", {"application/json": {"schema": _JOB}}),
        "400": _told("The body or a parameter cannot be used"),
        "404": _told("No plan is published yet"),
        "406": _told("Accept asks for another format"),
        "413": _told("The body is too large"),
        "415": _told("The body has another format"),
        "503": _told("The database does not answer, or too many jobs wait; try again"),
    },
}  # fmt: skip
"""Merged into the operation as the view describes it."""
