"""Rules of single layers that one column alone cannot tell: codes against levels, classes of streets,
categories.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from data.import_values import Refuse
from data.osm_access import TRAVELLERS, usable
from data.osm_areas import DIGITS
from data.osm_rules import facility_table
from data.osm_tags import street_class

Columns = dict[str, npt.NDArray[Any]]
Geometries = npt.NDArray[Any]


def apply_rules(as_: str, columns: Columns, geometry: Geometries, refuse: Refuse) -> None:
    """Fill and check the columns of one layer, in place; ``as_`` as in `data.importers`."""
    if as_ == "areas":
        _areas(columns, refuse)
    elif as_ == "streets":
        _streets(columns, refuse)
    elif as_ == "facilities":
        _facilities(columns, refuse)
    elif as_ == "components":
        _components(columns, refuse)
    elif as_ == "water":
        surface = shapely.get_dimensions(geometry) == 2
        unset = np.array([kind is None for kind in columns["kind"]], dtype=bool)
        columns["kind"] = np.where(unset, np.where(surface, "lake", "river"), columns["kind"])
    elif as_ == "reports":
        accuracy = np.array([-1.0 if value is None else value for value in columns["accuracy"]], dtype=float)
        bad = (accuracy < 0) & np.array([value is not None for value in columns["accuracy"]], dtype=bool)
        refuse(bad, lambda row: f"accuracy {columns['accuracy'][row]} is negative", "accuracy is negative")


def _areas(columns: Columns, refuse: Refuse) -> None:
    level_of = {digits: level for level, digits in DIGITS.items()}
    codes, levels = columns["code"], columns["level"]
    wrong = np.zeros(len(codes), dtype=bool)
    for row, code in enumerate(codes):
        if code is None:
            continue
        level = levels[row]
        if level is not None and len(code) > DIGITS[level] and code[DIGITS[level] :].strip("0") == "":
            code = codes[row] = code[: DIGITS[level]]  # statistics pad the codes of districts and streets with zeros
        implied = level_of.get(len(code)) if code.isdecimal() else None
        wrong[row] = implied is None or (level is not None and level != implied)
        levels[row] = level or implied
    refuse(
        wrong,
        lambda row: f"code {codes[row]!r} does not fit: district 6, street 9, community 12 digits",
        "code has not 6, 9 or 12 digits, or not those of its level",
    )


def _streets(columns: Columns, refuse: Refuse) -> None:
    highway, cls = columns["highway"], columns["cls"]
    unknown = np.zeros(len(cls), dtype=bool)
    for row in range(len(cls)):
        tags = {"highway": highway[row] or ""}
        derived = street_class(tags)
        cls[row] = cls[row] or derived
        unknown[row] = cls[row] is None
        highway[row] = highway[row] or cls[row]
        for way in TRAVELLERS:
            if columns[way][row] is None and (derived or way == "foot"):
                columns[way][row] = usable(tags, way) if derived else cls[row] != "rail"
    refuse(
        unknown,
        lambda row: f"highway {highway[row] or ''!r} is no street class; give highway (OpenStreetMap) or cls",
        "no street class",
    )


def _facilities(columns: Columns, refuse: Refuse) -> None:
    table = facility_table()
    names: dict[str, str] = {}
    for row in table.itertuples():
        for name in (row.category, row.name_zh, row.name_en):
            names.setdefault(str(name).lower(), str(row.category))
    given = columns["category"].copy()
    found = np.array([names.get(str(value).lower()) for value in given], dtype=object)
    unknown = np.array([value is None for value in found], dtype=bool)
    refuse(
        unknown,
        lambda row: f"category {given[row]!r} is unknown; known are {', '.join(table['category'])}",
        "category is unknown",
    )
    columns["category"] = found


def _components(columns: Columns, refuse: Refuse) -> None:
    codes = columns["component_code"]
    wrong = np.array([re.fullmatch(r"\d{16}", str(code)) is None for code in codes], dtype=bool)
    refuse(wrong, lambda row: f"component_code {codes[row]!r} is not 16 digits", "component_code is not 16 digits")
    for name, part in (("major", slice(6, 8)), ("minor", slice(8, 10))):
        columns[name] = np.array(
            [str(code)[part] if value is None else value for code, value in zip(codes, columns[name], strict=True)],
            dtype=object,
        )
