"""Whole layers to take away: chosen like pages are, written batch by batch: a million rows take little memory."""

from __future__ import annotations

from layers.downloads.chosen import Selection, select
from layers.downloads.files import FORMS, Form, Written, check_system, form_of, write_file
from layers.downloads.texts import csv_text, geojson_text

__all__ = [
    "FORMS", "Form", "Selection", "Written", "check_system", "csv_text", "form_of", "geojson_text", "select",
    "write_file",
]  # fmt: skip
