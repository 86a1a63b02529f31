"""A sample district on disk: one GeoPackage with all layers and a manifest beside it."""

from __future__ import annotations

import json
import os
from pathlib import Path

from data.exporters import write_layers
from data.sample.district import SampleDistrict, make_sample
from gisgrid.errors import BadInput
from gisgrid.models import Progress, no_progress

PACKAGE = "district.gpkg"
MANIFEST = "manifest.json"


def write_sample(
    directory: str | os.PathLike[str], scenario: str, *, seed: int = 1, progress: Progress = no_progress
) -> SampleDistrict:
    """Make a sample district and write ``district.gpkg`` and ``manifest.json`` into the directory.

    The directory is made when missing. Raises BadInput for an unknown scenario or a path that is a file.
    """
    target = Path(directory)
    if target.exists() and not target.is_dir():
        raise BadInput(f"sample directory {str(target)!r} is a file; give a directory")
    sample = make_sample(scenario, seed=seed, progress=lambda share, note: progress(0.7 * share, note))
    target.mkdir(parents=True, exist_ok=True)
    progress(0.7, "writing")
    write_layers(target / PACKAGE, sample.layers)
    manifest = {"scenario": sample.scenario, "seed": sample.seed, "package": PACKAGE, **sample.summary}
    text = json.dumps(manifest, ensure_ascii=False, indent=2) + "\n"
    draft = target / f".{MANIFEST}.part"
    draft.write_text(text, encoding="utf-8")
    draft.replace(target / MANIFEST)
    progress(1.0, "written")
    return sample
