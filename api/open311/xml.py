"""The XML of GeoReport v2, written from the same values as the JSON: an object's members are elements, an item of a
list is an element with the list's name in the singular, nothing is an empty element."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from xml.sax.saxutils import escape

SINGULAR: Final = {
    "services": "service",
    "attributes": "attribute",
    "values": "value",
    "service_requests": "request",
    "service_request_updates": "request_update",
    "errors": "error",
    "endpoints": "endpoint",
    "formats": "format",
    "media_urls": "media_url",
}
"""Name of an item of each list."""
ITEM: Final = "item"
# what XML 1.0 cannot hold at all, not even escaped (section 2.2, Char)
_FORBIDDEN: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


def xml_bytes(root: str, value: Any) -> bytes:
    """A document with the root element ``root``; characters XML cannot hold become U+FFFD."""
    return f'<?xml version="1.0" encoding="utf-8"?>\n{"".join(_element(root, value))}\n'.encode()


def _element(name: str, value: Any) -> Iterator[str]:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of an XML element")
    content = "".join(_content(name, value))
    yield f"<{name}>{content}</{name}>" if content else f"<{name}/>"


def _content(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, member in value.items():
            yield from _element(str(key), member)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _element(SINGULAR.get(name, ITEM), item)
    elif isinstance(value, bool):
        yield "true" if value else "false"
    elif value is not None:
        # a bare CR would come out of a parser as LF
        yield escape(_FORBIDDEN.sub("\ufffd", str(value)), {"\r": "&#13;"})
