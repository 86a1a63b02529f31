"""The process of one job: ``python -m api.job_process``, started by `api.running` and by nobody else.

Numeric work may hold the interpreter for minutes, need a machine's whole memory, or crash: in a process of its own it
stops nobody's heartbeat, can be ended at any time, and gives everything back. It is told what to do by one line of
JSON on stdin and tells how it gets on by lines of JSON on stdout. It knows nothing of the database's jobs.
"""

from __future__ import annotations

import importlib
import json
import logging
import math
import os
import resource
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from api import logs
from api.processes import end_with
from gisgrid.actors import Actor, set_at_work
from gisgrid.errors import BadInput, Broken, GisgridError
from gisgrid.jobs import Cancelled, JobFiles, JobWork
from gisgrid.limits import JOB_MEMORY_BYTES_MAX, JOB_NOTE_CHARS_MAX, JOB_OUTPUT_BYTES_MAX, JOB_RESULT_BYTES_MAX
from gisgrid.settings import Settings
from gisgrid.tracing import JOB, REQUEST

TOLD_SECONDS = 0.1
"""Progress is passed on no more often than this."""
log = logging.getLogger("gisgrid.job")


def main() -> None:
    """Do the job and end."""
    channel = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what the work prints goes to the log, not between our lines
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the worker, which then ends us
    order = json.loads(sys.stdin.buffer.readline())
    end_with(order["parent"], signal.SIGKILL)
    os.nice(order["nice"])
    resource.setrlimit(resource.RLIMIT_DATA, (JOB_MEMORY_BYTES_MAX, JOB_MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_FSIZE, (JOB_OUTPUT_BYTES_MAX, JOB_OUTPUT_BYTES_MAX))
    logs.configure(Settings.from_env())
    JOB.set(order["job"])
    REQUEST.set(order["request"])
    set_at_work(Actor(order.get("owner") or "worker", "", "", f"job {order['job']} {order['kind']}"))
    stop = threading.Event()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, stop), daemon=True).start()
    _tell(channel, perform(order, Teller(channel, stop)))
    os._exit(0)  # whatever threads the work left behind


def perform(order: dict[str, Any], progress: Teller) -> dict[str, Any]:
    """Run the work; ``{"result": …}``, ``{"error": …}`` in the one shape, ``{"cancelled": true}``, or ``{"lost": why}``
    when the database went away and the work is to be done again."""
    files = JobFiles(Path(order["input"]) if order["input"] else None, Path(order["folder"]), order["job"])
    try:
        result = find_work(order["registry"], order["kind"])(order["params"], files, progress)
        return {"result": _checked(result)}
    except Cancelled:
        return {"cancelled": True}
    except GisgridError as error:
        return _ended(error, {"error": _shape(error)})
    except MemoryError:
        return {"error": _shape(Broken("out of memory; give a smaller area or file"))}
    except OSError as error:
        log.exception("job %s of kind %s", order["job"], order["kind"])
        return _ended(error, {"error": _shape(Broken(f"input/output: {error.strerror or error}"))})
    except Exception as error:
        log.exception("job %s of kind %s", order["job"], order["kind"])
        message = "the work failed; the worker's log has the reason"
        return _ended(error, {"error": {"status": 500, "code": "internal_error", "message": message, "details": {}}})


def _ended(error: Exception, told: dict[str, Any]) -> dict[str, Any]:
    """What ended the work, if it was no fault of its own: a full disk, a database that went away; else ``told``."""
    from api.outage import outage  # brings the database's library, which not all work needs

    if isinstance(error, GisgridError) and error.__cause__ is None:
        return told
    away = outage(error)
    if away is None:
        return told
    return {"lost": away.message} if away.code == "database_down" else {"error": _shape(away)}


def find_work(registry: str, kind: str) -> JobWork:
    """The function of a kind in a registry ``module:NAME``. Raises BadInput when there is none."""
    module, name = registry.split(":")
    known: dict[str, JobWork] = getattr(importlib.import_module(module), name)
    if kind not in known:
        raise BadInput(f"this worker knows no work of kind {kind!r}; is it as new as the service?", known=sorted(known))
    return known[kind]


class Teller:
    """The `Progress` of a job: passes on how far it is, and raises Cancelled once it is to stop."""

    def __init__(self, channel: BinaryIO, stop: threading.Event) -> None:
        self._channel = channel
        self._stop = stop
        self._told = 0.0

    def __call__(self, share: float, note: str) -> None:
        """Tell the share done (0 to 1) and what is being done. Raises Cancelled."""
        if self._stop.is_set():
            raise Cancelled
        now = time.monotonic()
        if now - self._told < TOLD_SECONDS:
            return
        self._told = now
        sound = min(max(float(share), 0.0), 1.0) if math.isfinite(share) else 0.0
        _tell(self._channel, {"share": sound, "note": str(note)[:JOB_NOTE_CHARS_MAX]})


def _checked(result: dict[str, Any]) -> dict[str, Any]:
    """Result facts that can be kept. Raises Broken when they are too long."""
    size = len(_json(result))
    if size > JOB_RESULT_BYTES_MAX:
        raise Broken(
            f"the result facts are {size:,} bytes, over {JOB_RESULT_BYTES_MAX:,}; they belong in the output file"
        )
    return dict(result)


def _shape(error: GisgridError) -> dict[str, Any]:
    from api.errors import status_of  # brings the web framework, which work that does well need not wait for

    return {"status": status_of(error), "code": error.code, "message": error.message, "details": error.details}


def _json(value: dict[str, Any]) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS)


def _tell(channel: BinaryIO, message: dict[str, Any]) -> None:
    channel.write(_json(message) + b"\n")


def _listen(orders: BinaryIO, stop: threading.Event) -> None:
    """A line asks to stop; the end of the stream means that the worker is gone."""
    while orders.readline():
        stop.set()
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
