"""Pictures as files, and legends."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from gisgrid.errors import BadInput
from gisgrid.models import Band
from layers.render import encode, legend
from layers.render.canvas import new_picture, straight
from layers.styles import Fill, Heat, Label, Marker, Rule, Stroke, Style, styles


def picture(colors: int, seed: int = 0):
    rng = np.random.default_rng(seed)
    table = rng.integers(0, 256, (colors, 4), np.uint8)
    table[0, 3] = 0
    return table[rng.integers(0, colors, (60, 80))]


def decoded(data: bytes, mode: str = "RGBA"):
    image = Image.open(io.BytesIO(data))
    image.load()
    return image, np.asarray(image.convert(mode))


def chunks(data: bytes) -> dict[bytes, bytes]:
    """Chunks of a PNG file, their checks made."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    found, at = {}, 8
    while at < len(data):
        (size,) = struct.unpack(">I", data[at : at + 4])
        name, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        assert struct.unpack(">I", data[at + 8 + size : at + 12 + size])[0] == zlib.crc32(name + body)
        found[name] = body
        at += 12 + size
    return found


def test_png_is_exact():
    made = picture(900)
    image, back = decoded(encode(made, "png", dpi=300))
    np.testing.assert_array_equal(back, made)
    assert image.info["dpi"] == pytest.approx((300, 300), abs=0.02)
    assert list(chunks(encode(made, "png"))) == [b"IHDR", b"pHYs", b"IDAT", b"IEND"]


@pytest.mark.parametrize("colors", [1, 2, 17, 256])
def test_a_palette_of_up_to_256_colours_is_exact(colors):
    made = picture(colors)
    image, back = decoded(encode(made, "png8"))
    assert image.mode == "P"
    seen = made[:, :, 3] > 0
    np.testing.assert_array_equal(back[seen], made[seen])
    assert not back[~seen][:, 3].any()


