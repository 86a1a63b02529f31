"""Sign in with a password, see who is signed in, change the password, sign out."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from apiflask.fields import String
from flask import Response
from marshmallow.validate import Length
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized

from api.access.principal import caller
from api.client_address import client_address
from api.pages import no_parameters
from api.sign_in import cookie, csrf
from api.sign_in.blueprint import HERE, Body, begin_session, bp, hand_over, private, session_of
from api.state import state
from data import people, sign_in_failures
from data import tables as t
from data.accounts import PASSWORD_CHARS, check_password, close_session, person_of
from gisgrid.access import NOBODY
from gisgrid.errors import BadInput, Refused, TooMany

_PASSWORD = Length(min=1, max=PASSWORD_CHARS[1])


class SignIn(Body):
    """Who signs in."""

    login = String(required=True, validate=Length(min=1, max=64), metadata={"description": "login"})
    password = String(required=True, validate=_PASSWORD, metadata={"description": "password"})


class NewPassword(Body):
    """A password in place of another."""

    old = String(required=True, validate=_PASSWORD, metadata={"description": "the password until now"})
    new = String(required=True, validate=Length(*PASSWORD_CHARS), metadata={"description": "the password from now on"})


@bp.post(HERE)
@no_parameters
@bp.input(SignIn, location="json")
def open_session(json_data: dict[str, Any]) -> Response:
    """Sign in with login and password; the answer's cookie is the session.

    After a few wrong passwords for a login, or from an address, further tries are refused for a while (429).
    """
    csrf.check_own_pages()
    user = _checked(json_data["login"], json_data["password"])
    with state().engine.begin() as connection:
        secret = begin_session(connection, user)
        who = person_of(connection, secret) or NOBODY
    return hand_over(private(session_of(who, secret, password=True), status=201), secret)


@bp.get(HERE)
@no_parameters
def read_session() -> Response:
    """Who asks, what they may do where, and the token a page sends with changes (``X-CSRF-Token``)."""
    secret = cookie.session_secret()
    if secret is None:
        return private(session_of(caller(), None))
    with state().engine.connect() as connection:
        who = person_of(connection, secret)
        if who is not None:
            user = int(who.key.partition(":")[2])
            has = sa.select(t.users.c.password_hash.is_not(None)).where(t.users.c.id == user)
            return private(session_of(who, secret, password=bool(connection.scalar(has))))
    response = private(session_of(NOBODY, None))  # it ended: the browser need not send it any more
    cookie.drop(response, cookie.SESSION)
    return response


@bp.delete(HERE)
@no_parameters
def close() -> Response:
    """Sign out; the session ends at once, wherever its cookie has got to."""
    if (secret := cookie.session_secret()) is not None:
        with state().engine.begin() as connection:
            close_session(connection, secret)
    response = Response(status=204)
    cookie.drop(response, cookie.SESSION)
    return response


@bp.put(f"{HERE}/password")
@no_parameters
@bp.input(NewPassword, location="json")
def change_password(json_data: dict[str, Any]) -> Response:
    """Change one's own password. All other sessions end; this one goes on under a new cookie and a new token."""
    who = caller()
    if who.kind == "nobody":
        raise _not_in("sign in first")
    if who.kind != "person":
        raise Refused("only people have passwords; a token is revoked and another made")
    user = int(who.key.partition(":")[2])
    with state().engine.connect() as connection:
        login = connection.scalar(sa.select(t.users.c.login).where(t.users.c.id == user)) or ""
    if _checked(login, json_data["old"], wrong="the old password is wrong") != user:
        raise Refused("the old password is wrong")
    if json_data["old"] == json_data["new"]:
        raise BadInput("the new password is the old one; choose another")
    with state().engine.begin() as connection:
        people.change(connection, user, password=json_data["new"])
        secret = begin_session(connection, user)
    return hand_over(private(session_of(who, secret, password=True)), secret)


def _checked(login: str, password: str, *, wrong: str = "") -> int:
    """Who has a login and password. Raises TooMany (429), Unauthorized (401), or Refused (403) where ``wrong`` says so.

    The answer and the time it takes are the same for logins that exist and those that do not.
    """
    engine = state().engine
    with engine.begin() as connection:
        tried = sign_in_failures.begin(connection, login, client_address())
    if tried.wait:
        told = f"too many wrong passwords; try again in {tried.wait} s"
        raise TooMany(told, code="too_many_tries", retry_after=tried.wait)
    with engine.begin() as connection:
        user = check_password(connection, login, password)
        if user is not None:
            sign_in_failures.right(connection, tried)
            return user
    if wrong:
        raise Refused(wrong, code="wrong_password")
    raise _not_in("login or password is wrong")


def _not_in(told: str) -> Unauthorized:
    return Unauthorized(told, www_authenticate=WWWAuthenticate("bearer"))
