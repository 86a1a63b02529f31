"""Addresses: taken apart, found in a local gazetteer, completed while typing, and told for a place."""

from __future__ import annotations

from gisgrid.address.gazetteer import Gazetteer, Owners, warm
from gisgrid.address.model import Match, Nearby, Suggestion
from gisgrid.address.parse import Parsed, parse

__all__ = ["Gazetteer", "Match", "Nearby", "Owners", "Parsed", "Suggestion", "parse", "warm"]
