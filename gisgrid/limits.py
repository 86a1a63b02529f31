"""Every cap of the program in one place."""

from __future__ import annotations

from typing import Final

PAGE_DEFAULT: Final = 100
"""Features in one page when the caller does not say."""
PAGE_MAX: Final = 5_000
"""Most features one page may hold."""
KEY_CHARS_MAX: Final = 100
"""Longest identifier of one feature."""
BODY_BYTES_MAX: Final = 32 * 1024 * 1024
"""Largest HTTP request body in bytes."""
ADDRESS_CHARS_MAX: Final = 500
"""Longest address text taken."""
SNAP_METRES_MAX: Final = 100.0
"""A place further than this from every street cannot be assessed, in metres."""
OUTSIDE_METRES_MAX: Final = 500.0
"""Farthest a point may lie from every grid and still be told its nearest one, in metres."""
COVER_SLIVER_M2: Final = 1.0
"""Total gap or overlap a grid layer may have, in square metres."""
LOCATE_ROWS_MAX: Final = 100_000
"""Most points one request locates at once; more become a job."""
LOCATE_BODY_BYTES_MAX: Final = 1024 * 1024 * 1024
"""Largest table of points (CSV, Parquet) taken over HTTP, in bytes; over `BODY_BYTES_MAX` it becomes a job."""
LOCATE_JOB_ROWS_MAX: Final = 300_000_000
"""Most points one job locates."""
LOCATE_DECODED_BYTES_MAX: Final = 256 * 1024 * 1024
"""Most bytes the rows of one request may have once they are decompressed."""
