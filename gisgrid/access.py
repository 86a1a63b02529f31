"""Who may do what, and where: roles, what each permits, and the areas a role was given for.

A *principal* is whoever asks: somebody signed in, a system with a token, a key of the operator, or nobody in
particular. What it may do is the sum of its *grants*, each a role in an area and everything inside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from gisgrid.errors import BadInput

Permission = Literal["see", "report", "dispatch", "analyse", "plan", "edit", "publish", "history", "admin"]
PERMISSIONS: Final[dict[str, str]] = {
    "see": "read what is in force: maps, grids, components, facilities, owners of places",
    "report": "send reports and what is added to them",
    "dispatch": "work on reports: the queue, stages, another grid",
    "analyse": "start long computations and fetch their files",
    "plan": "make, see and edit draft plans",
    "edit": "change components, facilities and other stored features",
    "publish": "put plans in force and bring back earlier generations",
    "history": "read who changed what",
    "admin": "people, tokens and rights; publish against a failed check",
}
ROLES: Final[dict[str, frozenset[str]]] = {
    "viewer": frozenset({"see"}),
    "reporter": frozenset({"report"}),
    "dispatcher": frozenset({"see", "report", "dispatch"}),
    "analyst": frozenset({"see", "analyse"}),
    "planner": frozenset({"see", "analyse", "plan", "edit", "publish", "history"}),
    "admin": frozenset(PERMISSIONS),
}
"""What each role permits. ``reporter`` is for the apps of residents, which should be able to do nothing else."""
EVERYWHERE: Final = ""
"""The area of a grant that holds everywhere."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A role, in an area (6-, 9- or 12-digit code) and everything inside it, or `EVERYWHERE`."""

    role: str
    area: str = EVERYWHERE

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise BadInput(f"role {self.role!r} is not known; give one of {', '.join(ROLES)}")
        if self.area and not (self.area.isascii() and self.area.isdigit() and len(self.area) in (6, 9, 12)):
            raise BadInput(f"area {self.area!r} of role {self.role} is no area code; give 6, 9 or 12 digits")

    def permits(self, permission: str, place: str | None) -> bool:
        """Whether it permits something at a place: an area's or grid's code; None: anywhere at all."""
        return permission in ROLES[self.role] and (place is None or place.startswith(self.area))


@dataclass(frozen=True, slots=True)
class Principal:
    """Whoever asks."""

    kind: Literal["nobody", "machine", "person", "token", "key"]
    """``machine``: somebody at this very computer, where that is let in without signing in."""
    key: str
    """Names the principal in what is stored: ``user:3``, ``token:5``, ``key:desk``; empty for nobody."""
    name: str
    """What people know it by."""
    grants: tuple[Grant, ...] = ()

    def may(self, permission: str, place: str | None = None) -> bool:
        """Whether it may do something at a place (an area's or grid's code), or anywhere at all (None)."""
        return any(grant.permits(permission, place) for grant in self.grants)

    def areas(self, permission: str) -> tuple[str, ...]:
        """Codes of the areas where it may do something; ``("",)`` when that is everywhere, empty when nowhere."""
        found = {grant.area for grant in self.grants if permission in ROLES[grant.role]}
        if EVERYWHERE in found:
            return (EVERYWHERE,)
        return tuple(sorted(area for area in found if not any(area != up and area.startswith(up) for up in found)))

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles it has anywhere, in the order of `ROLES`."""
        had = {grant.role for grant in self.grants}
        return tuple(role for role in ROLES if role in had)


NOBODY: Final = Principal("nobody", "", "")


def read_grant(text: str) -> Grant:
    """``ROLE`` or ``ROLE:AREA``, as commands and settings give them. Raises BadInput."""
    role, _, area = text.strip().partition(":")
    return Grant(role.strip(), area.strip())
