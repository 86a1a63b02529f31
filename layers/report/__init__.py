"""A plan as one page to read, print and hang on the wall: figures, maps and histograms, beside another plan's."""

from __future__ import annotations

from layers.report.data import ReportData
from layers.report.page import render_report
from layers.report.words import Words

__all__ = ["ReportData", "Words", "render_report"]
