"""The same scenario and seed give the same bytes, in any process and under any hash seed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from data.sample import make_sample

ROOT = Path(__file__).resolve().parents[3]
DIGEST = """
import hashlib, sys, shapely
from data.sample import make_sample
sample = make_sample(sys.argv[1], seed=int(sys.argv[2]))
digest = hashlib.sha256()
for name, layer in sample.layers.items():
    digest.update(name.encode())
    for blob in shapely.to_wkb(layer.geometry.to_numpy()):
        digest.update(blob)
    digest.update(layer.drop(columns="geometry").to_csv(index=False).encode())
print(digest.hexdigest())
"""


def _digest(scenario: str, seed: int, hash_seed: str) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        [sys.executable, "-c", DIGEST, scenario, str(seed)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return run.stdout.strip()


def test_two_processes_agree_and_seeds_differ() -> None:
    first = _digest("nanjian", 1, "0")
    assert first == _digest("nanjian", 1, "4242")
    assert first != _digest("nanjian", 2, "0")


def test_progress_runs_from_zero_to_one() -> None:
    seen: list[float] = []
    make_sample("nanjian", progress=lambda share, note: seen.append(share))
    assert seen == sorted(seen)
    assert seen[0] == 0.0
    assert seen[-1] == 1.0
