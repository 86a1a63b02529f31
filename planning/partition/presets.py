"""Named choices of weights and effort for planners who do not want to set each."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Final

from gisgrid.errors import BadInput
from planning.graph import CLASSES
from planning.partition.energy import Weights


@dataclass(frozen=True, slots=True)
class Preset:
    """Weights of the energy and the length of the search; `together`: search pieces again across their cells."""

    weights: Weights
    effort: float = 1.0
    together: bool = True


# A term is favoured by lowering the others rather than by a weight many times the usual one: temperatures follow the
# street and compactness terms (`Weights.heat`), and a term far above them freezes the search.
PRESETS: Final[dict[str, Preset]] = {
    "balanced": Preset(Weights()),
    "streets": Preset(Weights(street=7.0, major=4.0, compact=1.5)),
    "compact": Preset(Weights(street=1.5, split=1.0, compact=5.0)),
    "stable": Preset(Weights(churn=120.0, border=100.0, balance=0.0), effort=0.5),
    "quick": Preset(Weights(), effort=0.25, together=False),
}
"""``balanced`` the default; ``streets`` limits on streets before shape; ``compact`` shape before streets;
``stable`` fewest households that change grid, old boundaries kept (the usual one against old grids);
``quick`` a short search cell by cell."""


def preset_of(name: str) -> Preset:
    """The preset of that name. Raises BadInput naming all of them."""
    if name not in PRESETS:
        raise BadInput(f"preset {name!r} is not known; use one of {', '.join(PRESETS)}")
    return PRESETS[name]


def parse_weights(text: str, base: Weights) -> Weights:
    """`base` with the weights of ``street=6,compact=3`` set; ``wall=0.5`` sets the cost of a street class.

    Raises BadInput naming the wrong part.
    """
    names = [field.name for field in fields(Weights) if field.name != "class_cost"]
    changes: dict[str, float] = {}
    costs = list(base.class_cost)
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = (piece.strip() for piece in part.partition("="))
        if name not in (*names, *CLASSES):
            known = ", ".join((*names, *CLASSES))
            raise BadInput(f"weights: {part!r} sets no known weight; use NAME=NUMBER with {known}")
        try:
            number = float(value)
        except ValueError:
            raise BadInput(f"weights: {part!r} has no number after the =") from None
        if name in CLASSES:
            costs[CLASSES.index(name)] = number
        else:
            changes[name] = number
    return replace(base, **changes, class_cost=tuple(costs))
