"""A small sample district, imported, planned, published and with circles; made once, cloned for tests that write."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from api.app import create_app
from data import db, embedded
from data.intake import clean_layers, store_layers
from data.sample import SampleDistrict, make_sample
from gisgrid.models import Band
from gisgrid.settings import Settings
from planning import workflow

_copies = itertools.count()
BAND = Band(300, 500)


@dataclass(frozen=True)
class Planned:
    """A database holding a planned district."""

    settings: Settings
    engine: sa.Engine
    district: SampleDistrict
    area: str
    plan: int


@pytest.fixture(scope="session")
def small_district() -> SampleDistrict:
    return make_sample("mingfeng", seed=1)


def _admin(cluster: embedded.Cluster, statement: str) -> None:
    with psycopg.connect(host=str(cluster.socket), user=embedded.ROLE, dbname="postgres", autocommit=True) as admin:
        admin.execute(statement)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def planned(cluster: embedded.Cluster, session_home: Path, small_district: SampleDistrict) -> Iterator[Planned]:
    """Read only, please: shared by the whole session."""
    _admin(cluster, f"CREATE DATABASE planned TEMPLATE {embedded.DATABASE}")
    settings = Settings(home=session_home, database_url=cluster.url_of("planned"))
    with db.database(settings) as engine:
        store_layers(engine, *clean_layers(small_district.layers), source="sample")
        area = str(small_district.layers["areas"]["code"].min())
        workflow.units_for_area(engine, area)
        plan, _, _ = workflow.plan_for_area(engine, area, band=BAND)
        workflow.publish(engine, plan)
        workflow.circles_in_force(engine, settings)
        yield Planned(settings, engine, small_district, area, plan)


@pytest.fixture
def planned_copy(planned: Planned, cluster: embedded.Cluster) -> Iterator[Planned]:
    """A database of one's own with the same content."""
    name = f"planned_{next(_copies)}"
    planned.engine.dispose()  # a template must have no connections
    _admin(cluster, f"CREATE DATABASE {name} TEMPLATE planned")
    settings = Settings(home=planned.settings.home, database_url=cluster.url_of(name))
    with db.database(settings) as engine:
        yield Planned(settings, engine, planned.district, planned.area, planned.plan)
    _admin(cluster, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def client(planned: Planned) -> FlaskClient:
    """The HTTP service on the shared district."""
    return create_app(planned.settings, planned.engine).test_client()
