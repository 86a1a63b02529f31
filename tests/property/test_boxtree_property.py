"""The box tree finds what a look at every box finds."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from layers.held.boxtree import box_tree


@given(st.integers(0, 2_000), st.integers(0, 2**32 - 1), st.lists(st.floats(-1.5, 1.5), min_size=4, max_size=4))
def test_a_search_is_a_look_at_every_box(count: int, seed: int, ends: list[float]) -> None:
    rng = np.random.default_rng(seed)
    low = np.round(rng.uniform(-1, 1, (count, 2)), 2)
    boxes = np.hstack((low, low + np.round(rng.exponential(0.05, (count, 2)), 2)))
    boxes[rng.random(count) < 0.05] = np.nan
    box = (min(ends[:2]), min(ends[2:]), max(ends[:2]), max(ends[2:]))
    meeting = (boxes[:, 0] <= box[2]) & (boxes[:, 2] >= box[0]) & (boxes[:, 1] <= box[3]) & (boxes[:, 3] >= box[1])
    assert box_tree(boxes).search(box).tolist() == np.flatnonzero(meeting).tolist()
    assert box_tree(boxes).search((box[2] + 1, box[1], box[0], box[3])).tolist() == []
