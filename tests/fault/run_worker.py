"""``python -m tests.fault.run_worker HOME URL CONCURRENCY``: a worker that knows `tests.fault.kinds` and notices soon."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import sqlalchemy as sa

from api.worker import Beat, work
from gisgrid.settings import Settings

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s.%(msecs)03d %(name)s %(message)s")
    logging.getLogger("procrastinate").setLevel(logging.CRITICAL)
    home, url, concurrency = sys.argv[1:]
    work(
        Settings(home=Path(home), database_url=url, webhook_waits=(0.05,) * 99),
        sa.make_url(url),
        concurrency=int(concurrency),
        registry="tests.fault.kinds:WORK",
        beat=Beat(heartbeat=0.3, silent=1.5, look=0.3, again=0.2),
        ready=lambda: print("ready", flush=True),
    )
