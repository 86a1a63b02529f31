"""Wrong passwords, counted for the login and for the address they came from: whoever guesses has to wait.

All processes share the count through the database, and its clock. A try is written down before the password is looked
at and struck out when it was right, so that many tries at once are no way around. What is kept is a hash: neither the
login nor the address. A login that does not exist is counted as one that does.
"""

from __future__ import annotations

import hashlib
import ipaddress
import math
from dataclasses import dataclass

import sqlalchemy as sa

from data import tables as t
from gisgrid.limits import SIGN_IN_FREE, SIGN_IN_FREE_ADDRESS, SIGN_IN_REMEMBERED, SIGN_IN_WAIT_MAX

f = t.sign_in_failures.c


@dataclass(frozen=True, slots=True)
class Try:
    """One try to sign in: refused for so many seconds, or let on to the password."""

    wait: int = 0
    rows: tuple[int, ...] = ()
    login: bytes = b""


def wait_after(failures: int, free: int) -> float:
    """Seconds to wait after the last of so many wrong passwords: one, then twice as long each time."""
    return 0.0 if failures < free else min(2.0 ** min(failures - free, 30), SIGN_IN_WAIT_MAX)


def begin(connection: sa.Connection, login: str, address: str) -> Try:
    """Write down that somebody tries to sign in, unless they have to wait. The caller commits before going on."""
    about = {
        _hash("login", login.strip().lower()): SIGN_IN_FREE, _hash("address", network_of(address)): SIGN_IN_FREE_ADDRESS
    }  # fmt: skip
    for key in sorted(about):  # in one order, or two tries could wait for each other
        number = int.from_bytes(key[:8], "big", signed=True)
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(number)))
    remembered = sa.func.clock_timestamp() - sa.func.make_interval(0, 0, 0, 0, 0, 0, SIGN_IN_REMEMBERED)
    connection.execute(sa.delete(t.sign_in_failures).where(f.at < remembered))
    since = sa.extract("epoch", sa.func.clock_timestamp() - sa.func.max(f.at))
    query = sa.select(f.about, sa.func.count(), since).where(f.about.in_(list(about))).group_by(f.about)
    waits = [
        wait_after(count, about[bytes(key)]) - max(float(seconds), 0.0)
        for key, count, seconds in connection.execute(query)
    ]
    if (wait := max(waits, default=0.0)) > 0:
        return Try(wait=math.ceil(wait))
    values = [{"about": key, "at": sa.func.clock_timestamp()} for key in about]
    made = connection.scalars(sa.insert(t.sign_in_failures).values(values).returning(f.id))
    return Try(rows=tuple(made), login=_hash("login", login.strip().lower()))


def right(connection: sa.Connection, one: Try) -> None:
    """The password was right: this try and earlier ones for the login are struck out.

    Earlier ones from the address stay: somebody with an account of their own could go on guessing others' otherwise.
    """
    connection.execute(sa.delete(t.sign_in_failures).where(sa.or_(f.id.in_(one.rows), f.about == one.login)))


def network_of(address: str) -> str:
    """What one person holds of the network: an IPv4 address, or an IPv6 network of 64 bits."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(known, ipaddress.IPv6Address):
        if known.ipv4_mapped:
            return str(known.ipv4_mapped)
        return str(ipaddress.ip_network((known, 64), strict=False))
    return str(known)


def _hash(kind: str, text: str) -> bytes:
    return hashlib.sha256(f"{kind}:{text}".encode("utf-8", "surrogatepass")).digest()
