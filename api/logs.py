"""The log: one line an event on stderr, as JSON or as text, each with the id of the request and the job it belongs to.

One line a request tells method, route template, status, milliseconds, bytes and who asked by key: no query string,
which may hold a coordinate or an address, no path, no name. `api.redacting` goes over every line.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from datetime import UTC, datetime
from typing import Any, Final

from api.redacting import Redactor, secrets_of
from gisgrid.settings import Settings
from gisgrid.tracing import JOB, REQUEST

ACCESS: Final = "gisgrid.access"
access_log = logging.getLogger(ACCESS)
_LEVELS: Final = {"error": logging.ERROR, "warning": logging.WARNING, "info": logging.INFO, "debug": logging.DEBUG}
_QUIET: Final = (
    "alembic",
    "procrastinate",
    "psycopg",
    "psycopg.pool",
    "urllib3",
    "numba",
    "pyogrio",
    "fiona",
    "rasterio",
)
"""Libraries that tell more than anybody reads, or with a traceback what we say in one line."""


def configure(settings: Settings, *, level: str | None = None) -> None:
    """Have this process write its log; called once, at its start. ``level``: where the settings name none."""
    handler = logging.StreamHandler(sys.stderr)
    redactor = Redactor(secrets_of(settings))
    handler.setFormatter(Json(redactor) if kind_of(settings) == "json" else Text(redactor))
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger("gisgrid").setLevel(_LEVELS[settings.log_level or level or "info"])
    for name in _QUIET:
        logging.getLogger(name).setLevel(
            logging.CRITICAL if name.startswith(("procrastinate", "psycopg")) else logging.WARNING
        )
    server = logging.getLogger("_granian")
    server.handlers.clear()  # its own go to stdout, secrets and all
    server.propagate = True
    logging.raiseExceptions = False  # a log that cannot be written must not stop the work, nor tell of it in clear


def kind_of(settings: Settings) -> str:
    """``json`` or ``text``: as set, else text for a terminal."""
    return settings.log or ("text" if sys.stderr.isatty() else "json")


def facts_of(record: logging.LogRecord, redactor: Redactor, formatter: logging.Formatter) -> dict[str, Any]:
    """What a line tells, in order, clean of secrets."""
    facts: dict[str, Any] = {
        "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": record.levelname.lower(),
        "log": record.name,
    }
    told: dict[str, Any] | None = getattr(record, "facts", None)
    if told is None:
        facts["message"] = redactor.clean(record.getMessage())
        if request := REQUEST.get():
            facts["request_id"] = redactor.clean(request)
        if job := JOB.get():
            facts["job"] = job
    else:
        facts |= told  # route templates, numbers, keys; what the caller chose is its id only
        facts["request_id"] = redactor.without_known(told["request_id"])
    if record.exc_info:
        facts["traceback"] = redactor.clean(formatter.formatException(record.exc_info))
    return facts


class Json(logging.Formatter):
    """One JSON object a line."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        return json.dumps(facts_of(record, self._redactor, self), ensure_ascii=False, default=str)


class Text(logging.Formatter):
    """A line for people; a traceback follows on lines of its own."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        facts = facts_of(record, self._redactor, self)
        at, level, log = (facts.pop(name) for name in ("at", "level", "log"))
        traceback = facts.pop("traceback", None)
        message = facts.pop("message", None)
        said = " ".join([*([message] if message else []), *(f"{name}={value}" for name, value in facts.items())])
        line = f"{at} {level.upper():<7} {log}: " + said.replace("\r", " ").replace("\n", " ")
        return f"{line}\n{traceback}" if traceback else line


def tell_request(
    method: str, route: str, status: int, seconds: float, size: int, principal: str, request_id: str, every: int = 1
) -> None:
    """The line of one request. ``every``: it stands for so many of its kind (answers from memory are sampled)."""
    if not access_log.isEnabledFor(logging.INFO):
        return
    facts: dict[str, Any] = {
        "method": method, "route": route, "status": status, "ms": round(seconds * 1000, 3), "bytes": size,
        "principal": principal, "request_id": request_id,
    }  # fmt: skip
    if every > 1:
        facts["one_of"] = every
    record = logging.LogRecord(ACCESS, logging.INFO, "", 0, "", None, None)
    record.created = time.time()
    record.facts = facts
    access_log.handle(record)
