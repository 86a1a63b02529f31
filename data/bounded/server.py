"""``python -m data.bounded.server FD``: forks a child for every order; started by `data.bounded.calling` only.

A process with many threads cannot be copied safely. This one has a single thread and has loaded the readers, so that a
child is there in milliseconds. It ends with the process that started it.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from typing import Any

from gisgrid.limits import READ_ORDER_BYTES_MAX


def main() -> None:
    """Serve orders until the other end is closed."""
    blocked: dict[str, Any] = dict.fromkeys(("geopandas", "pandas"))
    sys.modules.update(blocked)  # the readers would load them, and use nothing of them here
    from data.bounded import tasks  # noqa: F401 - once, for all children
    from data.bounded.child import answer_to

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children are reaped by the kernel
    with socket.socket(fileno=int(sys.argv[1])) as control:
        while True:
            order, channels, _, _ = socket.recv_fds(control, READ_ORDER_BYTES_MAX, 1)
            if not order:
                return
            with socket.socket(fileno=channels[0]) as channel:
                if os.fork() == 0:
                    control.close()
                    answer_to(json.loads(order), channel)


if __name__ == "__main__":
    main()
