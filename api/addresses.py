"""/api/v1/addresses/search, suggest, reverse, parse: from words to places and back."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from apiflask import APIBlueprint
from apiflask.fields import Float, Integer, String
from apiflask.validators import Range
from flask import Response

from api.json import json_response
from api.locate.single import stored_point
from api.pages import Strict, no_parameters
from api.state import state
from gisgrid.address import parse
from gisgrid.address.reverse import WITHIN
from gisgrid.limits import ADDRESS_HITS_MAX, ADDRESS_WITHIN_METRES_MAX

bp = APIBlueprint("addresses", __name__, url_prefix="/api/v1/addresses", tag="Addresses")


def _limit(default: int) -> Integer:
    return Integer(
        load_default=default,
        validate=Range(1, ADDRESS_HITS_MAX),
        metadata={"description": f"most answers, 1 to {ADDRESS_HITS_MAX}"},
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
        validate=Range(0, ADDRESS_WITHIN_METRES_MAX),
        metadata={"description": "metres; with no address this near, the road and a reckoned number are told"},
    )


@bp.get("/search")
@bp.input(SearchQuery, location="query", unknown=None)
def search(query_data: dict[str, Any]) -> Response:
    """The places an address may mean, likeliest first, with the grid in force each lies in.

    ``score`` is the probability of the place, ``confident`` whether the first may be used without asking, ``matched``
    which text stood for which part, ``accuracy`` a radius in metres.
    """
    return json_response(_found(query_data["text"], query_data["limit"]))


def _found(text: str, limit: int) -> dict[str, Any]:
    loaded = state().current.get()
    matches = [
        asdict(match) | {"grid": loaded.grids[row]["code"] if loaded and row >= 0 else None}
        for match, row in state().addresses.find(text, limit, loaded)
    ]
    return {"text": text, "generation": loaded.generation.id if loaded else None, "matches": matches}


class SearchBody(Strict):
    """A search whose text is too long for an address line, or shall not stand in a log."""

    text = String(required=True, metadata={"description": "as in the search by GET"})
    limit = _limit(5)


@bp.post("/search")
@no_parameters
@bp.input(SearchBody, location="json")
def search_posted(json_data: dict[str, Any]) -> Response:
    """The same as GET, with the text in the body."""
    return json_response(_found(json_data["text"], json_data["limit"]))


@bp.get("/suggest")
@bp.input(SuggestQuery, location="query", unknown=None)
def suggest(query_data: dict[str, Any]) -> Response:
    """Ways to go on typing an address: names that begin so, then their doors and buildings."""
    found = state().addresses.need().suggest(query_data["text"], limit=query_data["limit"])
    return json_response({"text": query_data["text"], "suggestions": [asdict(each) for each in found]})


@bp.get("/reverse")
@bp.input(ReverseQuery, location="query", unknown=None)
def reverse(query_data: dict[str, Any]) -> Response:
    """The addresses nearest to a point, with their distance in metres.

    With no address within ``within`` metres the nearest named road comes first, with the number a house there would
    have.
    """
    lon, lat = stored_point(query_data["lon"], query_data["lat"], query_data["crs"])
    found = state().addresses.need().reverse(lon, lat, limit=query_data["limit"], within=query_data["within"])
    point = {"lon": lon, "lat": lat, "crs": "cgcs2000"}
    return json_response({"point": point, "addresses": [asdict(each) for each in found]})


@bp.get("/parse")
@bp.input(ParseQuery, location="query", unknown=None)
def parse_text(query_data: dict[str, Any]) -> Response:
    """An address taken apart by its own words, without looking anything up."""
    found = parse(query_data["text"])
    return json_response({"text": query_data["text"], "plain": found.text, "near": found.near, "parts": found.parts()})
