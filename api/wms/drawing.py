"""Who draws: the service's drawing processes."""

from __future__ import annotations

from typing import Protocol

from api.state import state
from layers.wms.picture import FindRequest, PictureRequest


class Drawing(Protocol):
    """What the map service needs of whoever draws."""

    def picture(self, request: PictureRequest) -> bytes:
        """A picture as a file's bytes."""

    def find(self, request: FindRequest) -> list[list[object]]:
        """Keys of the features at a pixel, of each part of the request."""


def drawing() -> Drawing:
    """The drawing of this service."""
    found: Drawing = state().drawing
    return found
