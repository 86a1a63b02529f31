"""Orders and answers on the socket between a worker and the drawers: a length, then a pickle.

A pickle can run code, so both ends make sure that the other belongs to the same account; the socket lies in a folder
only that account may enter.
"""

from __future__ import annotations

import os
import pickle
import socket
import struct
import sys
import traceback
from typing import Any, Final

from api.outage import outage
from gisgrid.errors import GisgridError

STARTED: Final = b"\x01"
"""A drawer's first byte: it has taken the order up."""
_LENGTH = struct.Struct(">Q")


class Gone(Exception):
    """The other end closed, or broke off."""


def check_peer(channel: socket.socket) -> None:
    """Refuse another account. Raises Gone."""
    if sys.platform != "linux":
        return  # the folder's permissions must do
    _, user, _ = struct.unpack("3i", channel.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    if user != os.geteuid():
        raise Gone(f"account {user} is not ours")


def send(channel: socket.socket, value: Any) -> None:
    """Raises OSError when the other end is gone."""
    content = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    channel.sendall(_LENGTH.pack(len(content)) + content)


def receive(channel: socket.socket, most: int) -> Any:
    """What was sent, up to ``most`` bytes. Raises Gone, and OSError (TimeoutError) from the socket."""
    (length,) = _LENGTH.unpack(_read(channel, _LENGTH.size))
    if length > most:
        raise Gone(f"{length} bytes are more than {most}")
    return pickle.loads(_read(channel, length))


def _read(channel: socket.socket, length: int) -> bytes:
    content = bytearray(length)
    view, at = memoryview(content), 0
    while at < length:
        count = channel.recv_into(view[at:])
        if count == 0:
            raise Gone("the other end closed")
        at += count
    return bytes(content)


def fault(error: Exception) -> GisgridError | str:
    """An error as it travels: ours as they are, of others what they said."""
    if isinstance(error, GisgridError):
        return error
    return outage(error) or "".join(traceback.format_exception(error))
