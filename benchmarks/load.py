"""Mixed load on a server of its own: the highest rate held with p99 ≤ 50 ms, then minutes at it with memory watched.

    make bench-load                         (LOAD="--minutes 10")

Locate 80 %, tiles 15 %, edits 5 % (planners who paint borders of drafts, each from the version last answered), open
loop: every request has the moment it was due, drawn beforehand (Poisson), and its time counts from then, whether or not
a connection or the planner was free, so that a server that stalls cannot hide it (coordinated omission). The generator
is a process beside the server on the same cores; its share is told.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from _load_work import Editor, editors, lookups

ROOT = Path(__file__).resolve().parent.parent
P99_MS = 50.0
CONNECTIONS = 64
SHARES = (("locate", 0.80), ("tiles", 0.15), ("edits", 0.05))


def main() -> None:
    """Search the rate, hold it, print the figures and draw the memory."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--minutes", type=float, default=10.0)
    asked.add_argument("--seconds", type=float, default=15.0, help="length of each step of the search")
    asked.add_argument("--scenario", default="mingfeng")
    asked.add_argument("--rate", type=float, help="hold this rate, without a search")
    asked.add_argument("--plot", type=Path, default=ROOT / "docs" / "img" / "load_memory.png")
    given = asked.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="gisgrid-load-") as home,
        _server(Path(home), given.scenario) as (url, main_pid),
    ):
        asked_of = Asked(lookups(url), editors(url))
        asyncio.run(_run(url, asked_of, 50, 5))  # caches, connections, compiled kernels
        rate = given.rate or _search(url, asked_of, given.seconds)
        print(
            f"held: {rate:.0f} requests/s; now {given.minutes:g} minutes at it, machine load {os.getloadavg()[0]:.1f}"
        )
        _hold(url, asked_of, rate, given.minutes * 60, main_pid, given.plot)


