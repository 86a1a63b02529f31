"""What administrators of a part of the city may see and give; roles as they are sent and told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from apiflask.fields import String
from marshmallow import RAISE, Schema

from gisgrid.access import Grant, Principal
from gisgrid.errors import BadInput, NotFound, Refused


class GrantBody(Schema):
    """A role, in an area."""

    class Meta:
        unknown = RAISE

    role = String(required=True, metadata={"description": "viewer, reporter, dispatcher, analyst, planner or admin"})
    area = String(load_default="", metadata={"description": "code of an area (6, 9 or 12 digits); empty: everywhere"})


def grants_in(sent: Iterable[dict[str, str]]) -> tuple[Grant, ...]:
    """Roles that were sent. Raises BadInput."""
    return tuple(Grant(one["role"], one["area"]) for one in sent)


def check_givable(who: Principal, grants: Iterable[Grant]) -> None:
    """Raise Refused for a role that is not the caller's to give: an administrator's word holds in their own areas."""
    for one in grants:
        if not who.may("admin", one.area):
            where = f"in {one.area}" if one.area else "everywhere"
            told = f"{who.name or 'you'} may not give or take the role {one.role} {where}; ask an administrator of it"
            raise Refused(told)


def inside(who: Principal, grants: Iterable[Grant]) -> tuple[Grant, ...]:
    """Those of the roles that lie in the caller's areas."""
    return tuple(one for one in grants if who.may("admin", one.area))


def is_seen(who: Principal, grants: tuple[Grant, ...]) -> bool:
    """Whether the caller may know of the holder of these roles: some lie in their areas, or there are none."""
    return not grants or bool(inside(who, grants))


def is_managed(who: Principal, grants: tuple[Grant, ...]) -> bool:
    """Whether the caller may do everything with the holder of these roles: all lie in their areas.

    Else whoever administers one street could change the password of somebody with rights in the next, and use them.
    """
    return len(inside(who, grants)) == len(grants)


def check_managed(who: Principal, row: dict[str, Any], what: str) -> None:
    """Raise NotFound for whom the caller may not know of, Refused for whom they may not change."""
    check_seen(who, row, what)
    if not is_managed(who, row["grants"]):
        raise Refused(f"{what} {row['id']} has rights beyond your areas; ask an administrator of them")


def check_seen(who: Principal, row: dict[str, Any], what: str) -> None:
    """Raise NotFound for the holder of roles the caller may not know of."""
    if not is_seen(who, row["grants"]):
        raise NotFound(f"{what} {row['id']} does not exist")


def number_of(text: str, what: str) -> int:
    """The number in an address. Raises NotFound for anything else."""
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise NotFound(f"there is no {what} {text[:20]!r}; a {what} has a number")
    return int(text)


def told_time(value: dt.datetime | None) -> str | None:
    """A time in UTC, as answers have it."""
    return None if value is None else value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


def sent_something(body: dict[str, Any]) -> None:
    """Raise BadInput for a change that changes nothing."""
    if not body:
        raise BadInput("nothing is to be changed; send at least one member")
