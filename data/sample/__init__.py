"""Generator of made sample districts: `make_sample` in memory, `write_sample` to files."""

from __future__ import annotations

from data.sample.district import LAYERS, SampleDistrict, make_sample
from data.sample.scenarios import SCENARIOS, Scenario
from data.sample.write import write_sample

__all__ = ["LAYERS", "SCENARIOS", "SampleDistrict", "Scenario", "make_sample", "write_sample"]
