"""Where, when and how unusually often reports come: intensity, hot spots, patterns, rises. Pure functions on arrays."""

from __future__ import annotations

from planning.heat.contours import breaks_of, contours
from planning.heat.events import Events, Span, make_events
from planning.heat.frames import STEPS, Frame, frames_of
from planning.heat.hotspots import HotSpots, hot_spots
from planning.heat.patterns import patterns
from planning.heat.rises import Rises, rises
from planning.heat.surface import KERNELS, Raster, Surface, bandwidth_for, intensity, raster_for

__all__ = [
    "KERNELS", "STEPS", "Events", "Frame", "HotSpots", "Raster", "Rises", "Span", "Surface", "bandwidth_for",
    "breaks_of", "contours", "frames_of", "hot_spots", "intensity", "make_events", "patterns", "raster_for", "rises",
]  # fmt: skip
