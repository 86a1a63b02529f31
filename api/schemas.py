"""Words of JSON Schema that the descriptions of answers are put together from."""

from __future__ import annotations

from typing import Any, Final

Json = dict[str, Any]

TEXT: Final[Json] = {"type": "string"}
NUMBER: Final[Json] = {"type": "number"}
INTEGER: Final[Json] = {"type": "integer"}
FLAG: Final[Json] = {"type": "boolean"}
FACTS: Final[Json] = {"type": "object"}
TIME: Final[Json] = {"type": "string", "format": "date-time"}
DAY: Final[Json] = {"type": "string", "format": "date"}


def object_of(properties: Json, **more: Any) -> Json:
    """An object that always has all of the properties."""
    return {"type": "object", "properties": properties, "required": list(properties), **more}


def list_of(items: Json) -> Json:
    """A list of such items."""
    return {"type": "array", "items": items}


def nullable(schema: Json) -> Json:
    """The same, or null."""
    return {**schema, "nullable": True}
