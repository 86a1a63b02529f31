"""What /openapi.json says of the answers of editing."""

from __future__ import annotations

from typing import Final

from api.schemas import FACTS, FLAG, INTEGER, NUMBER, TEXT, TIME, Json, list_of, nullable, object_of
from planning.problems import KINDS

PLAN: Final = "/api/v1/plans/{plan}"
UNIT_SET: Final = "/api/v1/unit-sets/{unit_set}"
BAND: Final = object_of({"low": INTEGER, "high": INTEGER})
GRID: Final = object_of(
    {
        "code": TEXT, "name": TEXT, "kind": TEXT, "parent": nullable(TEXT), "community": TEXT, "locked": FLAG,
        "continues": FLAG, "version": INTEGER,
    }
)  # fmt: skip

GRID_NOW: Final = object_of(
    GRID["properties"] | {"level": INTEGER, "households": INTEGER, "population": INTEGER, "compactness": NUMBER}
)
OPERATIONS: Final = list_of(FACTS)
EDIT: Final = object_of({"version": INTEGER, "at": TIME, "author": TEXT, "note": TEXT, "operations": OPERATIONS})
ONE_GRID: Final = object_of(
    GRID["properties"]
    | {"plan": INTEGER, "level": INTEGER, "households": INTEGER, "population": INTEGER, "compactness": NUMBER}
    | {"community": nullable(TEXT)}
)
MADE: Final = object_of(
    {
        "version": INTEGER, "codes": {"type": "object", "additionalProperties": TEXT}, "grids": list_of(GRID_NOW),
        "removed": list_of(object_of({"code": TEXT, "level": INTEGER})), "merged": list_of(INTEGER),
        "operations": OPERATIONS, "repeated": FLAG,
    }
)  # fmt: skip
PROBLEM: Final = object_of(
    {
        "id": TEXT, "kind": {"type": "string", "enum": list(KINDS)}, "level": INTEGER, "grids": list_of(TEXT),
        "units": list_of(INTEGER), "amount": NUMBER, "bbox": list_of(NUMBER), "compound": nullable(TEXT),
        "text_zh": TEXT, "text_en": TEXT,
    }
)  # fmt: skip
FIGURES: Final = object_of(
    {
        **dict.fromkeys(("unassigned", "broken", "outside_band", "split_compounds", "crossings"), INTEGER),
        "grids": list_of(
            object_of(
                {"code": TEXT, "units": INTEGER, "households": INTEGER, "population": INTEGER, "compactness": NUMBER}
            )
        ),
    }
)
FIXED: Final = object_of({"version": INTEGER, "operations": OPERATIONS, "before": FIGURES, "after": FIGURES})

ANSWERS: Final[dict[str, Json]] = {
    f"{UNIT_SET}/topology": {"type": "string", "format": "binary"},
    f"{UNIT_SET}/counts": object_of(
        {
            "unit_set": INTEGER, "since": nullable(TIME), "until": nullable(TIME), "components": list_of(INTEGER),
            "reports_per_month": list_of(NUMBER),
        }
    ),
    f"{PLAN}/assignment": object_of(
        {
            "plan": INTEGER, "name": TEXT, "area": TEXT, "status": {"type": "string", "enum": ["draft", "published"]},
            "version": INTEGER, "unit_set": INTEGER, "band": BAND,
            "levels": list_of(
                object_of(
                    {"level": INTEGER, "band": nullable(BAND), "grids": list_of(GRID), "owner": list_of(INTEGER)}
                )
            ),
            "links": list_of(object_of({"rel": TEXT, "href": TEXT})),
        }
    ),
    f"{PLAN}/grids/{{code}}": ONE_GRID,
    f"{PLAN}/edits": object_of({"version": INTEGER, "status": TEXT, "edits": list_of(EDIT)}),
    f"{PLAN}/problems": object_of({"version": INTEGER, "problems": list_of(PROBLEM)}),
    f"{PLAN}/numbering": object_of({"version": INTEGER, "operations": OPERATIONS}),
}  # fmt: skip
"""What each address answers to GET when all is well."""
MEDIA: Final = {f"{UNIT_SET}/topology": "application/vnd.gisgrid.topology"}
CHANGES: Final[dict[str, dict[str, Json]]] = {
    f"PATCH {PLAN}/grids/{{code}}": {"200": ONE_GRID},
    f"PUT {PLAN}/grids/{{code}}": {"200": ONE_GRID},
    f"POST {PLAN}/edits": {"200": MADE},
    f"POST {PLAN}/fix": {"200": FIXED},
}
MATCHED: Final = (f"PATCH {PLAN}/grids/{{code}}", f"PUT {PLAN}/grids/{{code}}", f"POST {PLAN}/edits")
"""Changes that need to say what was seen: ``If-Match``, or in an edit ``base`` or ``versions``."""
