"""A load generator for HTTP: one process, many keep-alive connections, one request in flight on each.

    python benchmarks/_load.py PORT REQUESTS CONNECTIONS SECONDS

REQUESTS is a file with one request path a line. Prints one JSON object: requests answered, seconds, errors (answers
that are not 200, connections lost) and latencies in milliseconds. Used where `wrk` is not installed: it costs some
three times wrk's processor time, which a machine of two processors feels.
"""

from __future__ import annotations

import json
import select
import socket
import sys
import time
from pathlib import Path

import numpy as np

WARM_SECONDS = 1.0


class Connection:
    """One keep-alive connection: what is still to come of the answer under way, and when it was asked."""

    __slots__ = ("asked", "buffer", "socket", "wanted")

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.buffer, self.wanted, self.asked = b"", 0, 0.0


def length_of(head: bytes) -> int:
    """Bytes of a whole answer, from its head (without the empty line that ends it)."""
    lower = head.lower()
    at = lower.index(b"content-length:") + 15
    end = lower.find(b"\r\n", at)
    return len(head) + 4 + int(lower[at : end if end > 0 else None])


def run(port: int, requests: list[bytes], connections: int, seconds: float) -> dict[str, float]:
    """Keep every connection asking until the time is over."""
    poll = select.epoll()
    open_ones = {}
    turn = 0
    for _ in range(connections):
        one = Connection(port)
        open_ones[one.socket.fileno()] = one
        poll.register(one.socket, select.EPOLLIN)
    clock = time.perf_counter
    start = clock() + WARM_SECONDS
    end = start + seconds
    took: list[float] = []
    errors = 0
    for one in open_ones.values():
        one.asked = clock()
        one.socket.send(requests[turn := (turn + 1) % len(requests)])
    while (now := clock()) < end and open_ones:
        for descriptor, _ in poll.poll(0.1):
            one = open_ones[descriptor]
            data = one.socket.recv(65536)
            if not data:
                errors += 1
                del open_ones[descriptor]
                continue
            one.buffer += data
            if not one.wanted:
                if (head := one.buffer.find(b"\r\n\r\n")) < 0:
                    continue
                one.wanted = length_of(one.buffer[:head])
            if len(one.buffer) < one.wanted:
                continue
            now = clock()
            if now >= start:
                took.append(now - one.asked)
                errors += one.buffer[9:12] != b"200"
            one.buffer, one.wanted, one.asked = b"", 0, now
            one.socket.send(requests[turn := (turn + 1) % len(requests)])
    at = np.percentile(took, [50, 99]) * 1e3 if took else [np.nan, np.nan]
    return {"requests": len(took), "seconds": seconds, "errors": errors, "p50": float(at[0]), "p99": float(at[1])}


def main() -> None:
    port, file, connections, seconds = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
    paths = Path(file).read_text().split()
    requests = [f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode() for path in paths]
    print(json.dumps(run(port, requests, connections, seconds)))


if __name__ == "__main__":
    main()
