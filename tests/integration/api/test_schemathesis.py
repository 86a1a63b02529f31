"""Requests made up from /openapi.json, proper and improper ones: none may end in a 5xx, every error has the one shape.

A few requests an operation, the same on every run. `make campaign-schemathesis` makes many (``GISGRID_EXAMPLES``).
"""

from __future__ import annotations

import gzip
import itertools
import os
from typing import Any

import hypothesis
import orjson
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode

from data import accounts
from gisgrid.access import Grant
from tests.integration.api.conftest import Inlet

pytestmark = [pytest.mark.postgis, pytest.mark.timeout(int(os.environ.get("GISGRID_EXAMPLES", 3)) * 100)]
EXAMPLES = int(os.environ.get("GISGRID_EXAMPLES", 3))
OTHER_SHAPES = ("/open311", "/mapit", "/wms")
"""Interfaces whose own standards say how errors look; their own tests hold them to it."""
GZIP = b"\x1f\x8b"
"""How a long error that was sent compressed begins."""
COUNTS = 30
"""Faults told at most."""


def faults_of(status: int, path: str, body: bytes) -> str | None:
    """What is wrong with an answer, None when nothing is."""
    if status >= 500:
        return f"{status}: {body[:300]!r}"
    if status < 400 or path.startswith(OTHER_SHAPES) or (status == 405 and not body):
        return None
    try:
        error = orjson.loads(body)["error"]
    except (ValueError, KeyError, TypeError):
        return f"{status} without the one shape: {body[:300]!r}"
    if set(error) != {"status", "code", "message", "details"} or error["status"] != status or "\n" in error["message"]:
        return f"{status} with another shape: {error}"
    return None


ROLES = ("nobody", "viewer", "dispatcher", "analyst", "planner", "admin")
FULL = EXAMPLES > 3
"""All roles make up all requests in the campaign; in the suite those without credentials do, and planners what only
they may: changes, and what begins with one of `OWN`."""
OWN = ("/api/v1/plans", "/api/v1/generations", "/api/v1/history", "/api/v1/unit-sets", "/api/v1/jobs")


def credentials_of(inlet: Inlet, role: str) -> dict[str, str]:
    """The headers of a caller in a role: a token given to it everywhere."""
    if role == "nobody":
        return {}
    with inlet.engine.begin() as connection:
        made = accounts.add_token(connection, f"made-up-{role}-{next(_tokens)}", grants=[Grant(role)])
    return {"Authorization": f"Bearer {made.secret}"}


_tokens = itertools.count()


@pytest.mark.parametrize("role", ROLES if FULL else ("nobody", "planner"))
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["proper", "improper"])
def test_made_up_requests_are_answered_or_refused(inlet: Inlet, mode: GenerationMode, role: str) -> None:
    headers = credentials_of(inlet, role)
    app = inlet.client.application
    schema = schemathesis.openapi.from_wsgi("/openapi.json", app)
    found: dict[str, str] = {}
    asked = 0

    def hold(operation: Any) -> None:
        @hypothesis.seed(1)
        @settings(
            max_examples=EXAMPLES, derandomize=EXAMPLES < 10, database=None, deadline=None,
            phases=[Phase.generate], suppress_health_check=list(HealthCheck), print_blob=False,
        )  # fmt: skip
        @given(operation.as_strategy(generation_mode=mode))
        def ask(case: Any) -> None:
            nonlocal asked
            asked += 1
            answer = case.call(headers=headers)
            body = gzip.decompress(answer.content) if answer.content.startswith(GZIP) else answer.content
            fault = faults_of(answer.status_code, operation.path, body)
            if fault is not None:
                found.setdefault(f"{operation.label}", f"{case.as_curl_command()[:600]}\n    {fault}")

        ask()

    for result in schema.get_all_operations():
        operation = result.ok()
        if not FULL and role == "planner" and operation.method == "get" and not operation.path.startswith(OWN):
            continue
        try:
            hold(operation)
        except hypothesis.errors.Unsatisfiable:  # nothing improper can be sent to what takes no parameters
            continue
    assert asked > 100
    assert not found, "\n".join([f"{len(found)} operations fail:", *list(found.values())[:COUNTS]])
