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
MAPIT_IDS_MAX: Final = 5_000
"""Most areas one MapIt request may name."""
MAPIT_BODY_BYTES_MAX: Final = 128 * 1024
"""Largest form posted to MapIt, in bytes."""