@contextmanager
def _server(home: Path, scenario: str) -> Iterator[tuple[str, int]]:
    """A planned district served by two workers."""
    port = 8199
    env = os.environ | {"GISGRID_HOME": str(home), "GISGRID_OPEN_EDITING": "1", "GISGRID_ANONYMOUS": "analyst,reporter"}
    run = [sys.executable, "-m", "api.cli"]
    subprocess.run([*run, "db", "up"], env=env, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    demo = subprocess.Popen(
        [*run, "demo", "--scenario", scenario, "--port", str(port)], env=env, cwd=ROOT, stdout=subprocess.DEVNULL
    )
    _ready(port, demo)
    demo.terminate()  # it has planned and published; what is measured is `serve`
    demo.wait(60)
    with (home / "server.log").open("wb") as said:  # a line a request is part of the work
        server = subprocess.Popen(
            [*run, "serve", "--port", str(port), "--workers", "2"], env=env, cwd=ROOT, stdout=said, stderr=said
        )
    try:
        _ready(port, server)
        yield f"http://127.0.0.1:{port}", server.pid
    finally:
        server.terminate()
        server.wait(60)
        subprocess.run([*run, "db", "down"], env=env, cwd=ROOT, check=False, stdout=subprocess.DEVNULL)


def _ready(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(1200):
        if process.poll() is not None:
            sys.exit(f"the server ended with {process.returncode}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.25)
    sys.exit("the server was not ready in five minutes")


# --- the generator ----------------------------------------------------------------------


@dataclass
class Asked:
    """What is sent: whole requests of those who read, by kind, and planners who go on from their last answer."""

    lookups: dict[str, list[bytes]]
    editors: list[Editor]


async def _run(url: str, asked: Asked, rate: float, seconds: float) -> dict[str, Any]:
    """Send at a rate for a while: ``times`` in ms from when each request was due, by kind; ``errors`` by status."""
    host, port = url.removeprefix("http://").split(":")
    random_ = np.random.default_rng(int(rate))
    count = int(rate * seconds)
    due = np.cumsum(random_.exponential(1 / rate, count))
    kinds = random_.choice([kind for kind, _ in SHARES], count, p=[share for _, share in SHARES])
    times: dict[str, list[float]] = defaultdict(list)
    errors: dict[str, int] = defaultdict(int)
    queue: asyncio.Queue[int] = asyncio.Queue()
    edits: asyncio.Queue[int] = asyncio.Queue()
    begun = time.monotonic() + 0.2

    async def sender(waiting: asyncio.Queue[int], editor: Editor | None = None) -> None:
        reader = writer = None
        while (number := await waiting.get()) >= 0:
            kind = str(kinds[number])
            given = editor.request() if editor else asked.lookups[kind][number % len(asked.lookups[kind])]
            try:
                if writer is None:
                    reader, writer = await asyncio.open_connection(host, int(port))
                writer.write(given)
                assert reader is not None
                status, body = await _answer(reader)
                if editor:
                    editor.answered(status, body)
            except (OSError, asyncio.IncompleteReadError, ValueError):
                status, writer = 0, None
            times[kind].append((time.monotonic() - begun - due[number]) * 1000)
            if status == 0 or status >= 400:
                errors[f"{kind} {status}"] += 1
        if writer is not None:
            writer.close()

    readers = [asyncio.create_task(sender(queue)) for _ in range(CONNECTIONS)]
    planners = [asyncio.create_task(sender(edits, one)) for one in asked.editors]
    for number in range(count):
        late = begun + due[number] - time.monotonic()
        if late > 0:
            await asyncio.sleep(late)
        (edits if kinds[number] == "edits" else queue).put_nowait(number)
    for _ in readers:
        queue.put_nowait(-1)
    for _ in planners:
        edits.put_nowait(-1)
    await asyncio.gather(*readers, *planners)
    return {"times": times, "errors": dict(errors), "rate": count / (time.monotonic() - begun)}


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Status and body."""
    head = await reader.readuntil(b"\r\n\r\n")
    status, lower, body = int(head[9:12]), head.lower(), b""
    if b"content-length:" in lower:
        body = await reader.readexactly(int(lower.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0]))
    elif b"transfer-encoding: chunked" in lower:
        while size := int((await reader.readline()).strip(), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readline()
    return status, body


def _search(url: str, asked: Asked, seconds: float) -> float:
    """The highest rate with p99 ≤ `P99_MS` over all kinds and no errors, to within 8 %."""
    low, high, rate = 0.0, 0.0, 100.0
    while not high or high / max(low, 1) > 1.08:
        found = asyncio.run(_run(url, asked, rate, seconds))
        p99 = float(np.percentile(np.concatenate([np.array(v) for v in found["times"].values()]), 99))
        held = p99 <= P99_MS and not found["errors"]
        print(
            f"  {rate:7.0f}/s  p99 {p99:8.1f} ms  errors {found['errors'] or 0}  {'held' if held else 'not held'}",
            flush=True,
        )
        low, high = (rate, high) if held else (low, rate)
        if high and high < 10:
            sys.exit("not even 10 requests/s are held: is the machine busy?")
        rate = (low + high) / 2 if high and low else rate * 2 if held else rate / 2
    return low * 0.9  # minutes hold less than seconds do


# --- the long run -----------------------------------------------------------------------


def _hold(url: str, asked: Asked, rate: float, seconds: float, pid: int, plot: Path) -> None:
    samples: list[tuple[float, float]] = []
    stop = asyncio.Event()

    async def watched() -> dict[str, Any]:
        async def watch() -> None:
            begun = time.monotonic()
            while not stop.is_set():
                samples.append((time.monotonic() - begun, _memory(pid) / 2**20))
                await asyncio.sleep(1)

        watching = asyncio.create_task(watch())
        found = await _run(url, asked, rate, seconds)
        stop.set()
        await watching
        return found

    before, begun = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
    found = asyncio.run(watched())
    used = resource.getrusage(resource.RUSAGE_SELF)
    share = (used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime) / (time.monotonic() - begun)
    print(f"{'kind':8} {'requests':>9} {'p50':>8} {'p99':>8} {'p99.9':>8} {'max':>8}  ms, from when each was due")
    every = {**found["times"], "all": [t for values in found["times"].values() for t in values]}
    for kind, values in every.items():
        p50, p99, p999 = np.percentile(values, [50, 99, 99.9])
        print(f"{kind:8} {len(values):9,} {p50:8.2f} {p99:8.2f} {p999:8.2f} {max(values):8.1f}")
    at, held = np.array(samples)[len(samples) // 5 :].T  # caches fill at first
    slope = float(np.polyfit(at / 3600, held, 1)[0]) if at.size > 2 else 0.0
    print(f"rate {found['rate']:.0f}/s, errors {found['errors'] or 0}; generator {share:.2f} of one core, "
          f"machine load at the end {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")  # fmt: skip
    print(f"memory of the server's processes: {held.min():.0f} to {held.max():.0f} MB, slope {slope:+.1f} MB an hour")
    _draw(samples, plot)


def _memory(pid: int) -> int:
    """Proportional memory of a process and its children, in bytes."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    total = 0
    for one in (str(pid), *children):
        try:
            text = Path(f"/proc/{one}/smaps_rollup").read_text()
        except OSError:
            continue
        total += int(next(line for line in text.splitlines() if line.startswith("Pss:")).split()[1]) * 1024
    return total


def _draw(samples: list[tuple[float, float]], path: Path) -> None:
    """Memory over time."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        print("matplotlib is not installed: no picture of the memory")
        return
    figure = Figure(figsize=(7, 3), layout="constrained")
    axes = figure.subplots()
    at, held = np.array(samples).T
    axes.plot(at / 60, held, color="#1d5f8a")
    axes.set(
        xlabel="minutes", ylabel="MB", ylim=(0, held.max() * 1.15), title="memory of the server's processes under load"
    )
    figure.savefig(path, dpi=110)
    print(f"→ {path}")


if __name__ == "__main__":
    main()
