"""A command ends at the first Ctrl-C, whatever swallows it, and what it clears up is not broken off by a second."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from tests.processes import command

PROGRAM = """
import sys, threading, time
sys.argv = ["gisgrid"]
from api.cli import commands, main, stopping

stopping.EXIT_SECONDS, stopping.PATIENCE = 1.0, 1.5

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
        clear(8)

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
        clear(8)""",
    "clearing up by a generator": """
    generator = suspended()
    next(generator)
    tell("in")""",
    "clearing up without end": """
    try:
        try:
            tell("in")
            time.sleep(20)
        finally:
            threading.Event().wait()
    finally:
        clear(1)""",
    "a thread left behind": """
    threading.Thread(target=time.sleep, args=(20,)).start()
    tell("in")""",
}


@pytest.mark.parametrize("presses", [1, 2])
@pytest.mark.parametrize("case", CASES)
def test_one_ctrl_c_is_enough(tmp_path: Path, case: str, presses: int) -> None:
    program = PROGRAM.replace("CASE", CASES[case].strip())
    with command(["-c", program], tmp_path / "log", {}) as stopped:
        stopped.until(lambda: "in\n" in stopped.said)
        time.sleep(0.05)
        for _ in range(presses):
            stopped.press()
            time.sleep(0.2)
        assert stopped.end() == 130, stopped.said
    assert stopped.said == "in\n" + "cleared\n" * ("clearing" in case) + "gisgrid: stopped\n"


def test_a_polite_end_says_nothing(tmp_path: Path) -> None:
    program = PROGRAM.replace("CASE", CASES["clearing up"].strip())
    with command(["-c", program], tmp_path / "log", {}) as stopped:
        stopped.until(lambda: "in\n" in stopped.said)
        stopped.press(signal.SIGTERM)
        time.sleep(0.2)
        stopped.press()
        assert stopped.end() == 128 + signal.SIGTERM
    assert stopped.said == "in\ncleared\n"
