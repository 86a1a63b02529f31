"""A command ends at the first Ctrl-C, whatever swallows it, and what it clears up is not broken off by a second."""

from __future__ import annotations

import signal
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.processes import command

PROGRAM = """
import sys, threading, time
sys.argv = ["gisgrid"]
from api.cli import commands, main, stopping

def tell(what):
    print(what, flush=True)

class AtItsEnd:
    def __del__(self):
        tell("in")
        time.sleep(20)

def clear(tenths):
    for _ in range(tenths):
        time.sleep(0.1)
    tell("cleared")

def suspended():
    try:
        yield
    finally:
        clear(6)

def run(arguments):
    CASE
    for _ in range(200):
        time.sleep(0.1)
    tell("went on")
    return 0

commands.run = run
main()
"""
CASES = {
    "nothing": 'tell("in")',
    "code made on the fly": """exec("tell('in'); time.sleep(20)")""",
    "the end of an object": "AtItsEnd()",
    "a library that takes any failure for an answer": """
    try:
        tell("in")
        time.sleep(20)
    except BaseException:
        pass""",
    "clearing up": """
    try:
        tell("in")
        time.sleep(20)
    finally:
        clear(6)""",
    "clearing up by a generator": """
    generator = suspended()
    next(generator)
    tell("in")""",
    "clearing up without end": """
    stopping.PATIENCE = 1.0
    try:
        try:
            tell("in")
            time.sleep(20)
        finally:
            threading.Event().wait()
    finally:
        clear(1)""",
    "a thread left behind": """
    stopping.EXIT_SECONDS = 1.0
    threading.Thread(target=time.sleep, args=(20,)).start()
    tell("in")""",
}


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int], tuple[int, str]]:
    """Exit code and words of every case after that many presses; they run at the same time."""
    folder = tmp_path_factory.mktemp("stopped")
    with ExitStack() as stack:
        started = {
            (case, presses): stack.enter_context(
                command(["-c", PROGRAM.replace("CASE", code.strip())], folder / f"{case} {presses}", {})
            )
            for case, code in CASES.items()
            for presses in (1, 2)
        }
        for one in started.values():
            one.until_said("in\n")
        for round in (1, 2):
            time.sleep(0.25)
            for (_, presses), one in started.items():
                if presses >= round:
                    one.press()
        return {key: (one.end(), one.said) for key, one in started.items()}


@pytest.mark.parametrize("presses", [1, 2])
@pytest.mark.parametrize("case", CASES)
def test_one_ctrl_c_is_enough(ended: dict[tuple[str, int], tuple[int, str]], case: str, presses: int) -> None:
    code, said = ended[case, presses]
    assert said == "in\n" + "cleared\n" * ("clearing" in case) + "gisgrid: stopped\n"
    assert code == 130


def test_a_polite_end_says_nothing(tmp_path: Path) -> None:
    program = PROGRAM.replace("CASE", CASES["clearing up"].strip())
    with command(["-c", program], tmp_path / "log", {}) as stopped:
        stopped.until_said("in\n")
        stopped.press(signal.SIGTERM)
        time.sleep(0.2)
        stopped.press()
        assert stopped.end() == 128 + signal.SIGTERM
    assert stopped.said == "in\ncleared\n"
