"""/api/v1/addresses/search, suggest, reverse, parse: from words to places and back."""

from __future__ import annotations

import threading
from dataclasses import asdict
from typing import Any

import numpy as np
from apiflask import APIBlueprint
from apiflask.fields import Float, Integer, String
from apiflask.validators import Range
from flask import Response, current_app

from api.current import Loaded
from api.json import json_response
from api.pages import Strict
from api.state import state
from data.gazetteer import StoredGazetteer
from gisgrid.address import Gazetteer, Match, Owners, parse
from gisgrid.address.gazetteer import LIMIT_MAX
from gisgrid.address.reverse import WITHIN, WITHIN_MAX
from gisgrid.crs import check_lonlat, points_to_storage
from gisgrid.errors import NotFound

bp = APIBlueprint("addresses", __name__, url_prefix="/api/v1/addresses", tag="Addresses")
_EXTENSION = "gisgrid.addresses"
_made = threading.Lock()


def _limit(default: int) -> Integer:
    return Integer(
        load_default=default,
        validate=Range(1, LIMIT_MAX),
        metadata={"description": f"most answers, 1 to {LIMIT_MAX}"},
    )


class SearchQuery(Strict):
    """Parameters of a search."""

    text = String(
        required=True, metadata={"description": "an address, Chinese, pinyin or English, or a door-plate code"}
    )
    limit = _limit(5)


class SuggestQuery(Strict):
    """Parameters of typing ahead."""

    text = String(required=True, metadata={"description": "what is typed so far: characters, pinyin or initials"})
    limit = _limit(10)


class ParseQuery(Strict):
    """Parameters of parse."""

    text = String(required=True, metadata={"description": "an address"})


class ReverseQuery(Strict):
    """Parameters of a reverse search."""

    lon = Float(required=True, metadata={"description": "longitude, or easting of a projected crs"})
    lat = Float(required=True, metadata={"description": "latitude, or northing of a projected crs"})
    crs = String(load_default="wgs84", metadata={"description": "wgs84, gcj02, bd09, cgcs2000 or EPSG:n"})
    limit = _limit(5)
    within = Float(
        load_default=WITHIN,
        validate=Range(0, WITHIN_MAX),
        metadata={"description": "metres; with no address this near, the road and a reckoned number are told"},
    )


class _Held:
    """The gazetteer of this process, and the grids of its addresses in the generation in force."""

    def __init__(self) -> None:
        self.stored = StoredGazetteer(state().engine, state().settings)
        self._owners: tuple[Gazetteer, int, Owners] | None = None

    def owners(self, gazetteer: Gazetteer, loaded: Loaded) -> Owners:
        """Grid rows of the gazetteer's addresses; computed once for each pair of gazetteer and generation."""
        held = self._owners
        if held is None or held[0] is not gazetteer or held[1] != loaded.generation.id:
            held = (gazetteer, loaded.generation.id, gazetteer.owners(loaded.index))
            self._owners = held
        return held[2]


def _held() -> _Held:
    found: _Held | None = current_app.extensions.get(_EXTENSION)
    if found is None:
        with _made:
            found = current_app.extensions.get(_EXTENSION) or _Held()
            current_app.extensions[_EXTENSION] = found
    return found


def stored_gazetteer() -> Gazetteer:
    """The gazetteer of the stored addresses. Raises NotFound while there are none."""
    found = _held().stored.get()
    if found is None:
        raise NotFound("no addresses are stored; import some first (gisgrid import layer FILE --as addresses)")
    return found


def find_address(text: str, limit: int, loaded: Loaded | None) -> list[tuple[Match, int]]:
    """Matches of a text with the row of the grid each lies in (-1: none), sure or not by the grids in force."""
    gazetteer = stored_gazetteer()
    owners = _held().owners(gazetteer, loaded) if loaded else None
    matches = gazetteer.search(text, limit=limit, owners=owners)
    rows = owners.at([m.lon for m in matches], [m.lat for m in matches]) if owners and matches else [-1] * len(matches)
    return list(zip(matches, (int(row) for row in rows), strict=True))


@bp.get("/search")
@bp.input(SearchQuery, location="query", unknown=None)
def search(query_data: dict[str, Any]) -> Response:
    """The places an address may mean, likeliest first, with the grid in force each lies in.

    ``score`` is the probability of the place, ``confident`` whether the first may be used without asking, ``matched``
    which text stood for which part, ``accuracy`` a radius in metres.
    """
    text = query_data["text"]
    loaded = state().current.get()
    found = find_address(text, query_data["limit"], loaded)
    answer = {
        "text": text,
        "generation": loaded.generation.id if loaded else None,
        "matches": [
            asdict(match) | {"grid": loaded.grids[row]["code"] if loaded and row >= 0 else None} for match, row in found
        ],
    }
    return json_response(answer)


@bp.get("/suggest")
@bp.input(SuggestQuery, location="query", unknown=None)
def suggest(query_data: dict[str, Any]) -> Response:
    """Ways to go on typing an address: names that begin so, then their doors and buildings."""
    found = stored_gazetteer().suggest(query_data["text"], limit=query_data["limit"])
    return json_response({"text": query_data["text"], "suggestions": [asdict(each) for each in found]})


@bp.get("/reverse")
@bp.input(ReverseQuery, location="query", unknown=None)
def reverse(query_data: dict[str, Any]) -> Response:
    """The addresses nearest to a point, with their distance in metres.

    With no address within ``within`` metres the nearest named road comes first, with the number a house there would
    have.
    """
    xs, ys = points_to_storage(np.array([query_data["lon"]]), np.array([query_data["lat"]]), query_data["crs"])
    lon, lat = float(xs[0]), float(ys[0])
    check_lonlat(lon, lat)
    found = stored_gazetteer().reverse(lon, lat, limit=query_data["limit"], within=query_data["within"])
    point = {"lon": lon, "lat": lat, "crs": "cgcs2000"}
    return json_response({"point": point, "addresses": [asdict(each) for each in found]})


@bp.get("/parse")
@bp.input(ParseQuery, location="query", unknown=None)
def parse_text(query_data: dict[str, Any]) -> Response:
    """An address taken apart by its own words, without looking anything up."""
    found = parse(query_data["text"])
    return json_response({"text": query_data["text"], "plain": found.text, "near": found.near, "parts": found.parts()})
