"""The kinds of long work there are: what `data.jobs.submit` may be asked for, and the function that does it."""

from __future__ import annotations

from api.circles.job import CIRCLES, compute_circles_job
from api.locate.job import locate_points_file
from gisgrid.jobs import JobWork

WORK: dict[str, JobWork] = {"locate": locate_points_file, CIRCLES: compute_circles_job}
"""Work by kind. Functions of modules, so that the process of a job finds them by name."""
