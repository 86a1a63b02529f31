"""Plans painted, split, merged, locked, undone, published and rolled back, against a model that is only dicts.

A few seconds of it here; ``make campaign-machine`` takes thousands of steps (``GISGRID_MACHINE=EXAMPLES:STEPS``).
"""

from __future__ import annotations

import itertools
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from api import current
from api.app import create_app
from data import db, embedded
from gisgrid.settings import Settings
from planning.edits import inverse, operation_json
from tests.conftest import _admin
from tests.desks import Json, moves, stored
from tests.small_city import AREA, COMMUNITIES, UNITS, build, centre, home, in_one_piece

pytestmark = pytest.mark.postgis
EXAMPLES, STEPS = (int(one) for one in os.environ.get("GISGRID_MACHINE", "3:30").split(":"))
LONG: Final = "GISGRID_MACHINE" in os.environ
PLANS: Final = "/api/v1/plans"
DRAFTS: Final = 3
Owners = dict[int, str | None]
UNIT_SETS = st.sets(st.integers(0, UNITS - 1), min_size=1, max_size=8)
PICK = st.integers(0, 2**16)


@dataclass
class Draft:
    """What the model knows of a draft: whose each unit is, which grids are locked, the way back."""

    owner: Owners
    locked: set[str] = field(default_factory=set)
    past: list[tuple[Owners, list[Json]]] = field(default_factory=list)
    version: int = 1
    seen: list[tuple[int, Owners]] = field(default_factory=list)

    @property
    def grids(self) -> list[str]:
        return sorted({code for code in self.owner.values() if code})

    def units(self, code: str | None) -> set[int]:
        return {unit for unit, owner in self.owner.items() if owner == code}


def sound(owner: Owners) -> bool:
    """Whether grids may be published: every unit in one, every grid in one piece."""
    codes = set(owner.values())
    return None not in codes and all(in_one_piece({u for u, o in owner.items() if o == code}) for code in codes)


def code_of(told: Json) -> str | None:
    """The owner an answer to a locate names."""
    return told["owner"]["code"] if told["owner"] else None


@dataclass
class City:
    """The made city in a database that each example copies."""

    cluster: embedded.Cluster
    home: Path
    told: Counter[str]
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def copy(self) -> tuple[Settings, sa.Engine]:
        name = f"machine_{next(self.numbers)}"
        _admin(self.cluster, f"CREATE DATABASE {name} TEMPLATE small_city")
        held = Settings(home=self.home, database_url=self.cluster.url_of(name), open_editing=True)
        return held, db.make_engine(str(held.database_url))

    def drop(self, engine: sa.Engine) -> None:
        engine.dispose()
        _admin(self.cluster, f"DROP DATABASE {engine.url.database} WITH (FORCE)")


