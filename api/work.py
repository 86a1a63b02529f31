"""The kinds of long work there are: what `data.jobs.submit` may be asked for, and the function that does it."""

from __future__ import annotations

from api.circles.job import CIRCLES, compute_circles_job
from api.circles.services_job import RESPONSE, SITES, STRAIGHT, response_job, sites_job, straight_job
from api.locate.job import locate_points_file
from api.plans.job import PLAN, plan_job
from gisgrid.jobs import JobWork

WORK: dict[str, JobWork] = {
    "locate": locate_points_file,
    CIRCLES: compute_circles_job,
    SITES: sites_job,
    STRAIGHT: straight_job,
    RESPONSE: response_job,
    PLAN: plan_job,
}
"""Work by kind. Functions of modules, so that the process of a job finds them by name."""
