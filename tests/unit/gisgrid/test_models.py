"""The household band: reading it and what it makes possible, against counting."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gisgrid.errors import BadInput
from gisgrid.models import Band


@given(low=st.integers(0, 40), width=st.integers(0, 40), total=st.integers(0, 400))
def test_feasible_counts_equal_trying_every_count(low: int, width: int, total: int) -> None:
    if low + width == 0:
        return
    band = Band(low, low + width)
    tried = [k for k in range(1, total + 2) if k * band.low <= total <= k * band.high]
    found = list(band.feasible_counts(total))
    if low:
        assert found == tried
    else:
        assert set(found) <= set(tried)
        assert found[0] == tried[0]


@pytest.mark.parametrize("text", ["300:500", " 300 : 500 "])
def test_parse_reads_both_ends(text: str) -> None:
    band = Band.parse(text)
    assert (band.low, band.high) == (300, 500)
    assert str(band) == "300:500"
    assert [band.contains(n) for n in (299, 300, 500, 501)] == [False, True, True, False]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("500:300", "above the maximum"),
        ("-1:5", "negative"),
        ("0:0", "no grid"),
        ("300", "MIN:MAX"),
        ("3.5:4", "MIN:MAX"),
        ("a:b", "MIN:MAX"),
        ("", "MIN:MAX"),
    ],
)
def test_bad_bands_are_one_clear_line(text: str, says: str) -> None:
    with pytest.raises(BadInput, match=says) as caught:
        Band.parse(text)
    assert "\n" not in caught.value.message
