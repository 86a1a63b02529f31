"""The box tree finds what a look at every box finds."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from layers.held.boxtree import box_tree, changed_tree


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


@given(st.integers(0, 3_000), st.integers(0, 40), st.integers(0, 2**32 - 1), st.integers(1, 4))
def test_a_changed_tree_finds_what_a_new_one_finds(count: int, new: int, seed: int, times: int) -> None:
    rng = np.random.default_rng(seed)

    def some(number: int) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
        low = rng.uniform(-1, 1, (number, 2))
        found = np.hstack((low, low + 0.02))
        found[rng.random(number) < 0.05] = np.nan
        return found

    boxes = some(count)
    tree = box_tree(boxes)
    for _ in range(times):
        kept = np.flatnonzero(rng.random(len(boxes)) > 0.02)
        at = np.sort(rng.integers(0, len(kept) + 1, new))
        sources = np.insert(kept, at, len(boxes) + np.arange(new))
        boxes = np.concatenate((boxes, some(new)))[sources]
        tree = changed_tree(tree, boxes, sources)
    fresh = box_tree(boxes)
    assert tree.box == fresh.box
    assert sorted(tree.order.tolist()) == sorted(fresh.order.tolist())
    for box in ((-0.3, -0.3, 0.1, 0.4), (0.5, 0.5, 0.52, 0.52), (-2.0, -2.0, 2.0, 2.0)):
        assert tree.search(box).tolist() == fresh.search(box).tolist()
