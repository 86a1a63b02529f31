"""Service circles: who reaches which facilities in how many minutes, and the maps of it."""

from planning.circles.isochrones import isochrones
from planning.circles.raster import SnapRaster, snap_raster
from planning.circles.result import CirclesResult
from planning.circles.service import service_circles

__all__ = ["CirclesResult", "SnapRaster", "isochrones", "service_circles", "snap_raster"]