@pytest.fixture
def city(cluster: embedded.Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[City]:
    monkeypatch.setattr(current, "CHECK_SECONDS", 0.0)  # every answer is of what is in force this very moment
    _admin(cluster, f"CREATE DATABASE small_city TEMPLATE {embedded.DATABASE}")
    engine = db.make_engine(cluster.url_of("small_city"))
    with engine.begin() as connection:
        build(connection)
    engine.dispose()
    yield City(cluster, tmp_path, Counter())
    _admin(cluster, "DROP DATABASE small_city WITH (FORCE)")


class PlanMachine(RuleBasedStateMachine):
    """The service beside its model."""

    city: City
    steps = 0

    def __init__(self) -> None:
        super().__init__()
        held, self.engine = self.city.copy()
        self.client = create_app(held, self.engine).test_client()
        self.drafts: dict[int, Draft] = {}
        self.generations: list[tuple[int, str, Owners]] = []
        self.ever: set[str] = set()
        self._first()

    def teardown(self) -> None:
        self.city.drop(self.engine)
        if LONG:
            print(f"{self.steps} steps, {sum(self.city.told.values())} requests so far", flush=True)

    # --- what the service says ---

    def send(self, method: str, url: str, status: int | tuple[int, ...], body: Any = None, **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = self.client.open(url, method=method, json=body, headers=named)
        wanted = (status,) if isinstance(status, int) else status
        assert answer.status_code in wanted, f"{method} {url} {body}: {answer.status_code} {answer.text[:600]}"
        self.city.told[f"{method} {answer.status_code}"] += 1
        return answer

    def edit(self, plan: int, operations: list[Json], status: int | tuple[int, ...] = 200, **more: Any) -> Any:
        body = {"base": self.drafts[plan].version, "operations": operations} | more
        return self.send("POST", f"{PLANS}/{plan}/edits", status, body)

    def stored_owners(self, plan: int) -> tuple[Owners, Json]:
        told = self.client.get(f"{PLANS}/{plan}/assignment").get_json()
        codes = [grid["code"] for grid in told["levels"][0]["grids"]]
        return {u: codes[o] if o >= 0 else None for u, o in enumerate(told["levels"][0]["owner"])}, told

    def agree(self, plan: int) -> None:
        """The stored draft is the model's, its grids are what their units are."""
        draft = self.drafts[plan]
        owner, told = self.stored_owners(plan)
        assert owner == draft.owner
        grids = told["levels"][0]["grids"]
        assert sorted(grid["code"] for grid in grids) == draft.grids
        assert {grid["code"] for grid in grids if grid["locked"]} == draft.locked
        draft.version = told["version"]
        with self.engine.connect() as connection:
            torn = connection.scalars(
                sa.text(
                    "SELECT g.code FROM grids g WHERE g.plan = :plan AND (ST_Area(ST_SymDifference(g.geometry, (SELECT "
                    "ST_Union(u.geometry) FROM owners o JOIN units u ON u.id = o.unit WHERE o.grid = g.id))) > 1e-13 OR "
                    "g.households <> (SELECT sum(u.households) FROM owners o JOIN units u ON u.id = o.unit "
                    "WHERE o.grid = g.id))"
                ),
                {"plan": plan},
            ).all()
        assert torn == []

    def remember(self, plan: int, before: Owners, answer: Any) -> None:
        draft = self.drafts[plan]
        draft.past.append((before, answer.get_json()["operations"]))
        draft.seen.append((draft.version, before))

    @property
    def now(self) -> Owners:
        return self.generations[-1][2]

    def pick(self, number: int) -> int:
        return sorted(self.drafts)[number % len(self.drafts)]

    # --- the first plan ---

    def _first(self) -> None:
        plan = self.send("POST", PLANS, 201, {"area": AREA, "from": "empty", "households": "300:900"}).get_json()["id"]
        self.drafts[plan] = Draft(dict.fromkeys(range(UNITS)))
        operations: list[Json] = []
        for side, community in enumerate(COMMUNITIES):
            for half in (0, 1):
                name = f"new:{2 * side + half + 1}"
                units = [u for u in range(UNITS) if home(u) == community and (u // 12) == half]
                operations += [
                    {"op": "create", "code": name, "level": 1, "community": community, "parent": None, "kind": "ordinary"},
                    {"op": "assign", "level": 1, "from": None, "to": name, "units": units},
                ]  # fmt: skip
        self.edit(plan, operations)
        self.drafts[plan].owner, _ = self.stored_owners(plan)
        self.agree(plan)
        assert sound(self.drafts[plan].owner)
        self._publish(plan, {})

    # --- rules ---

    @precondition(lambda self: len(self.drafts) < DRAFTS)
    @rule(copy=st.booleans(), which=PICK)
    def begin(self, copy: bool, which: int) -> None:
        if copy and self.drafts:
            of = self.pick(which)
            plan = self.send("POST", f"{PLANS}/{of}/duplicate", 201, {}).get_json()["id"]
            self.drafts[plan] = Draft(dict(self.drafts[of].owner), set(self.drafts[of].locked))
        else:
            plan = self.send("POST", PLANS, 201, {"area": AREA, "from": "published"}).get_json()["id"]
            given, _ = self.stored_owners(plan)  # units that were in no grid may be given to one beside them
            self.drafts[plan] = Draft(given | {u: code for u, code in self.now.items() if code})
        self.agree(plan)

    @precondition(lambda self: self.drafts)
    @rule(which=PICK, units=UNIT_SETS, grid=PICK, nowhere=st.booleans(), twice=st.booleans())
    def paint(self, which: int, units: set[int], grid: int, nowhere: bool, twice: bool) -> None:
        plan = self.pick(which)
        draft = self.drafts[plan]
        target = None if nowhere or not draft.grids else draft.grids[grid % len(draft.grids)]
        mine = sorted(u for u in units if target is None or home(u) == target[:12])
        mine = [u for u in mine if draft.owner[u] != target]
        if not mine:
            return
        touched = {draft.owner[u] for u in mine} | {target}
        operations = moves([draft.owner[u] for u in range(UNITS)], mine, target)
        if touched & draft.locked:
            refused = self.edit(plan, operations, 409).get_json()["error"]
            assert refused["code"] == "locked"
            assert {one["code"] for one in refused["details"]["grids"]} == touched & draft.locked
        else:
            before = dict(draft.owner)
            key = {"key": f"k{len(draft.past)}-{draft.version}"}
            made = self.edit(plan, operations, **key)
            if twice:  # sent again under its key, an edit is stored once
                assert self.edit(plan, operations, **key).get_json()["version"] == made.get_json()["version"]
            draft.owner |= dict.fromkeys(mine, target)
            self.remember(plan, before, made)
        self.agree(plan)

    @precondition(lambda self: any(draft.seen for draft in self.drafts.values()))
    @rule(which=PICK, when=PICK, units=UNIT_SETS, grid=PICK)
    def paint_on_what_was(self, which: int, when: int, units: set[int], grid: int) -> None:
        """An editor who has not looked for some time: merged where the units are as they were seen, else refused."""
        plan = [plan for plan in sorted(self.drafts) if self.drafts[plan].seen][
            which % sum(bool(draft.seen) for draft in self.drafts.values())
        ]
        draft = self.drafts[plan]
        base, seen = draft.seen[when % len(draft.seen)]
        known = sorted({code for code in seen.values() if code})
        if not known:
            return
        target = known[grid % len(known)]
        mine = sorted(u for u in units if home(u) == target[:12] and seen[u] != target)
        if not mine:
            return
        operations = moves([seen[u] for u in range(UNITS)], mine, target)
        others = {u for u in mine if draft.owner[u] != seen[u]}
        touched = {seen[u] for u in mine} | {target}
        if others or target not in draft.grids:
            error = self.edit(plan, operations, 409, base=base).get_json()["error"]
            assert error["code"] == "conflicts"
            assert {one["unit"]: one["theirs"] for one in error["details"]["conflicts"]} == {
                u: draft.owner[u] for u in others
            }
            shown = {one["code"] for one in error["details"]["current"]["grids"]}
            assert shown == {code for code in touched if code in draft.grids}
        elif touched & draft.locked:
            assert self.edit(plan, operations, 409, base=base).get_json()["error"]["code"] == "locked"
        else:
            before = dict(draft.owner)
            made = self.edit(plan, operations, base=base)
            draft.owner |= dict.fromkeys(mine, target)
            self.remember(plan, before, made)
        self.agree(plan)

    @precondition(lambda self: self.drafts)
    @rule(which=PICK, grid=PICK, share=st.integers(1, 5))
    def split(self, which: int, grid: int, share: int) -> None:
        plan = self.pick(which)
        draft = self.drafts[plan]
        whole = [code for code in draft.grids if len(draft.units(code)) > share and code not in draft.locked]
        if not whole:
            return
        code = whole[grid % len(whole)]
        part = sorted(draft.units(code))[:share]
        new = {"op": "create", "code": "new:1", "level": 1, "community": code[:12], "parent": None, "kind": "ordinary"}
        before = dict(draft.owner)
        assign = {"op": "assign", "level": 1, "from": code, "to": "new:1", "units": part}
        made = self.edit(plan, [new, assign])
        fresh = made.get_json()["codes"]["new:1"]
        assert fresh not in self.ever, "a retired code is never used again"
        assert fresh not in draft.grids
        draft.owner |= dict.fromkeys(part, fresh)
        self.remember(plan, before, made)
        self.agree(plan)

    @precondition(lambda self: self.drafts)
    @rule(which=PICK, one=PICK, two=PICK)
    def merge(self, which: int, one: int, two: int) -> None:
        plan = self.pick(which)
        draft = self.drafts[plan]
        free = [code for code in draft.grids if code not in draft.locked]
        if not free:
            return
        gone = free[one % len(free)]
        into = [code for code in free if code != gone and code[:12] == gone[:12]]
        if not into:
            return
        target = into[two % len(into)]
        before, units = dict(draft.owner), sorted(draft.units(gone))
        assign = {"op": "assign", "level": 1, "from": gone, "to": target, "units": units}
        made = self.edit(plan, [assign, {"op": "remove", "level": 1, "grid": gone}])
        assert [grid["code"] for grid in made.get_json()["grids"]] == [target]
        draft.owner |= dict.fromkeys(units, target)
        self.remember(plan, before, made)
        self.agree(plan)

    @precondition(lambda self: any(draft.grids for draft in self.drafts.values()))
    @rule(which=PICK, grid=PICK, stale=st.booleans())
    def lock(self, which: int, grid: int, stale: bool) -> None:
        plan = self.pick(which)
        draft = self.drafts[plan]
        if not draft.grids:
            return
        code = draft.grids[grid % len(draft.grids)]
        url = f"{PLANS}/{plan}/grids/{code}"
        seen = self.send("GET", url, 200)
        wanted = code not in draft.locked
        if stale:
            refused = self.send("PATCH", url, 412, {"locked": wanted}, If_Match='"0"')
            assert refused.get_json()["error"]["details"]["current"] == seen.get_json()
        else:
            self.send("PATCH", url, 200, {"locked": wanted}, If_Match=seen.headers["ETag"])
            draft.locked ^= {code}
            draft.past.clear()  # the way back is that of the last edit
        self.agree(plan)

    @precondition(lambda self: any(draft.past for draft in self.drafts.values()))
    @rule(which=PICK)
    def undo(self, which: int) -> None:
        plans = [plan for plan in sorted(self.drafts) if self.drafts[plan].past]
        plan = plans[which % len(plans)]
        draft = self.drafts[plan]
        before, operations = draft.past.pop()
        back = [operation_json(one) for one in inverse(stored(operations, UNITS))]
        retired = {str(one["code"]) for one in back if one["op"] == "create"} & self.retired()
        answer = self.edit(plan, back, 400 if retired else 200)
        if retired:  # published over meanwhile: the code of the grid that would come back names none any more
            assert retired & set(answer.get_json()["error"]["message"].split())
            draft.past.clear()
        else:
            draft.seen.append((draft.version, dict(draft.owner)))
            draft.owner = before
        self.agree(plan)

    @precondition(lambda self: self.drafts)
    @rule(which=PICK, override=st.booleans(), stale=st.booleans())
    def publish(self, which: int, override: bool, stale: bool) -> None:
        plan = self.pick(which)
        draft = self.drafts[plan]
        url = f"{PLANS}/{plan}/publication"
        if stale:
            refused = self.send("POST", url, 412, {}, If_Match='"0"').get_json()["error"]
            assert refused["details"]["current"]["version"] == draft.version
            return
        if not draft.grids:
            refused = self.send("POST", url, 409, {"override": "试"}, If_Match=f'"{draft.version}"')
            assert refused.get_json()["error"]["code"] == "no_grids"
            return
        if not sound(draft.owner) and not override:
            refused = self.send("POST", url, 409, {}, If_Match=f'"{draft.version}"').get_json()["error"]
            assert refused["details"]["problems"]["counts"]
            self.agree(plan)
            return
        self._publish(plan, {"override": "先用后改"} if override else {})

    def _publish(self, plan: int, body: Json) -> None:
        draft = self.drafts.pop(plan)
        headers = {"If_Match": f'"{draft.version}"', "Idempotency_Key": f"publish-{plan}"}
        made = self.send("POST", f"{PLANS}/{plan}/publication", 200, body, **headers)
        again = self.send("POST", f"{PLANS}/{plan}/publication", 200, body, **headers)
        assert (again.data, again.headers["Idempotency-Replayed"]) == (made.data, "true")
        told = made.get_json()["generation"]
        assert bool(told["override"]) == bool(told["problems"]) == (not sound(draft.owner))
        owner, _ = self.stored_owners(plan)
        parts = {code: {u for u, o in owner.items() if o == code} for code in set(owner.values()) - {None}}
        assert sorted(map(sorted, parts.values())) == sorted(sorted(draft.units(code)) for code in draft.grids)
        before = self.now if self.generations else {}
        in_force = set(before.values())
        for code in draft.grids:
            now = owner[min(draft.units(code))]
            assert now == code or now not in self.ever, "a new code names a new grid"
            assert now not in self.ever or now in in_force, "what has ended does not come back by publishing"
        ours = {str(code)[:12] for code in parts}
        new = {u: owner[u] if home(u) in ours else before.get(u) for u in range(UNITS)}
        self.ever |= {code for code in new.values() if code}
        self.generations.append((told["id"], told["published_at"], new))

    @rule(which=PICK, stale=st.booleans())
    def roll_back(self, which: int, stale: bool) -> None:
        number, _, owner = self.generations[which % len(self.generations)]
        url = f"/api/v1/generations/{number}/restore"
        seen = self.send("GET", url, 200)
        if stale:
            refused = self.send("POST", url, 412, {}, If_Match='"0"').get_json()["error"]
            assert refused["details"]["current"]["generation"]["id"] == self.generations[-1][0]
            return
        same = seen.get_json()["back"] == seen.get_json()["ended"] == 0
        if owner != self.now:
            assert not same
        answer = self.send("POST", url, 409 if same else 200, {}, If_Match=seen.headers["ETag"])
        if not same:
            told = answer.get_json()["generation"]
            assert told["restored"] == number
            self.generations.append((told["id"], told["published_at"], dict(owner)))

    @rule(units=UNIT_SETS, which=PICK)
    def locate(self, units: set[int], which: int) -> None:
        number, at, owner = self.generations[which % len(self.generations)]
        for unit in sorted(units):
            lon, lat = centre(unit)
            now = self.send("GET", f"/api/v1/locate?lon={lon}&lat={lat}", 200).get_json()
            assert (now["generation"], code_of(now)) == (self.generations[-1][0], self.now[unit])
        lon, lat = centre(min(units))
        when = at.replace("+", "%2B")
        then = self.send("GET", f"/api/v1/locate?lon={lon}&lat={lat}&at={when}", 200).get_json()
        assert (then["generation"], code_of(then)) == (number, owner[min(units)])

    @precondition(lambda self: self.drafts)
    @rule(which=PICK)
    def discard(self, which: int) -> None:
        plan = self.pick(which)
        self.send("DELETE", f"{PLANS}/{plan}", 412, If_Match='"0"')
        self.send("DELETE", f"{PLANS}/{plan}", 204, If_Match=f'"{self.drafts.pop(plan).version}"')
        self.send("GET", f"{PLANS}/{plan}", 404)

    # --- what always holds ---

    def retired(self) -> set[str]:
        return self.ever - {code for code in self.now.values() if code}

    @invariant()
    def a_step_is_counted(self) -> None:
        type(self).steps += 1

    @invariant()
    def one_generation_is_in_force_and_owns_every_unit_once(self) -> None:
        with self.engine.connect() as connection:
            active = connection.scalars(sa.text("SELECT id FROM generations WHERE is_current")).all()
            assert active == [self.generations[-1][0]]
            owned = connection.execute(
                sa.text(
                    "SELECT o.unit, array_agg(g.code) AS codes FROM owners o JOIN grids g ON g.id = o.grid "
                    "WHERE upper_inf(g.generations) GROUP BY o.unit"
                )
            ).all()
            first = connection.scalar(sa.text("SELECT min(id) FROM units"))
        assert {row.unit - first: row.codes for row in owned} == {
            unit: [code] for unit, code in self.now.items() if code
        }


def test_the_service_is_its_model(city: City) -> None:
    machine = type("CityMachine", (PlanMachine,), {"city": city})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None, derandomize=not LONG, database=None,
            suppress_health_check=list(HealthCheck), print_blob=True, phases=(Phase.generate,),
        ),
    )  # fmt: skip
    steps = sum(city.told.values())
    print(f"{EXAMPLES} stories of up to {STEPS} steps, {steps} requests: {dict(sorted(city.told.items()))}")
    assert steps > EXAMPLES * STEPS
