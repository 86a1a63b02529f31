"""Whether two servers answer the same before their speed is compared: pictures, pages of features, tiles."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt
import skia

from benchmarks._maps_peers import Server

BLOCK = 16
"""Pixels: pictures are compared by the mean colours of blocks, so that letters and line joins may differ."""
POINT_BLOCK = 32
COLOURED = 40
"""Markers are coloured and letters are not: what counts has channels that far apart."""
ALIKE = 0.8


def pixels(picture: bytes) -> npt.NDArray[np.float64]:
    """Colours (h, w, 3) of a picture on white. Raises SystemExit when it is none."""
    image = skia.Image.MakeFromEncoded(skia.Data(picture))
    if image is None:
        raise SystemExit(f"not a picture: {picture[:500]!r}")
    rgba = image.toarray(colorType=skia.kRGBA_8888_ColorType).astype(float)
    opaque = rgba[..., 3:] / 255
    return rgba[..., :3] * opaque + 255 * (1 - opaque)


def likeness(one: bytes, other: bytes, *, colours: bool) -> float:
    """Correlation of the two pictures' block colours: 1 alike, about 0 where features stand elsewhere.

    Without ``colours`` only where markers are drawn counts: crowded points lie over each other in any order.
    """
    means, side = [], BLOCK if colours else POINT_BLOCK
    for picture in (one, other):
        shown = pixels(picture)
        if not colours:
            shown = (np.ptp(shown, axis=2, keepdims=True) > COLOURED).astype(float)
        height, width = shown.shape[0] // side, shown.shape[1] // side
        cut = shown[: height * side, : width * side].reshape(height, side, width, side, -1)
        means.append(cut.mean(axis=(1, 3)))
    if means[0].shape != means[1].shape:
        raise SystemExit("the pictures differ in size")
    return float(np.corrcoef(means[0].ravel(), means[1].ravel())[0, 1])


def same_pictures(
    servers: list[Server], paths: dict[str, list[str]], keep: Path | None, stem: str, *, colours: bool
) -> None:
    """Compare the first picture of every server with the first server's; write them to ``keep``."""
    drawn = {server.name: server.get(paths[server.name][0]) for server in servers}
    for name, picture in drawn.items():
        if keep is not None:
            keep.mkdir(parents=True, exist_ok=True)
            (keep / f"{stem}-{name.replace('+', '-')}.png").write_bytes(picture)
        pixels(picture)
    first, *others = drawn
    for name in others:
        found = likeness(drawn[first], drawn[name], colours=colours)
        print(f"    pictures of {first} and {name}: correlation {found:.3f}")
        if found < ALIKE:
            raise SystemExit(f"{first} and {name} draw features in other places ({stem}, correlation {found:.3f})")


def ids(page: bytes) -> list[str]:
    return [str(feature["id"]) for feature in json.loads(page)["features"]]


def walk(server: Server, path: str) -> tuple[list[str], list[list[str]]]:
    """Paths of all pages from the first on, by their ``next`` links, and the ids on each."""
    paths, found = [], []
    while path:
        page: dict[str, Any] = json.loads(server.get(path))
        paths.append(path)
        found.append([str(feature["id"]) for feature in page["features"]])
        link = next((link["href"] for link in page["links"] if link["rel"] == "next"), "")
        parts = urlsplit(link)
        path = f"{parts.path}?{parts.query}" if link else ""
    return paths, found
