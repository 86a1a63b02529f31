"""What /openapi.json says of the answers of /api/v1/heat."""

from __future__ import annotations

from typing import Any, Final

Json = dict[str, Any]

TEXT: Final[Json] = {"type": "string"}
NUMBER: Final[Json] = {"type": "number"}
INTEGER: Final[Json] = {"type": "integer"}
FLAG: Final[Json] = {"type": "boolean"}
DAY: Final[Json] = {"type": "string", "format": "date"}
HERE: Final = "/api/v1/heat"


def _object(properties: Json, **more: Any) -> Json:
    return {"type": "object", "properties": properties, "required": list(properties), **more}


def _list(items: Json) -> Json:
    return {"type": "array", "items": items}


def _null(schema: Json) -> Json:
    return {**schema, "nullable": True}


NUMBERS: Final = _list(NUMBER)
PERIOD: Final = _object({"from": DAY, "to": DAY})
ABOUT: Final[Json] = {
    "generation": INTEGER, "timezone": TEXT, "from": DAY, "to": DAY,
    **dict.fromkeys(("days", "reports", "outside", "grids_asked"), INTEGER),
}  # fmt: skip
KERNEL: Final[Json] = {
    "kernel": TEXT, "bandwidth": NUMBER, "bandwidth_by": TEXT, "adaptive": FLAG, "edges": TEXT, "cell": NUMBER,
}  # fmt: skip
SCALE: Final[Json] = {"unit": TEXT, "peak": NUMBER, "breaks": NUMBERS, "colors": _list(TEXT)}
PLACE: Final[Json] = {"name": TEXT, "community": TEXT}
MINOR: Final = _object({"code": TEXT, "name": TEXT, "reports": INTEGER})
PATTERN: Final = _list(
    _object({
        "key": INTEGER, "reports": INTEGER,
        **dict.fromkeys(("exposure", "rate", "low", "high", "index"), _null(NUMBER)),
    })
)  # fmt: skip

ANSWERS: Final[dict[str, Json]] = {
    HERE: _object(
        ABOUT
        | {
            "classes": _list(
                _object({"name": TEXT, "name_en": TEXT, "code": TEXT, "reports": INTEGER, "minors": _list(MINOR)})
            )
        }
    ),
    f"{HERE}/surface": _object(
        ABOUT | KERNEL | SCALE
        | {
            "weight": TEXT, "bounds": NUMBERS, "extent": NUMBERS, "crs": TEXT, "x0": NUMBER, "y0": NUMBER,
            "rows": INTEGER, "columns": INTEGER, "values": _null(_list(_list(_null(NUMBER)))),
        }
    ),
    f"{HERE}/frames": _object(
        ABOUT | KERNEL | SCALE
        | {
            "step": TEXT,
            "frames": _list(_object({"from": DAY, "to": DAY, "whole": FLAG, "reports": INTEGER, "peak": NUMBER})),
        }
    ),
    f"{HERE}/grids": _object(
        ABOUT
        | dict.fromkeys(("statistic", "weights", "rates", "p", "correction", "per"), TEXT)
        | dict.fromkeys(("permutations", "seed", "rated", "not_rated"), INTEGER)
        | {
            "reason": _null(TEXT), "mean_rate": _null(NUMBER),
            "rows": _list(
                _object(
                    {"grid": TEXT, **PLACE, "spot": TEXT}
                    | dict.fromkeys(("households", "reports", "neighbours"), INTEGER)
                    | dict.fromkeys(("rate", "smoothed", "z", "p", "q"), _null(NUMBER))
                )
            ),
        }
    ),
    f"{HERE}/patterns": _object(
        ABOUT | {"confidence": NUMBER} | dict.fromkeys(("month", "weekday", "hour", "week"), PATTERN)
    ),
    f"{HERE}/rises": _object(
        ABOUT
        | dict.fromkeys(("test", "correction", "by"), TEXT)
        | dict.fromkeys(("least", "tests", "windows", "window_days", "flagged", "matched"), INTEGER)
        | {
            "alpha": NUMBER, "window": PERIOD, "earlier": PERIOD,
            "rows": _list(
                _object(
                    {"grid": _null(TEXT), **PLACE, "major": TEXT, "major_en": TEXT, "minor": TEXT, "flagged": FLAG}
                    | dict.fromkeys(("observed", "earlier"), INTEGER)
                    | dict.fromkeys(("expected", "ratio", "dispersion", "p", "q"), _null(NUMBER))
                )
            ),
        }
    ),
}  # fmt: skip
