"""Who may use the short ways around Flask: told in microseconds, without asking the database."""

from __future__ import annotations

from collections.abc import Iterable

from api.access.credentials import Environ
from api.access.known import Known


def may_see(known: Known, environ: Environ, *, everywhere: bool = False) -> bool:
    """Whether the caller is known to be allowed to see. False: it may not, or the application has to find out."""
    found = known.quickly(environ)
    if found is None:
        return False
    return found.areas("see") == ("",) if everywhere else found.may("see")


def kept_private(known: Known, headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Headers as they are where everybody may see; else such that no shared cache keeps the answer."""
    if known.open_to_see:
        return list(headers)
    kept = []
    for name, value in headers:
        if name == "Cache-Control":
            value = "private, " + value.removeprefix("public, ").removesuffix(", immutable")
        elif name == "Vary":
            value = f"{value}, Authorization, Cookie"
        kept.append((name, value))
    return kept
