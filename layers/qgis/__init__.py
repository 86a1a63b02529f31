"""QGIS projects (``.qgs``) of the catalogue, drawn by our styles."""

from __future__ import annotations

from layers.qgis.project import Place, Source, extent_of, project

__all__ = ["Place", "Source", "extent_of", "project"]
