"""What /openapi.json says of the answers of editing."""

from __future__ import annotations

from typing import Any, Final

from planning.problems import KINDS

Json = dict[str, Any]

TEXT: Final[Json] = {"type": "string"}
NUMBER: Final[Json] = {"type": "number"}
INTEGER: Final[Json] = {"type": "integer"}
FLAG: Final[Json] = {"type": "boolean"}
FACTS: Final[Json] = {"type": "object"}
TIME: Final[Json] = {"type": "string", "format": "date-time"}


def _object(properties: Json, **more: Any) -> Json:
    return {"type": "object", "properties": properties, "required": list(properties), **more}


def _list(items: Json) -> Json:
    return {"type": "array", "items": items}


def _null(schema: Json) -> Json:
    return {**schema, "nullable": True}


PLAN: Final = "/api/v1/plans/{plan}"
UNIT_SET: Final = "/api/v1/unit-sets/{unit_set}"
BAND: Final = _object({"low": INTEGER, "high": INTEGER})
GRID: Final = _object(
    {
        "code": TEXT, "name": TEXT, "kind": TEXT, "parent": _null(TEXT), "community": TEXT, "locked": FLAG,
        "continues": FLAG, "version": INTEGER,
    }
)  # fmt: skip

GRID_NOW: Final = _object(
    GRID["properties"] | {"level": INTEGER, "households": INTEGER, "population": INTEGER, "compactness": NUMBER}
)
OPERATIONS: Final = _list(FACTS)
EDIT: Final = _object({"version": INTEGER, "at": TIME, "author": TEXT, "note": TEXT, "operations": OPERATIONS})
MADE: Final = _object(
    {
        "version": INTEGER, "codes": {"type": "object", "additionalProperties": TEXT}, "grids": _list(GRID_NOW),
        "removed": _list(_object({"code": TEXT, "level": INTEGER})), "merged": _list(INTEGER),
        "operations": OPERATIONS, "repeated": FLAG,
    }
)  # fmt: skip
PROBLEM: Final = _object(
    {
        "id": TEXT, "kind": {"type": "string", "enum": list(KINDS)}, "level": INTEGER, "grids": _list(TEXT),
        "units": _list(INTEGER), "amount": NUMBER, "bbox": _list(NUMBER), "compound": _null(TEXT), "text_zh": TEXT,
        "text_en": TEXT,
    }
)  # fmt: skip
FIGURES: Final = _object(
    {
        **dict.fromkeys(("unassigned", "broken", "outside_band", "split_compounds", "crossings"), INTEGER),
        "grids": _list(
            _object(
                {"code": TEXT, "units": INTEGER, "households": INTEGER, "population": INTEGER, "compactness": NUMBER}
            )
        ),
    }
)
FIXED: Final = _object({"version": INTEGER, "operations": OPERATIONS, "before": FIGURES, "after": FIGURES})

ANSWERS: Final[dict[str, Json]] = {
    f"{UNIT_SET}/topology": {"type": "string", "format": "binary"},
    f"{UNIT_SET}/counts": _object(
        {
            "unit_set": INTEGER, "since": _null(TIME), "until": _null(TIME), "components": _list(INTEGER),
            "reports_per_month": _list(NUMBER),
        }
    ),
    f"{PLAN}/assignment": _object(
        {
            "plan": INTEGER, "name": TEXT, "area": TEXT, "status": {"type": "string", "enum": ["draft", "published"]},
            "version": INTEGER, "unit_set": INTEGER, "band": BAND,
            "levels": _list(
                _object(
                    {"level": INTEGER, "band": _null(BAND), "grids": _list(GRID), "owner": _list(INTEGER)}
                )
            ),
            "links": _list(_object({"rel": TEXT, "href": TEXT})),
        }
    ),
    f"{PLAN}/edits": _object({"version": INTEGER, "status": TEXT, "edits": _list(EDIT)}),
    f"{PLAN}/problems": _object({"version": INTEGER, "problems": _list(PROBLEM)}),
    f"{PLAN}/numbering": _object({"version": INTEGER, "operations": OPERATIONS}),
}  # fmt: skip
"""What each address answers to GET when all is well."""
MEDIA: Final = {f"{UNIT_SET}/topology": "application/vnd.gisgrid.topology"}
CHANGES: Final[dict[str, dict[str, Json]]] = {
    f"POST {PLAN}/edits": {"200": MADE},
    f"POST {PLAN}/fix": {"200": FIXED},
}
