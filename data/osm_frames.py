"""Layers out of OpenStreetMap objects: frames in the storage system, refused objects counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt

from data.import_report import ImportReport
from data.osm_buildings import repaired_count
from gisgrid.crs import STORAGE_CRS


def frame_of(columns: Mapping[str, Any], geometry: npt.NDArray[Any]) -> gpd.GeoDataFrame:
    """Columns and geometries as a frame in EPSG:4490; lists become object columns, arrays keep their type."""
    plain = {
        name: np.array(values, dtype=object) if isinstance(values, list) else values
        for name, values in columns.items()
    }  # fmt: skip
    return gpd.GeoDataFrame(plain, geometry=geometry, crs=STORAGE_CRS)


def count_refused(report: ImportReport, status: npt.NDArray[np.int8], refusals: list[str]) -> None:
    """Count repaired and refused geometries in a report; ``refusals`` is the reason of each refused one."""
    report.repaired += repaired_count(status)
    report.count("repaired: the outline was invalid", repaired_count(status))
    report.refused += len(refusals)
    for reason in refusals:
        report.count(reason.split(" at ")[0], 1)
