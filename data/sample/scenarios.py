"""The scenarios of the sample generator: published sizes of real places, laid out as plainly invented districts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from gisgrid.errors import BadInput


@dataclass(frozen=True)
class Scenario:
    """Figures a scenario must carry and the shape of its land. Lengths in metres, ``lon``/``lat`` in degrees.

    ``mix`` gives the shares of the land that are old lanes, new towers, industry and villages; the rest is inner
    city. ``old_grids`` has one count for each nested level. ``figures`` are published numbers kept for the summary.
    """

    key: str
    title_zh: str
    title_en: str
    code: str
    lon: float
    lat: float
    width: float
    height: float
    households: int
    population: int
    streets: int
    communities: int
    old_grids: tuple[int, ...]
    components: int
    reports: int
    priority: int
    buildings: int | None = None
    spacing: float = 620.0
    ring: float = 0.0
    river: float = 0.0
    lake: float = 0.0
    canals: int = 0
    rail: bool = False
    town: bool = False
    mix: tuple[float, float, float, float] = (0.12, 0.25, 0.1, 0.1)
    figures: dict[str, int] = field(default_factory=dict)


_ALL: Final = (
    Scenario(
        key="taibai", title_zh="太白湖示范区", title_en="Taibai Lake Demonstration District", code="379900",
        lon=116.6, lat=35.35, width=6000, height=5000, households=61_020, population=170_800, streets=5,
        communities=30, old_grids=(148,), components=47_906, reports=20_000, priority=432, buildings=15_401,
        ring=900, river=66, lake=620, canals=2, rail=True, mix=(0.098, 0.2, 0.17, 0.16),
    ),
    Scenario(
        key="laoshan", title_zh="崂山示范区", title_en="Laoshan Demonstration District", code="379901",
        lon=120.47, lat=36.15, width=11_000, height=8_000, households=345_200, population=903_000, streets=9,
        communities=160, old_grids=(686,), components=120_000, reports=60_000, priority=1_860,
        ring=1500, river=80, lake=700, canals=2, rail=True, mix=(0.07, 0.42, 0.08, 0.08),
        figures={"grids_planned": 863},
    ),
    Scenario(
        key="gaodu", title_zh="高都示范区", title_en="Gaodu Demonstration District", town=True, code="379902",
        lon=112.85, lat=35.48, width=3_000, height=2_600, households=12_306, population=38_900, streets=1,
        communities=12, old_grids=(34, 158, 854), components=4_200, reports=2_400, priority=96,
        spacing=540, river=26, canals=0, mix=(0.12, 0.0, 0.08, 0.6),
    ),
    Scenario(
        key="mingfeng", title_zh="鸣凤示范区", title_en="Mingfeng Demonstration District", code="379903",
        lon=112.84, lat=35.5, width=980, height=860, households=3_428, population=10_683, streets=1,
        communities=1, old_grids=(8,), components=1_450, reports=900, priority=31,
        spacing=430, mix=(0.12, 0.2, 0.0, 0.0), figures={"grids_planned": 11},
    ),
    Scenario(
        key="nanjian", title_zh="南尖示范区", title_en="Nanjian Demonstration District", code="379904",
        lon=120.31, lat=31.57, width=860, height=760, households=2_286, population=6_430, streets=1,
        communities=1, old_grids=(4,), components=1_050, reports=620, priority=24,
        spacing=400, canals=1, mix=(0.2, 0.2, 0.0, 0.0), figures={"grids_planned": 6, "micro_grids_planned": 35},
    ),
    Scenario(
        key="xijindu", title_zh="西津渡示范区", title_en="Xijindu Demonstration District", code="379905",
        lon=119.43, lat=32.21, width=1_150, height=960, households=2_650, population=7_120, streets=1,
        communities=1, old_grids=(7,), components=1_300, reports=800, priority=28,
        spacing=420, lake=170, mix=(0.42, 0.0, 0.0, 0.0), figures={"grids_planned": 7},
    ),
    Scenario(
        key="gulou", title_zh="鼓楼示范区", title_en="Gulou Demonstration District", code="379906",
        lon=117.18, lat=34.29, width=6_200, height=4_800, households=141_480, population=410_300, streets=8,
        communities=73, old_grids=(393,), components=68_000, reports=30_000, priority=980,
        ring=1000, river=90, canals=1, rail=True, mix=(0.09, 0.42, 0.04, 0.0),
    ),
    Scenario(
        key="yanzhou", title_zh="兖州示范区", title_en="Yanzhou Demonstration District", code="379907",
        lon=116.83, lat=35.55, width=7_400, height=6_000, households=122_150, population=366_400, streets=6,
        communities=66, old_grids=(349, 1396), components=56_000, reports=26_000, priority=720,
        ring=950, river=60, canals=2, rail=True, mix=(0.08, 0.22, 0.16, 0.14), figures={"nested_levels": 6},
    ),
    Scenario(
        key="longgang", title_zh="龙港示范区", title_en="Longgang Demonstration District", town=True, code="379908",
        lon=112.9, lat=35.46, width=3_500, height=3_000, households=16_800, population=51_900, streets=1,
        communities=16, old_grids=(16, 48, 132, 396, 1040), components=6_000, reports=4_000, priority=130,
        spacing=560, river=34, mix=(0.12, 0.02, 0.1, 0.56),
    ),
    Scenario(
        key="jiangsu", title_zh="江海示范省", title_en="Jianghai Demonstration Province", code="390000",
        lon=119.2, lat=33.0, width=520_000, height=460_000, households=31_500_000, population=85_260_000,
        streets=1_260, communities=21_000, old_grids=(105_000,), components=0, reports=0, priority=0,
        figures={"grid_workers": 246_500},
    ),
)  # fmt: skip

SCENARIOS: Final[dict[str, Scenario]] = {scenario.key: scenario for scenario in _ALL}


def scenario_of(key: str) -> Scenario:
    """The scenario of that name. Raises BadInput."""
    found = SCENARIOS.get(key)
    if found is None:
        raise BadInput(f"scenario {key!r} does not exist; give one of {', '.join(SCENARIOS)}")
    return found
