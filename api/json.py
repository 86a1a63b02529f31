"""JSON answers, written by orjson."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response

from gisgrid.errors import BadInput


def json_bytes(value: Any) -> bytes:
    """Any JSON-ready value, numpy arrays and dates included, as UTF-8 JSON.

    Raises BadInput when it is nested deeper than can be written, as what somebody sent may be.
    """
    try:
        return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS)
    except orjson.JSONEncodeError as error:
        if "ecursion" not in str(error):
            raise
        raise BadInput("what was sent is nested too deep; send it flatter") from error


def json_response(value: Any, *, status: int = 200, mimetype: str = "application/json") -> Response:
    """An HTTP answer holding a value as JSON."""
    return Response(json_bytes(value), status=status, mimetype=mimetype)
