"""Messy variants of a sample district's addresses, small: the figures of the benchmark hold here too."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from data.sample import make_sample
from data.sample.messy import KINDS, messy_variants
from gisgrid.address import Gazetteer
from gisgrid.locate import GridIndex

LAYERS = make_sample("mingfeng").layers
GAZETTEER = Gazetteer.build(LAYERS["addresses"], streets=LAYERS["streets"], areas=LAYERS["areas"])
INDEX = GridIndex.build(LAYERS["grids"].geometry.to_numpy(), LAYERS["grids"]["code"].to_numpy())
OWNERS = GAZETTEER.owners(INDEX)


@pytest.mark.parametrize("with_grids", [True, False])
def test_200_messy_variants(with_grids: bool) -> None:
    variants = messy_variants(LAYERS["addresses"], LAYERS["areas"], 200, np.random.default_rng(7))
    assert len({kind for variant in variants for kind in variant.kinds}) > 20
    right = wrong = 0
    for variant in variants:
        found = GAZETTEER.search(variant.text, owners=OWNERS if with_grids else None)
        hit = bool(found) and OWNERS.at([found[0].lon], [found[0].lat])[0] == OWNERS.rows[variant.row]
        right += hit
        wrong += bool(found) and found[0].confident and not hit
    assert right >= 0.97 * 200
    assert wrong <= 0.01 * 200


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_of_mess_changes_the_text_and_is_made_alike_again(kind: str) -> None:
    once = messy_variants(LAYERS["addresses"], LAYERS["areas"], 12, np.random.default_rng(3), only=kind)
    again = messy_variants(LAYERS["addresses"], LAYERS["areas"], 12, np.random.default_rng(3), only=kind)
    assert once == again
    fulls = LAYERS["addresses"]["full"]
    assert sum(variant.text != fulls.iloc[variant.row] for variant in once) >= 6
    assert all(variant.kinds == (kind,) for variant in once)


def test_every_address_finds_itself() -> None:
    points = shapely.get_coordinates(LAYERS["addresses"].geometry.to_numpy())
    for row in range(0, len(GAZETTEER), 3):
        found = GAZETTEER.search(LAYERS["addresses"]["full"].iloc[row], limit=1)[0]
        assert found.address_id == LAYERS["addresses"]["address_id"].iloc[row]
        assert (found.lon, found.lat) == pytest.approx(tuple(points[row]), abs=1e-8)
        assert found.confident


def test_doors_taken_out_are_reckoned_within_the_accuracy_told() -> None:
    loose = np.flatnonzero((LAYERS["addresses"]["compound"] == "").to_numpy())
    out = loose[::9]
    without = Gazetteer.build(LAYERS["addresses"].drop(index=out), streets=LAYERS["streets"], areas=LAYERS["areas"])
    points = shapely.get_coordinates(LAYERS["addresses"].geometry.to_numpy())
    within = []
    for row in out:
        found = without.search(LAYERS["addresses"]["full"].iloc[row], limit=1)
        if found and found[0].how == "interpolated":
            off = np.hypot((found[0].lon - points[row, 0]) * 90_600, (found[0].lat - points[row, 1]) * 111_000)
            within.append(off <= found[0].accuracy)
    assert len(within) > 8
    assert np.mean(within) >= 0.9
