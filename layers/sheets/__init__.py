"""Sheets to print and hang up: the grid map of a community at a true scale, with legend and table."""

from __future__ import annotations

from layers.sheets.sheet import Sheet, SheetRequest, check, make_sheet, sheet

__all__ = ["Sheet", "SheetRequest", "check", "make_sheet", "sheet"]