def test_more_colours_are_reduced_closely():
    y, x = np.mgrid[0:200, 0:300]
    made = np.stack([x * 255 // 299, y * 255 // 199, (x + y) % 256, np.full_like(x, 255)], -1).astype(np.uint8)
    made[:50, :50] = (200, 30, 60, 255)
    made[100:, 250:] = 0
    _, back = decoded(encode(made, "png8"))
    assert np.abs(back.astype(int) - made)[:100].mean() < 12
    assert tuple(back[20, 20]) == (200, 30, 60, 255)  # large even areas keep their colour
    assert not back[150, 270].any()
    parts = chunks(encode(made, "png8"))
    assert len(parts[b"PLTE"]) <= 768
    assert len(parts[b"tRNS"]) <= len(parts[b"PLTE"]) // 3


@pytest.mark.parametrize(("form", "kind"), [("png24", "PNG"), ("jpeg", "JPEG"), ("webp", "WEBP")])
def test_other_forms(form, kind):
    made = np.zeros((40, 50, 4), np.uint8)
    made[:, 25:] = (200, 40, 20, 255)
    made[:20, :20] = (0, 0, 0, 128)
    image, back = decoded(encode(made, form))
    assert image.format == kind
    assert image.size == (50, 40)
    assert np.abs(back[20, 40].astype(int) - (200, 40, 20, 255)).max() < 8
    if form == "webp":
        assert back[35, 5, 3] == 0
    else:
        assert image.mode == "RGB"
        assert back[35, 5].min() > 245
        assert abs(int(back[5, 5, 0]) - 127) < 8


def test_unknown_forms_and_too_large_pictures_are_refused():
    with pytest.raises(BadInput, match="bmp"):
        encode(picture(3), "bmp")
    for size in ((0, 5), (10**9, 10**9), (9000, 10), (8000, 8000)):
        with pytest.raises(BadInput, match="picture of"):
            new_picture(*size, None)


def test_alpha_comes_back_from_premultiplied_colours():
    rng = np.random.default_rng(3)
    alpha = rng.integers(1, 256, 4000)
    colors = rng.integers(0, 256, (4000, 3))
    premultiplied = np.round(colors * alpha[:, None] / 255)
    made = np.concatenate([premultiplied, alpha[:, None]], axis=1).astype(np.uint8).reshape(40, 100, 4)
    back = straight(made.copy()).reshape(-1, 4)
    assert (np.abs(back[:, :3] - colors) <= np.ceil(127.5 / alpha)[:, None] + 1).all()
    np.testing.assert_array_equal(back[:, 3], alpha)


# --- legends ----------------------------------------------------------------------------------


def dark(made) -> int:
    return int((made[:, :, :3].max(axis=2) < 90).sum())


@pytest.mark.parametrize("language", ["zh", "en", "both"])
def test_legends_of_all_styles_have_a_margin_all_round(language):
    for style in styles(Band(300, 500)).values():
        made = legend([style], language=language)
        assert made.shape[2] == 4
        assert (made[:, :, 3] == 255).all()
        for edge in (made[:2], made[-2:], made[:, :2], made[:, -2:]):
            assert (edge[:, :, :3] == 255).all(), style.name
        assert dark(made) > 8, style.name


def test_swatches_show_what_is_drawn():
    rules = [
        Rule("填充", "fill", (Fill("#12c834"),)),
        Rule("线", "line", (Stroke("#c81234", 4.0),)),
        Rule("点", "point", (Marker("square", "#1234c8", 10.0, outline=None),)),
        Rule("热", "heat", (Heat(ramp=("#ffff00", "#ff00ff"), opacity=1.0),)),
        Rule("字", "label", (Label("name"),), in_legend=False),
    ]
    made = legend([Style("s", "样式", "style", tuple(rules))], language="zh")[:, :, :3]
    for color in ((0x12, 0xC8, 0x34), (0xC8, 0x12, 0x34), (0x12, 0x34, 0xC8)):
        assert (made == color).all(axis=2).sum() > 10
    assert (np.abs(made.astype(int) - (255, 255, 0)).sum(axis=2) < 20).any()
    assert len(made) == len(legend([Style("s", "样式", "style", tuple(rules[:4]))]))


def test_pins_are_whole():
    made = legend([Style("s", "设施", "facilities", (Rule("便利店", "store", (Marker("drop", "#ff0000", 16.0),)),))])
    red = (made[:, :, 0] > 230) & (made[:, :, 1] < 40)
    rows = np.flatnonzero(red.any(axis=1))
    assert rows[-1] - rows[0] >= 13


def test_rules_of_other_scales_are_left_out_and_dots_an_inch_scale():
    near = Rule("近", "near", (Fill("#ff0000"),), scales=(None, 5_000.0))
    far = Rule("远", "far", (Fill("#0000ff"),), scales=(5_000.0, None))
    style = Style("s", "样式", "style", (near, far))
    both, one = legend([style]), legend([style], scale=1_000.0)
    assert len(one) < len(both)
    assert not ((one[:, :, 2] > 200) & (one[:, :, 0] < 50)).any()
    large = legend([style], dpi=2 * 90.714)
    assert large.shape[0] == pytest.approx(2 * both.shape[0], abs=2)
    assert large.shape[1] == pytest.approx(2 * both.shape[1], abs=4)


def test_long_legends_stand_in_columns():
    rules = tuple(Rule(f"第{i}类", f"class {i}", (Fill("#336699"),)) for i in range(200))
    made = legend([Style("s", "样式", "style", rules)])
    assert made.shape[0] < 32 * 24 + 40
    assert made.shape[1] > 400
    assert ((made[:, :, 0] == 0x33) & (made[:, :, 2] == 0x99)).sum() > 200 * 250


def test_nothing_at_a_scale_is_still_a_picture():
    style = Style("s", "样式", "style", (Rule("近", "near", (Fill("#ff0000"),), scales=(None, 5.0)),))
    assert legend([style], scale=100.0).size
    assert legend([]).size
