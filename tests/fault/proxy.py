"""Between the service and PostgreSQL: passes on, drops, or swallows everything without a word."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from pathlib import Path
from typing import Any


class Proxy:
    """A TCP port that leads to a Unix socket. ``mode``: pass, drop, swallow."""

    def __init__(self, socket_file: Path) -> None:
        self._target = str(socket_file)
        self.mode = "pass"
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._closing = False
        threading.Thread(target=self._listen, daemon=True).start()

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *_: Any) -> None:
        self._closing = True
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """End all connections of now."""
        pairs, self._pairs = self._pairs, []
        for one in (end for pair in pairs for end in pair):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _listen(self) -> None:
        while not self._closing:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.mode == "drop":
                client.close()
                continue
            server = socket.socket(socket.AF_UNIX)
            try:
                server.connect(self._target)
            except OSError:
                client.close()
                continue
            self._pairs.append((client, server))
            threading.Thread(target=self._pump, args=(client, server), daemon=True).start()

    def _pump(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), selectors.DefaultSelector() as both:
            both.register(client, selectors.EVENT_READ, server)
            both.register(server, selectors.EVENT_READ, client)
            while not self._closing:
                for key, _ in both.select(0.5):
                    read = key.fileobj.recv(65_536)  # type: ignore[union-attr]
                    if not read:
                        client.close()
                        server.close()
                        return
                    if self.mode != "swallow":
                        key.data.sendall(read)
