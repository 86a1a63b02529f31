"""Conditional requests and how long answers may be kept (RFC 9110, 13; RFC 9111).

A view makes a tag from the revision of what it reads, asks `unchanged` before it does any work, and gives its answer
through `tagged`. What changes a feature asks `check_match` first. Tags of compressed bodies differ
(`api.compression`); views meet the plain ones only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, Final, NoReturn

from flask import Response, request
from werkzeug.exceptions import HTTPException, PreconditionFailed, PreconditionRequired
from werkzeug.http import quote_etag

from gisgrid import __version__

CURRENT: Final = "public, no-cache"
"""What is in force now: kept by anyone, asked about each time; the answer is mostly 304."""
PAST: Final = "public, max-age=86400"
"""What no longer changes: a generation that has ended. Kept for a day, as its look may still change."""
VERSIONED: Final = "public, max-age=31536000, immutable"
"""What has its revision in its address."""
PRIVATE: Final = "private, no-cache"
"""What only callers with a key see: drafts."""
NOT_KEPT: Final = "no-store"
"""What is made once and large: downloads with a key."""


def kept_for(seconds: int) -> str:
    """For pictures and tiles of what is in force: kept so long without asking, then asked about again."""
    return f"public, max-age={seconds}, must-revalidate" if seconds > 0 else CURRENT


def keeping(*, restricted: bool = False, ended: bool = False, seconds: int = 0) -> str:
    """The ``Cache-Control`` of an answer: ``restricted`` to callers with a key, of an ``ended`` generation, or in force
    now and to be kept ``seconds`` without asking.
    """
    if restricted:
        return PRIVATE
    return PAST if ended else kept_for(seconds)


def tag_of(*parts: object, weak: bool = False) -> str:
    """An entity tag, quoted as the header wants it, that differs whenever a part or this program's version does.

    ``weak``: for answers whose bytes may differ while they mean the same (a time of making, an order of keys).
    """
    text = "\x1f".join(map(str, (__version__, *parts)))
    return quote_etag(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest(), weak)


def request_tag(revision: str, *more: object, weak: bool = False) -> str:
    """The tag of this request's answer: from the revision of what is read, the whole address asked (host included, as
    answers hold links) and ``more`` that decides (media type, language, whether the caller has a key).
    """
    return tag_of(revision, request.url, *more, weak=weak)


def unchanged(tag: str, cache: str = CURRENT) -> Response | None:
    """304 where ``If-None-Match`` of a GET or HEAD names the tag or ``*`` (weak comparison), else None."""
    if request.method not in ("GET", "HEAD") or "If-None-Match" not in request.headers:
        return None
    if not request.if_none_match.contains_raw(tag) and not request.if_none_match.contains_weak(_opaque(tag)):
        return None
    return tagged(Response(status=304), tag, cache)


def tagged(response: Response, tag: str, cache: str = CURRENT) -> Response:
    """The response with its tag and how long it may be kept. Answers to callers with a key are never shared."""
    response.headers["ETag"] = tag
    response.headers["Cache-Control"] = cache
    if "Authorization" in request.headers and cache.startswith("public"):
        response.headers["Cache-Control"] = PRIVATE
    response.vary.add("Authorization")
    return response


def answered(tag: str, make: Callable[[], Response], cache: str = CURRENT) -> Response:
    """304, or what ``make`` makes, tagged."""
    return unchanged(tag, cache) or tagged(make(), tag, cache)


def check_match(tag: str | None, current: Callable[[], Any] | None = None, *, code: str = "") -> None:
    """Let a change through only when the caller has seen what is there now.

    ``tag``: the strong tag of the thing as it is now, None when it is not there. ``current``: makes its state, which
    the refusal carries as ``details.current`` beside the tag in its ``ETag``, so that nobody has to ask again.
    ``code``: the word of the error where a thing has its own. Raises PreconditionRequired (428) without ``If-Match``,
    PreconditionFailed (412) when it names other tags (strong comparison) or ``*`` for a thing that is not there, or
    when ``If-None-Match`` forbids the change. ``If-None-Match: *`` alone is enough to make a thing that is not there.
    """
    if "If-None-Match" in request.headers:
        if tag is not None and (request.if_none_match.star_tag or request.if_none_match.contains_weak(_opaque(tag))):
            refused = PreconditionFailed("it is there already; If-None-Match forbids to change it")
            refuse(refused, tag, current, code=code)
        if "If-Match" not in request.headers:
            return
    if "If-Match" not in request.headers:
        missing = PreconditionRequired(
            "send If-Match with the ETag of what you have read, so that no change of others is lost"
        )
        refuse(missing, tag, current)
    wanted = request.if_match
    found = tag is not None and (wanted.star_tag or (not tag.startswith("W/") and wanted.contains(_opaque(tag))))
    if not found:
        stale = PreconditionFailed("it has changed since you read it (If-Match does not name its ETag); read it again")
        refuse(stale, tag, current, code=code)


def refuse(error: HTTPException, tag: str | None, current: Callable[[], Any] | None, *, code: str = "") -> NoReturn:
    """Raise an error that tells how the thing is now: `api.errors` puts it into the answer."""
    error.tag = tag  # type: ignore[attr-defined]
    error.told = {} if current is None else {"current": current()}  # type: ignore[attr-defined]
    error.word = code  # type: ignore[attr-defined]
    raise error


def _opaque(tag: str) -> str:
    """The text between a tag's quotes."""
    return tag.removeprefix("W/").strip('"')
