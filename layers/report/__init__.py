"""Plans and service circles as one page to read, print and hang on the wall: figures, maps, charts and tables."""

from __future__ import annotations

from layers.report.circles_data import CirclesData
from layers.report.circles_page import render_circles
from layers.report.data import ReportData
from layers.report.page import render_report
from layers.report.words import Words

__all__ = ["CirclesData", "ReportData", "Words", "render_circles", "render_report"]
