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
JOB_INPUT_BYTES_MAX: Final = 2 * 1024**3
"""Largest file sent to a job, in bytes."""
JOB_OUTPUT_BYTES_MAX: Final = 8 * 1024**3
"""Largest file a job may write, in bytes."""
JOB_RESULT_BYTES_MAX: Final = 64 * 1024
"""Longest result facts of a job as JSON, in bytes; anything longer belongs in its file."""
JOB_PARAMS_BYTES_MAX: Final = 1024 * 1024
"""Longest parameters of a job as JSON, in bytes."""
JOBS_QUEUED_MAX: Final = 1_000
"""Jobs that may wait at one time."""
JOB_ATTEMPTS_MAX: Final = 5
"""How often a job is taken up before it is given up: its worker was stopped or killed every time."""
JOB_EVENTS_SECONDS: Final = 10.0
"""How long one request for a job's events is kept open; the client then resumes."""
WEBHOOKS_MAX: Final = 100
"""Webhooks a service may have."""
WEBHOOK_LANES: Final = 4
"""Deliveries of one webhook sent at the same time by one worker."""
WEBHOOK_LANES_TOTAL: Final = 12
"""Deliveries sent at the same time by one worker; failing webhooks get at most half of them."""
WEBHOOK_SECONDS: Final = 15.0
"""How long a receiver may take to answer."""
WEBHOOK_WAIT_MAX: Final = 86_400.0
"""Longest pause a receiver may ask for with Retry-After, in seconds."""
WEBHOOK_ANSWER_BYTES_MAX: Final = 1_024
"""How much of a receiver's answer is read."""
