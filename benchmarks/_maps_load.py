"""A closed-loop HTTP client for large answers: one process, keep-alive connections, one request in flight on each.

    python benchmarks/_maps_load.py PORT REQUESTS CONNECTIONS SECONDS [--once]

REQUESTS is a file with one request path a line; ``--once`` asks each of them once and no more (what must be cold),
otherwise they come around; both end when the time is over. Prints one JSON object: requests answered, seconds, errors
(answers that are neither 200 nor 204, connections lost), bytes received and latencies in milliseconds. Unlike
`_load.py` it reads answers in chunks, and does not put together what it need not look at.
"""

from __future__ import annotations

import json
import select
import socket
import sys
import time
from pathlib import Path

import numpy as np

LAST_CHUNK = b"0\r\n\r\n"
PATIENCE = 120.0
"""Seconds a single answer may take."""


class Connection:
    """One keep-alive connection and the answer under way on it."""

    __slots__ = ("asked", "got", "head", "socket", "status", "tail", "wanted")

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.asked = 0.0
        self.begin()

    def begin(self) -> None:
        self.head, self.tail, self.got, self.wanted, self.status = b"", b"", 0, -1, 0

    def ask(self, request: bytes) -> None:
        self.begin()
        self.asked = time.perf_counter()
        self.socket.sendall(request)

    def take(self, data: bytes) -> bool:
        """Whether the answer is whole with these bytes. ``wanted``: −1 head not whole yet, −2 chunked."""
        self.got += len(data)
        if self.wanted == -1:
            self.head += data
            end = self.head.find(b"\r\n\r\n")
            if end < 0:
                return False
            self.status = int(self.head[9:12])
            self.wanted = length_of(self.head[:end].lower(), end + 4)
        if self.wanted == -2:
            self.tail = (self.tail + data[-5:])[-5:]
            return self.tail == LAST_CHUNK
        return self.got >= self.wanted


def length_of(head: bytes, size: int) -> int:
    """Bytes of a whole answer from its head (lower case) and that head's size; −2 when it comes in chunks."""
    if b"transfer-encoding: chunked" in head:
        return -2
    at = head.find(b"content-length:")
    return size if at < 0 else size + int(head[at + 15 :].split(b"\r\n", 1)[0])


def run(port: int, requests: list[bytes], connections: int, seconds: float, once: bool) -> dict[str, float]:
    """Keep every connection asking until the time is over or, with ``once``, everything was asked."""
    left = iter(requests) if once else (requests[k % len(requests)] for k in range(10**12))
    poll = select.epoll()
    busy: dict[int, Connection] = {}
    for request in (next(left, None) for _ in range(connections)):
        if request is not None:
            one = Connection(port)
            busy[one.socket.fileno()] = one
            poll.register(one.socket, select.EPOLLIN)
            one.ask(request)
    start = time.perf_counter()
    took: list[float] = []
    errors = received = 0
    while busy:
        events = poll.poll(PATIENCE)
        if not events:
            errors += len(busy)
            break
        for descriptor, _ in events:
            one = busy[descriptor]
            data = one.socket.recv(1 << 18)
            if data and not one.take(data):
                continue
            now = time.perf_counter()
            if data:
                took.append(now - one.asked)
                received += one.got
            errors += one.status not in (200, 204)
            request = next(left, None) if data and now - start < seconds else None
            if request is None:
                poll.unregister(one.socket)
                busy.pop(descriptor).socket.close()
            else:
                one.ask(request)
    at = np.percentile(took, [50, 99]) * 1e3 if took else [np.nan, np.nan]
    return {
        "requests": len(took), "seconds": time.perf_counter() - start, "errors": errors, "bytes": received,
        "p50": float(at[0]), "p99": float(at[1]),
    }  # fmt: skip


def main() -> None:
    port, file, connections, seconds = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
    head = f"HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: */*\r\n\r\n"
    requests = [f"GET {path} {head}".encode() for path in Path(file).read_text().split()]
    print(json.dumps(run(port, requests, connections, seconds, "--once" in sys.argv)))


if __name__ == "__main__":
    main()
