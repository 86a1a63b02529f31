"""What /openapi.json says of the answers of /api/v1/heat."""

from __future__ import annotations

from typing import Final

from api.schemas import DAY, FLAG, INTEGER, NUMBER, TEXT, Json, list_of, nullable, object_of

HERE: Final = "/api/v1/heat"


NUMBERS: Final = list_of(NUMBER)
PERIOD: Final = object_of({"from": DAY, "to": DAY})
ABOUT: Final[Json] = {
    "generation": INTEGER, "timezone": TEXT, "from": DAY, "to": DAY,
    **dict.fromkeys(("days", "reports", "outside", "grids_asked"), INTEGER),
}  # fmt: skip
KERNEL: Final[Json] = {
    "kernel": TEXT, "bandwidth": NUMBER, "bandwidth_by": TEXT, "adaptive": FLAG, "edges": TEXT, "cell": NUMBER,
}  # fmt: skip
SCALE: Final[Json] = {"unit": TEXT, "peak": NUMBER, "breaks": NUMBERS, "colors": list_of(TEXT)}
PLACE: Final[Json] = {"name": TEXT, "community": TEXT}
MINOR: Final = object_of({"code": TEXT, "name": TEXT, "reports": INTEGER})
PATTERN: Final = list_of(
    object_of({
        "key": INTEGER, "reports": INTEGER,
        **dict.fromkeys(("exposure", "rate", "low", "high", "index"), nullable(NUMBER)),
    })
)  # fmt: skip

ANSWERS: Final[dict[str, Json]] = {
    HERE: object_of(
        ABOUT
        | {
            "classes": list_of(
                object_of({"name": TEXT, "name_en": TEXT, "code": TEXT, "reports": INTEGER, "minors": list_of(MINOR)})
            )
        }
    ),
    f"{HERE}/surface": object_of(
        ABOUT | KERNEL | SCALE
        | {
            "weight": TEXT, "bounds": NUMBERS, "extent": NUMBERS, "crs": TEXT, "x0": NUMBER, "y0": NUMBER,
            "rows": INTEGER, "columns": INTEGER, "values": nullable(list_of(list_of(nullable(NUMBER)))),
        }
    ),
    f"{HERE}/frames": object_of(
        ABOUT | KERNEL | SCALE
        | {
            "step": TEXT,
            "frames": list_of(object_of({"from": DAY, "to": DAY, "whole": FLAG, "reports": INTEGER, "peak": NUMBER})),
        }
    ),
    f"{HERE}/grids": object_of(
        ABOUT
        | dict.fromkeys(("statistic", "weights", "rates", "p", "correction", "per"), TEXT)
        | dict.fromkeys(("permutations", "seed", "rated", "not_rated"), INTEGER)
        | {
            "reason": nullable(TEXT), "mean_rate": nullable(NUMBER),
            "rows": list_of(
                object_of(
                    {"grid": TEXT, **PLACE, "spot": TEXT}
                    | dict.fromkeys(("households", "reports", "neighbours"), INTEGER)
                    | dict.fromkeys(("rate", "smoothed", "z", "p", "q"), nullable(NUMBER))
                )
            ),
        }
    ),
    f"{HERE}/patterns": object_of(
        ABOUT | {"confidence": NUMBER} | dict.fromkeys(("month", "weekday", "hour", "week"), PATTERN)
    ),
    f"{HERE}/rises": object_of(
        ABOUT
        | dict.fromkeys(("test", "correction", "by"), TEXT)
        | dict.fromkeys(("least", "tests", "windows", "window_days", "flagged", "matched"), INTEGER)
        | {
            "alpha": NUMBER, "window": PERIOD, "earlier": PERIOD,
            "rows": list_of(
                object_of(
                    {"grid": nullable(TEXT), **PLACE, "major": TEXT, "major_en": TEXT, "minor": TEXT, "flagged": FLAG}
                    | dict.fromkeys(("observed", "earlier"), INTEGER)
                    | dict.fromkeys(("expected", "ratio", "dispersion", "p", "q"), nullable(NUMBER))
                )
            ),
        }
    ),
}  # fmt: skip
