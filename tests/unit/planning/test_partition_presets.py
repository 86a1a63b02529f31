"""Presets and weights: what a planner names is what the search is told."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely

from gisgrid.errors import BadInput
from gisgrid.models import Band
from planning.partition import PRESETS, Weights, parse_weights, partition, preset_of
from planning.partition.toy import toy_units


@pytest.mark.parametrize("name", list(PRESETS))
def test_every_preset_makes_a_plan_in_band(name: str) -> None:
    plan = partition(toy_units(12, 10, households=20), band=Band(300, 500), preset=name, effort=0.1)
    assert plan.feasible
    assert plan.stats["preset"] == name


def test_presets_do_what_they_say() -> None:
    """On the mean of a few towns whose streets run through every third column and fifth row."""
    found: dict[str, list[tuple[float, float]]] = {"balanced": [], "compact": [], "streets": []}
    for seed in range(3):
        units = toy_units(15, 15).assign(households=np.random.default_rng(seed).integers(0, 60, 225))
        west, south, east, north = units.total_bounds
        lines = [shapely.LineString([(x, south), (x, north)]) for x in np.arange(west + 150, east, 150)]
        lines += [shapely.LineString([(west, y), (east, y)]) for y in np.arange(south + 250, north, 250)]
        streets = gpd.GeoDataFrame({"cls": ["residential"] * len(lines)}, geometry=lines, crs=units.crs)
        for name, figures in found.items():
            stats = partition(units, streets, band=Band(300, 500), preset=name, effort=0.5).stats
            figures.append((stats["compactness_mean"], stats["boundary_on_streets"]))
    mean = {name: np.mean(figures, axis=0) for name, figures in found.items()}
    assert mean["compact"][0] > mean["balanced"][0] > mean["streets"][0]
    assert mean["compact"][1] < mean["balanced"][1] <= mean["streets"][1]


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
