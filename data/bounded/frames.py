"""Layers that a child reads with GDAL, as GeoDataFrames."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import shapely

from data.bounded.calling import call, for_file


def listed(path: Path, folder: Path) -> list[tuple[str, str]]:
    """(file GDAL is to open, layer) of a file's map layers; a zip is inflated into ``folder``. Raises BadInput."""
    found = call("layers", for_file(path), about=str(path), path=str(path), folder=str(folder))
    return [(file, layer) for file, layer, kind in found if kind is not None]


def read_frame(path: Path, file: str, options: dict[str, str], folder: Path) -> pd.DataFrame:
    """A layer of ``file``, which is ``path`` or was inflated from it; a plain table when it has no geometry.

    Moments become times (UTC where their zones differ), JSON values, as `pyogrio.read_dataframe` has them. Raises
    BadInput.
    """
    out = folder / "layer.arrow"
    told = call("read", for_file(Path(file)), about=str(path), file=file, options=options, out=str(out))
    with pa.memory_map(str(out)) as source:
        frame = pd.DataFrame(pa.ipc.open_file(source).read_all().to_pandas())
    out.unlink()
    for name, kind, subtype in zip(told["fields"], told["dtypes"], told["subtypes"], strict=True):
        if (kind or "").startswith("datetime") and kind != "datetime64[D]":
            frame[name] = _moments(frame[name])
        elif subtype == "OFSTJSON":
            frame[name] = frame[name].map(_json, na_action="ignore")
    geometry = told["geometry_name"] or "wkb_geometry"
    if geometry not in frame.columns:
        return frame
    shapes = shapely.from_wkb(frame.pop(geometry).to_numpy(object), on_invalid="ignore")
    frame["geometry"] = shapes
    made: pd.DataFrame = gpd.GeoDataFrame(frame, geometry="geometry", crs=told["crs"])
    return made


def _moments(values: pd.Series[Any]) -> pd.Series[Any]:
    for utc in (False, True):
        try:
            made: pd.Series[Any] = pd.to_datetime(values, format="ISO8601", utc=utc)
        except ValueError:  # zones that differ, or years no timestamp holds: those stay text
            continue
        return made
    return values


def _json(value: Any) -> Any:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value
