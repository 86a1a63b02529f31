"""Sheets to print and hang up: the grid map of a community at a true scale, with legend and table."""

from __future__ import annotations

from layers.sheets.sheet import SheetRequest, check, count_pages, make_sheet, sheet

__all__ = ["SheetRequest", "check", "count_pages", "make_sheet", "sheet"]
