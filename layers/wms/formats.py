"""Formats of pictures and of what is told about features: their names in requests, and what they are sent as."""

from __future__ import annotations

import re
from typing import Final, Literal

from gisgrid.errors import BadInput

Form = Literal["png", "png8", "png24", "jpeg", "webp"]
InfoForm = Literal["text", "html", "gml2", "gml3", "geojson"]

PICTURES: Final[dict[str, Form]] = {
    "image/png": "png",
    "image/png; mode=8bit": "png8",
    "image/png; mode=24bit": "png24",
    "image/png; mode=32bit": "png",
    "image/jpeg": "jpeg",
    "image/webp": "webp",
}
"""Formats of pictures, as the capabilities list them."""
_ALIASES: Final[dict[str, Form]] = {
    "image/png8": "png8", "image/png24": "png24", "image/png32": "png", "image/jpg": "jpeg",
    "image/vnd.jpeg-png": "png", "png": "png", "jpeg": "jpeg", "jpg": "jpeg", "webp": "webp",
}  # fmt: skip
SENT_AS: Final[dict[Form, str]] = {
    "png": "image/png", "png8": "image/png", "png24": "image/png", "jpeg": "image/jpeg", "webp": "image/webp",
}  # fmt: skip
INFOS: Final[dict[str, InfoForm]] = {
    "text/plain": "text",
    "text/html": "html",
    "application/vnd.ogc.gml": "gml2",
    "text/xml": "gml2",
    "application/vnd.ogc.gml/3.1.1": "gml3",
    "text/xml; subtype=gml/3.1.1": "gml3",
    "application/geo+json": "geojson",
    "application/json": "geojson",
}
"""Formats of feature information, as the capabilities list them."""
INFO_ALIASES: Final[dict[str, InfoForm]] = {
    "application/vnd.ogc.gml; subtype=gml/3.1.1": "gml3",
    "application/gml+xml": "gml3",
    "application/gml+xml; version=3.1": "gml3",
    "geojson": "geojson",
}


def _plain(text: str) -> str:
    """One spelling of a media type: lower case, one blank after each semicolon."""
    return re.sub(r"\s*;\s*", "; ", re.sub(r"\s*=\s*", "=", text.strip().lower()))


def picture_form(text: str) -> Form:
    """The form of pictures a FORMAT names. Raises BadInput (InvalidFormat)."""
    name = _plain(text)
    form = PICTURES.get(name) or _ALIASES.get(name)
    if form is None:
        known = ", ".join(PICTURES)
        raise BadInput(f"FORMAT={text[:80]!r} is not offered; ask one of {known}", code="InvalidFormat")
    return form


def info_form(text: str) -> tuple[InfoForm, str]:
    """The form of feature information an INFO_FORMAT names, and the media type it is sent as.

    Raises BadInput (InvalidFormat).
    """
    name = _plain(text)
    form = INFOS.get(name) or INFO_ALIASES.get(name)
    if form is None:
        known = ", ".join(INFOS)
        raise BadInput(f"INFO_FORMAT={text[:80]!r} is not offered; ask one of {known}", code="InvalidFormat")
    return form, name if name in INFOS else next(told for told, other in INFOS.items() if other == form)
