"""Writing the heat of reports to a report: JSON for scripts, one HTML page for people, by the ending."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from api.cli.reporting import write_whole
from api.heat.picture import colors_of
from api.json import json_bytes
from gisgrid import __version__
from layers.report.heat_data import HeatData
from layers.report.heat_page import render_heat
from planning.workflow_heat import Chosen

REPORT_ENDINGS: Final = (".json", ".html")
"""What ``--report`` files may end in."""


def write_heat_report(path: Path, asked: Chosen, made: dict[str, Any]) -> None:
    """Report to ``path`` (`REPORT_ENDINGS`)."""
    about = {
        "from": str(asked.span.first), "to": str(asked.span.last), "days": asked.span.days, "months": asked.span.months,
        "reports": len(asked.events), "outside": asked.outside, "timezone": str(asked.source.zone),
        "crs": asked.source.crs.to_string(),
    }  # fmt: skip
    if path.suffix.lower() == ".json":
        tables = {name: _records(made[name]) for name in ("grids", "rises", "month", "weekday", "hour")}
        facts = {"surface": made["surface_facts"], "spots": made["spots"], "rises_facts": made["risen"]}
        write_whole(path, json_bytes({**about, **facts, **tables}))
        return
    breaks, facts = made["surface_facts"]["breaks"], made["surface_facts"]
    data = HeatData(
        about=about | {"kernel": facts["kernel"], "bandwidth": facts["bandwidth"], "rule": facts["bandwidth_by"]},
        surface=made["surface"],
        colors=dict(zip(breaks, colors_of(len(breaks)), strict=True)),
        grids=made["grids"],
        spots=made["spots"],
        patterns={name: made[name] for name in ("month", "weekday", "hour")},
        rises=made["rises"],
        risen=made["risen"],
        version=f"gisgrid {__version__}",
    )
    write_whole(path, render_heat(data).encode())


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    plain = pd.DataFrame(table.drop(columns="geometry", errors="ignore")).astype(object)
    return [
        {str(name): None if isinstance(value, float) and np.isnan(value) else value for name, value in row.items()}
        for row in plain.to_dict("records")
    ]
