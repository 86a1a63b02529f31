"""Presets and weights: what a planner names is what the search is told."""

from __future__ import annotations

import numpy as np
import pytest

from gisgrid.errors import BadInput
from gisgrid.models import Band
from planning.partition import PRESETS, Weights, parse_weights, partition, preset_of
from planning.partition.toy import toy_units


@pytest.mark.parametrize("name", list(PRESETS))
def test_every_preset_makes_a_plan_in_band(name: str) -> None:
    plan = partition(toy_units(12, 10, households=20), band=Band(300, 500), preset=name, effort=0.1)
    assert plan.feasible
    assert plan.stats["preset"] == name


def test_compact_does_what_it_says() -> None:
    rng = np.random.default_rng(3)
    units = toy_units(14, 14)
    units["households"] = rng.integers(0, 60, len(units))
    plans = {name: partition(units, band=Band(300, 500), grids=14, preset=name) for name in ("balanced", "compact")}
    assert plans["compact"].stats["compactness_mean"] >= plans["balanced"].stats["compactness_mean"]


def test_weights_are_read_and_wrong_ones_named() -> None:
    assert parse_weights(" street=6, compact=3.5 ", Weights()) == Weights(street=6.0, compact=3.5)
    walls = parse_weights("wall=0.5,none=2", Weights()).class_cost
    assert walls == (*Weights().class_cost[:5], 0.5, 2.0)
    assert list(Weights().class_cost) == sorted(set(Weights().class_cost)), "river before big street, street, wall"
    assert parse_weights("", Weights(split=9.0)) == Weights(split=9.0)
    for text, part in (
        ("colour=3", "'colour=3' sets no known"),
        ("street=much", "has no number"),
        ("street", "number"),
    ):
        with pytest.raises(BadInput, match=part):
            parse_weights(text, Weights())
    with pytest.raises(BadInput, match="preset 'slow' is not known"):
        preset_of("slow")
