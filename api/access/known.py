"""Whose credentials they are, remembered for two seconds: requests by the thousand ask the database twice a second."""

from __future__ import annotations

import hmac
import threading
import time
from typing import Final

import sqlalchemy as sa

from api.access.credentials import Environ, Given, author, credentials, from_here
from data.accounts import hash_of, person_of, system_of
from gisgrid.access import ROLES, Grant, Principal
from gisgrid.settings import Settings

KEPT_SECONDS: Final = 2.0
"""How long somebody who signed out or lost a right elsewhere may go on in this process."""
KEPT: Final = 4096
EDITOR_ROLES: Final = ("planner", "dispatcher", "analyst")
"""Roles of keys in ``GISGRID_EDITOR_KEYS``."""
SENDER_ROLES: Final = ("reporter", "viewer")
"""Roles of keys in ``GISGRID_OPEN311_KEYS``: whoever sends reports also fetches what became of them."""
Keys = tuple[tuple[str, str], ...]
_Kept = tuple[str, bytes]


class Known:
    """Principals of one service, found and remembered; shared by its threads."""

    def __init__(self, settings: Settings, engine: sa.Engine) -> None:
        self._settings, self._engine = settings, engine
        self._guard = threading.Lock()
        self._kept: dict[_Kept, tuple[float, Principal]] = {}
        roles = settings.anonymous
        if settings.open311_keys:  # where keys were given out, they are asked for
            roles = tuple(role for role in roles if "report" not in ROLES[role])
        self.nobody = Principal("nobody", "", "", tuple(Grant(role) for role in roles))
        self.open_to_see = self.nobody.may("see")
        """Whether everybody may read what is in force, credentials or not."""

    def find(self, environ: Environ, given: Given) -> Principal | None:
        """Whose credentials they are; nobody's, or this machine's, without any. None: unknown ones, or ended."""
        if given.none:
            if self._settings.open_editing and from_here(environ):
                return Principal("machine", "machine", author(environ), (Grant("admin"),))
            return self.nobody
        if given.unreadable:
            return None
        kind, secret = ("cookie", given.cookie) if given.cookie is not None else ("key", given.key or "")
        if kind == "key" and (found := self._of_environment(secret or "")) is not None:
            return found
        return self._remembered(kind, secret or "") or self._looked_up(kind, secret or "")

    def quickly(self, environ: Environ) -> Principal | None:
        """The same without ever asking the database: None where that would be needed too."""
        if "HTTP_COOKIE" not in environ and "HTTP_AUTHORIZATION" not in environ:
            return self.nobody if self.open_to_see else self.find(environ, Given())
        given = credentials(environ)
        if given.none or given.unreadable:
            return self.find(environ, given)
        if given.cookie is not None:
            return self._remembered("cookie", given.cookie)
        return self._of_environment(given.key or "") or self._remembered("key", given.key or "")

    def forget(self) -> None:
        """Look everybody up anew: rights have changed."""
        with self._guard:
            self._kept.clear()

    def _of_environment(self, secret: str) -> Principal | None:
        if (name := owner(self._settings.editor_keys, secret)) is not None:
            return Principal("key", f"key:{name or 'editor'}", name, tuple(Grant(role) for role in EDITOR_ROLES))
        if (name := owner(self._settings.open311_keys, secret)) is not None:
            return Principal("key", f"key:{name or 'open311'}", name, tuple(Grant(role) for role in SENDER_ROLES))
        return None

    def _remembered(self, kind: str, secret: str) -> Principal | None:
        found = self._kept.get((kind, hash_of(secret)))
        return found[1] if found is not None and found[0] > time.monotonic() else None

    def _looked_up(self, kind: str, secret: str) -> Principal | None:
        asked = time.monotonic()
        with self._engine.connect() as connection:
            found = person_of(connection, secret) if kind == "cookie" else system_of(connection, secret)
        with self._guard:
            if found is None:
                self._kept.pop((kind, hash_of(secret)), None)
                return None
            while len(self._kept) >= KEPT:
                self._kept.pop(next(iter(self._kept)))
            self._kept[kind, hash_of(secret)] = (asked + KEPT_SECONDS, found)
        return found


def owner(keys: Keys, key: str) -> str | None:
    """The name a key has, None for an unknown one. Every key is compared to its end: the time taken tells nothing."""
    given = key.encode("utf-8", "replace")
    names = [name for name, known in keys if hmac.compare_digest(known.encode(), given)]
    return names[0] if names else None
