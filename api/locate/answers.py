"""The answer to "whose is this place?", made from one generation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from data.grid_systems import stored_name
from data.in_force import GridLayer, InForce, link_of
from gisgrid.crs import point_to_storage
from gisgrid.errors import BadInput
from gisgrid.limits import NEAR_BORDER_METRES, OUTSIDE_METRES_CAP, OUTSIDE_METRES_MAX
from gisgrid.locate import candidates
from gisgrid.locate.sure import CONFIDENCE

SHIFTED = {"gcj02": "GCJ-02 (AMap, Tencent)", "bd09": "BD-09 (Baidu)"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked about a point besides where it is.

    ``accuracy`` in metres with the share ``confidence`` of positions within it; ``outside_metres``: how far a point
    may lie outside every grid and still be told the nearest one; ``systems``: names of professional systems to answer
    for, None for all.
    """

    accuracy: float | None = None
    confidence: float = CONFIDENCE
    outside_metres: float = OUTSIDE_METRES_MAX
    systems: tuple[str, ...] | None = None


def answer(found: InForce, lon: float, lat: float, asked: Asked | None = None) -> dict[str, Any]:
    """Everything told of one point (degrees, EPSG:4490).

    ``owner``: the grid with the smallest code among those that cover the point, or None; ``place``: inside, near (the
    nearest grid is told) or outside; ``chain``: from the smallest micro-grid up to the district; ``posts`` of the
    chain; ``professional``: grid by system; ``distance_to_boundary`` metres; ``near_border``; ``candidates`` with
    probabilities when an accuracy is given. Raises BadInput when lon and lat are swapped.
    """
    asked = asked or Asked()
    row = found.index.row(lon, lat)
    if row < 0 and found.index.row(lat, lon) >= 0:
        raise BadInput(f"lon={lon:g}, lat={lat:g}: longitude and latitude are swapped; exchange them", code="swapped")
    told: dict[str, Any] = {
        "owner": None, "place": "inside", "reason": None, "nearest": None, "chain": [], "posts": [],
        "professional": _professional(found, lon, lat, asked.systems), "generation": found.generation.id,
        "distance_to_boundary": None, "near_border": False, "accuracy": asked.accuracy, "candidates": [],
        "outside_probability": None,
    }  # fmt: skip
    if row >= 0:
        told |= _inside(found, row, lon, lat, asked.accuracy)
    else:
        told |= _outside(found, lon, lat, asked)
    if asked.accuracy is not None:
        told |= _sure(found, lon, lat, asked)
    return told


def checked_within(metres: float) -> float:
    """How far outside the nearest grid is told, in metres. Raises BadInput."""
    if not 0.0 <= metres <= OUTSIDE_METRES_CAP:
        raise BadInput(f"within={metres:g} is not between 0 and {OUTSIDE_METRES_CAP:g} metres")
    return metres


def posts_of_chain(found: InForce, chain: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Posts of every link, from the smallest grid up."""
    return [post for link in chain for post in found.posts.of(link["level"], link["code"], link["name"])]


def first_post(posts: list[dict[str, Any]]) -> str | None:
    """Whom a report reaches first: the first post marked so, else the first there is."""
    return next((post["post"] for post in posts if post["first"]), posts[0]["post"] if posts else None)


def _inside(found: InForce, row: int, lon: float, lat: float, accuracy: float | None) -> dict[str, Any]:
    owner = found.grids[row]
    inner = found.inside(row, lon, lat)
    chain = [link_of("micro-grid", grid) for grid in reversed(inner)]
    chain += [link_of("grid", owner), *found.above(owner["community"])]
    metres = found.index.border_metres(row, lon, lat)
    return {
        "owner": owner,
        "chain": chain,
        "posts": posts_of_chain(found, chain),
        "distance_to_boundary": round(metres, 2),
        "near_border": metres <= max(accuracy or 0.0, NEAR_BORDER_METRES),
    }


def _outside(found: InForce, lon: float, lat: float, asked: Asked) -> dict[str, Any]:
    rows, metres = found.index.nearest([lon], [lat], asked.outside_metres, metres=True)
    hint = _shifted_hint(found, lon, lat)
    if rows[0] < 0:
        reason = f"outside every grid and more than {asked.outside_metres:g} m from the nearest one{hint}"
        return {"place": "outside", "reason": reason}
    grid = found.grids[int(rows[0])]
    away = round(float(metres[0]), 1)
    return {
        "place": "near",
        "reason": f"outside every grid, {away:g} m from grid {grid['code']}{hint}",
        "nearest": {"code": grid["code"], "name": grid["name"], "metres": away},
    }


def _shifted_hint(found: InForce, lon: float, lat: float) -> str:
    """Says so when the point would lie in a grid if its coordinates were shifted ones."""
    for crs, name in SHIFTED.items():
        row = found.index.row(*point_to_storage(lon, lat, crs))
        if row >= 0:
            return f"; as {name} coordinates it would lie in grid {found.grids[row]['code']}: is crs={crs} meant?"
    return ""


def _professional(
    found: InForce, lon: float, lat: float, systems: tuple[str, ...] | None
) -> dict[str, dict[str, Any] | None]:
    if not found.professional and systems is None:
        return {}
    wanted = found.professional if systems is None else _named(found, systems)
    told: dict[str, dict[str, Any] | None] = {}
    for system, layer in wanted.items():
        row = layer.index.row(lon, lat)
        told[system] = layer.grids[row] if row >= 0 else None
        if row >= 0:
            grid = layer.grids[row]
            told[system] = grid | {"posts": found.posts.of("professional", grid["code"], grid["name"])}
    return told


def _named(found: InForce, systems: tuple[str, ...]) -> dict[str, GridLayer]:
    """Layers of some systems. Raises BadInput for one without grids in force."""
    named = {}
    for system in map(stored_name, systems):
        if system not in found.professional:
            known = ", ".join(found.professional) or "none"
            raise BadInput(f"system {system!r} has no grids in force; those that have: {known}")
        named[system] = found.professional[system]
    return named


def _sure(found: InForce, lon: float, lat: float, asked: Asked) -> dict[str, Any]:
    assert asked.accuracy is not None
    likely = candidates(found.index, [lon], [lat], asked.accuracy, confidence=asked.confidence)
    told = []
    for row, probability in zip(likely.row.tolist(), likely.probability.tolist(), strict=True):
        grid = found.grids[row]
        told.append({"code": grid["code"], "name": grid["name"], "probability": round(probability, 4)})
    return {"candidates": told, "outside_probability": round(float(likely.outside[0]), 4)}
