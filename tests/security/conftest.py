"""Passwords are hashed at the least cost here, but where their time is what is looked at (`slow_passwords`)."""

from __future__ import annotations

import argon2
import pytest

from data import accounts


@pytest.fixture
def slow_passwords() -> None:
    """Passwords cost what they cost in earnest."""


@pytest.fixture(autouse=True)
def quick_passwords(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """argon2id all the same, with a thousandth of the memory."""
    if "slow_passwords" in request.fixturenames:
        return
    quick = argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    monkeypatch.setattr(accounts, "_HASHER", quick)
    monkeypatch.setattr(accounts, "_NO_ONE", quick.hash("nobody has this password"))
