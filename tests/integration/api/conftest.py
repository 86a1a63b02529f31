"""A planned district of a test file's own that reports may be sent to."""

from __future__ import annotations

import itertools
import xml.dom.minidom
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from api.app import create_app
from data import db, embedded
from gisgrid.settings import Settings

_numbers = itertools.count()


@dataclass(frozen=True)
class Inlet:
    """A database of its own holding the planned district, and the service on it."""

    settings: Settings
    engine: sa.Engine
    client: FlaskClient
    district: Any

    def with_keys(self, *keys: tuple[str, str]) -> FlaskClient:
        """The same service, with keys needed for sending."""
        return create_app(replace(self.settings, open311_keys=keys), self.engine).test_client()

    def scalar(self, statement: str, **values: Any) -> Any:
        with self.engine.connect() as connection:
            return connection.scalar(sa.text(statement), values)

    def stored(self) -> tuple[int, int, int]:
        """How many reports, updates and webhook deliveries there are."""
        counts = [
            self.scalar(f"SELECT count(*) FROM {name}") for name in ("reports", "report_updates", "webhook_deliveries")
        ]
        return counts[0], counts[1], counts[2]

    def grid(self, number: int = 0) -> tuple[str, float, float]:
        """Code of a grid in force and a point inside it."""
        query = """
            SELECT code, ST_X(p), ST_Y(p) FROM (
                SELECT code, ST_PointOnSurface(geometry) AS p FROM grids WHERE upper_inf(generations) AND level = 1
                ORDER BY code COLLATE "C" OFFSET :number LIMIT 1
            ) AS chosen
        """
        with self.engine.connect() as connection:
            return tuple(connection.execute(sa.text(query), {"number": number}).one())  # type: ignore[return-value]

    def component(self) -> str:
        return str(self.scalar("SELECT component_code FROM components ORDER BY id LIMIT 1"))


@pytest.fixture(scope="module")
def inlet(planned: Any, cluster: embedded.Cluster) -> Iterator[Inlet]:
    name = f"inlet_{next(_numbers)}"
    planned.engine.dispose()  # a template must have no connections
    with psycopg.connect(host=str(cluster.socket), user=embedded.ROLE, dbname="postgres", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE planned")  # type: ignore[arg-type]
        settings = Settings(
            home=planned.settings.home,
            database_url=cluster.url_of(name),
            anonymous=("analyst", "reporter", "dispatcher"),
        )
        with db.database(settings) as engine:
            yield Inlet(settings, engine, create_app(settings, engine).test_client(), planned.district)
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[arg-type]


Parsed = Callable[[bytes], Any]


def value_of(node: Any) -> Any:
    """Text, or (name, value) of every child element; None for an empty element."""
    children = [child for child in node.childNodes if child.nodeType == child.ELEMENT_NODE]
    if children:
        return [(child.tagName, value_of(child)) for child in children]
    return "".join(child.data for child in node.childNodes) or None


def same_as_json(value: Any, parsed: Any, singular: Callable[[str], str], name: str) -> bool:
    """Whether what an XML parser saw is what the JSON says: members by name, items under the singular."""
    if isinstance(value, dict):
        pairs = list(parsed or [])
        return [key for key, _ in pairs] == list(value) and all(
            same_as_json(value[key], inner, singular, key) for key, inner in pairs
        )
    if isinstance(value, list):
        items = list(parsed or [])
        return len(items) == len(value) and all(
            key == singular(name) and same_as_json(one, inner, singular, key)
            for one, (key, inner) in zip(value, items, strict=True)
        )
    if isinstance(value, bool):
        return bool(parsed == str(value).lower())
    if isinstance(value, float):
        return float(parsed) == value
    return bool(parsed == (None if value in (None, "") else str(value)))


@pytest.fixture(scope="session")
def fits_json() -> Callable[[bytes, str, Any], bool]:
    """Whether an XML document, read by a parser that is not ours, has that root and holds that JSON value."""
    names = {
        "request_updates": "request_update",
        "service_requests": "request",
        "service_request_updates": "request_update",
    }

    def fits(document: bytes, root: str, value: Any) -> bool:
        top = xml.dom.minidom.parseString(document).documentElement
        return top.tagName == root and same_as_json(
            value, value_of(top), lambda name: names.get(name, name.removesuffix("s")), root
        )

    return fits
