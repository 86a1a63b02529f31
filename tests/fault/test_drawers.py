"""Drawers are killed, get stuck, grow and are flooded: a picture or two are drawn again, nothing else is lost."""

from __future__ import annotations

import os
import signal
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

import pytest

from api.catalogue import Catalogue
from api.drawing import Drawing
from api.drawing.pool import drawers
from gisgrid.errors import BadInput, Broken
from tests.conftest import Planned

pytestmark = pytest.mark.postgis
REGISTRY = "tests.fault.drawings:TASKS"
Begin = Callable[..., Drawing]


@pytest.fixture
def begin(planned: Planned, monkeypatch: pytest.MonkeyPatch) -> Iterator[Begin]:
    """Starts drawers; returns what orders of them."""
    monkeypatch.setenv("GISGRID_DATABASE_URL", str(planned.settings.database_url))
    monkeypatch.setenv("GISGRID_HOME", str(planned.settings.home))
    with ExitStack() as stack:

        def made(count: int, *, seconds: float = 30.0, wait: float = 30.0, **limits: Any) -> Drawing:
            settings = replace(planned.settings, drawers=count)
            path = stack.enter_context(drawers(settings, registry=REGISTRY, seconds=seconds, **limits))
            drawing = Drawing(
                planned.engine, Catalogue(planned.engine), path, registry=REGISTRY, seconds=seconds, wait=wait
            )
            drawing.do("who", None)  # they have started
            return drawing

        yield made


@contextmanager
def at_once(*works: Callable[[], Any]) -> Iterator[list[Any]]:
    """Works done in threads meanwhile; their answers or errors once the block is left."""
    found: list[Any] = [None] * len(works)

    def run(place: int) -> None:
        try:
            found[place] = works[place]()
        except Exception as error:
            found[place] = error

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(works))]
    for thread in threads:
        thread.start()
    yield found
    for thread in threads:
        thread.join()


def test_a_killed_drawer_costs_a_second_try_and_no_picture(begin: Begin) -> None:
    drawing = begin(1)
    before = drawing.do("who", None)
    with at_once(*[lambda: drawing.do("slow", 0.5)] * 3) as found:
        time.sleep(0.25)
        os.kill(before, signal.SIGKILL)
    assert all(isinstance(answer, int) and answer != before for answer in found), found


def test_errors_keep_their_class_and_the_drawer_lives_on(begin: Begin) -> None:
    drawing = begin(1)
    drawer = drawing.do("who", None)
    with pytest.raises(BadInput, match="width=0") as error:
        drawing.do("wrong", None)
    assert (error.value.code, error.value.details) == ("bad_width", {"field": "width"})
    with pytest.raises(RuntimeError, match="a fault in a drawer"):
        drawing.do("broken", None)
    assert drawing.do("who", None) == drawer
    assert drawing.do("echo", b"x" * 3_000_000) == b"x" * 3_000_000


def test_a_stuck_drawer_is_replaced_and_the_caller_told(begin: Begin) -> None:
    drawing = begin(1, seconds=1.0)
    drawer = drawing.do("who", None)
    with pytest.raises(Broken, match="more than 1 s") as error:
        drawing.do("stuck", None)
    assert error.value.code == "too_slow"
    assert drawing.do("who", None) != drawer


def test_too_many_pictures_are_told_to_come_back(begin: Begin) -> None:
    drawing = begin(1, waiting=2)
    with at_once(*[lambda: drawing.do("slow", 0.3)] * 12) as found:
        pass
    busy = [answer for answer in found if isinstance(answer, Broken)]
    assert {answer.code for answer in busy} == {"busy"}
    assert all(answer.details["retry_after"] == 1 for answer in busy)
    assert 1 <= 12 - len(busy) <= 6
    assert drawing.do("echo", 1) == 1


def test_a_drawer_that_grew_too_large_is_replaced_after_its_answer(begin: Begin) -> None:
    drawing = begin(1, memory=700_000_000)
    drawer = drawing.do("grow", 600_000_000)
    assert drawing.do("who", None) != drawer


def test_an_order_too_large_is_not_taken(begin: Begin) -> None:
    drawing = begin(1)
    with pytest.raises(Broken):
        drawing.do("echo", b"x" * 5_000_000)
    assert drawing.do("echo", 1) == 1


def test_only_this_account_reaches_the_socket_and_it_goes_with_the_server(begin: Begin, planned: Planned) -> None:
    with drawers(replace(planned.settings, drawers=1), registry=REGISTRY) as path:
        assert path is not None
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.parent == planned.settings.home / "run"
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert not path.exists()
    lost = Drawing(planned.engine, Catalogue(planned.engine), path, registry=REGISTRY)
    with pytest.raises(Broken, match="restart"):
        lost.do("who", None)


def test_without_drawers_pictures_are_drawn_in_the_process(begin: Begin, planned: Planned) -> None:
    with drawers(replace(planned.settings, drawers=0)) as path:
        assert path is None
    assert Drawing(planned.engine, Catalogue(planned.engine), registry=REGISTRY).do("who", None) == os.getpid()


def test_this_process_goes_on_at_full_speed_while_drawers_work(begin: Begin) -> None:
    drawing = begin(1, seconds=2.0)
    waits = []
    with at_once(lambda: drawing.do("stuck", None)):
        end = time.monotonic() + 1.0
        while time.monotonic() < end:
            begun = time.perf_counter()
            sum(range(1000))
            waits.append(time.perf_counter() - begun)
            time.sleep(0.001)
    waits.sort()
    assert waits[len(waits) // 2] < 0.005, "the interpreter is not held by a picture"
