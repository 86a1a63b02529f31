"""Addresses: messy variants with known truth, beside PostgreSQL's trigram search; speed; a million addresses.

    python benchmarks/addresses.py [--scenario taibai] [--variants 1000] [--seed 1] [--others taibai:2,laoshan:1]
                                   [--only KIND] [--scale 1000000] [--postgis postgresql://…] [--no-peer]

A variant is right when its first answer lies in the old grid of the address it was made from. The kinds of mess and
their shares are in `data/sample/messy.py`. The search was tuned on taibai with seed 1; `--others` are runs it never
saw. The peer takes part on `--postgis` (or GISGRID_DATABASE_URL), else on a private cluster of its own.
"""

from __future__ import annotations

import argparse
import gc
import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from data.sample import make_sample
from data.sample.messy import KINDS, Variant, messy_variants, spoken, wrong_digit
from data.sample.names import stems
from gisgrid.address import Gazetteer, warm
from gisgrid.address.text import clean
from gisgrid.locate import GridIndex

Answer = tuple[float, float, bool]
Ask = Callable[[str], Answer | None]


class Place:
    """A sample district, its gazetteer and its old grids."""

    def __init__(self, scenario: str, *, seed: int = 1, without: Any = None) -> None:
        self.layers = make_sample(scenario, seed=seed).layers
        known = self.layers["addresses"] if without is None else self.layers["addresses"].drop(index=without)
        start, before = time.perf_counter(), resident_mb()
        self.gazetteer = Gazetteer.build(
            known, streets=self.layers["streets"], areas=self.layers["areas"], facilities=self.layers["facilities"]
        )
        self.built, self.grew = time.perf_counter() - start, resident_mb() - before
        grids = self.layers["grids"][self.layers["grids"]["level"] == 1]
        self.index = GridIndex.build(grids.geometry.to_numpy(), grids["code"].to_numpy())
        self.owners = self.gazetteer.owners(self.index)
        points = shapely.get_coordinates(self.layers["addresses"].geometry.to_numpy())
        self.truth = self.index.rows(points[:, 0], points[:, 1])

    def ask(self, text: str) -> Answer | None:
        """The first answer, sure or not by the grids."""
        found = self.gazetteer.search(text, limit=5, owners=self.owners)
        return (found[0].lon, found[0].lat, found[0].confident) if found else None

    def ask_without_grids(self, text: str) -> Answer | None:
        found = self.gazetteer.search(text, limit=5)
        return (found[0].lon, found[0].lat, found[0].confident) if found else None


def resident_mb() -> float:
    gc.collect()
    return float(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 1e6


def judged(place: Place, variants: list[Variant], ask: Ask) -> tuple[pd.DataFrame, np.ndarray[Any, Any]]:
    """Per variant: right, wrong, confident, found; and the seconds each took."""
    rows, took = [], []
    for variant in variants:
        start = time.perf_counter()
        answer = ask(variant.text)
        took.append(time.perf_counter() - start)
        right = answer is not None and int(place.index.rows([answer[0]], [answer[1]])[0]) == place.truth[variant.row]
        sure = answer is not None and answer[2]
        rows.append((right, sure and not right, sure, answer is None))
    return pd.DataFrame(rows, columns=["right", "confidently wrong", "confident", "not found"]), np.array(took)


def line(name: str, figures: pd.DataFrame, took: Any) -> str:
    share = figures.mean()
    return (
        f"  {name:<34} right {share['right']:7.2%}  confidently wrong {share['confidently wrong']:6.2%}  "
        f"confident {share['confident']:7.2%}  not found {share['not found']:6.2%}  "
        f"{1e3 * took.mean():6.2f} ms (p50 {1e3 * np.median(took):.2f}, p99 {1e3 * np.quantile(took, 0.99):.2f})"
    )


def per_kind(variants: list[Variant], figures: pd.DataFrame) -> None:
    by_kind: dict[str, list[int]] = defaultdict(list)
    for number, variant in enumerate(variants):
        for kind in variant.kinds:
            by_kind[kind].append(number)
    for kind in KINDS:
        if kind in by_kind:
            part = figures.iloc[by_kind[kind]]
            print(
                f"    {kind:<26} {len(part):5d}   right {part['right'].mean():8.2%}   "
                f"confidently wrong {part['confidently wrong'].mean():7.2%}   not found {part['not found'].mean():7.2%}"
            )


def accuracy(scenario: str, count: int, seed: int, only: str | None, *, kinds: bool) -> tuple[Place, list[Variant]]:
    place = Place(scenario)
    variants = messy_variants(
        place.layers["addresses"], place.layers["areas"], count, np.random.default_rng(seed), only=only
    )
    print(f"\n{scenario}: {len(place.gazetteer):,} addresses, {count:,} messy variants, seed {seed}")
    size = f"arrays {place.gazetteer.nbytes / 1e6:.0f} MB, process grew {place.grew:.0f} MB"
    print(f"  built in {place.built:.2f} s; {size}")
    place.ask(variants[0].text)
    figures, took = judged(place, variants, place.ask)
    print(line("ours, grids at hand", figures, took))
    print(line("ours, without grids", *judged(place, variants, place.ask_without_grids)))
    if kinds:
        per_kind(variants, figures)
    return place, variants


def unresolvable(scenario: str, count: int, seed: int) -> None:
    """Kinds no search can resolve by itself: a wrong door number, an address nobody registered."""
    rng = np.random.default_rng(seed)
    layers = make_sample(scenario).layers
    addresses = layers["addresses"]
    single = np.flatnonzero((addresses["compound"] == "").to_numpy())
    out = rng.choice(single, min(count, len(single) // 10), replace=False)
    place = Place(scenario, without=addresses.index[out])
    place.owners = place.gazetteer.owners(place.index)
    unknown = [Variant(str(addresses["full"].iloc[row]), int(row), ("unregistered door",)) for row in out]
    figures, took = judged(place, unknown, place.ask)
    print(f"\n{scenario}: what no search can know for sure")
    print(line(f"doors nobody registered ({len(out)})", figures, took))
    far, within = reckoned(place, unknown)
    covered = f"{np.mean(within):.1%} within the accuracy told"
    print(f"    reckoned along the road: median {np.median(far):.0f} m off, {covered}")
    whole = Place(scenario)
    wrong = []
    for row in rng.integers(0, len(addresses), count).tolist():
        made = wrong_digit(spoken(addresses, layers["areas"], row), rng)
        if made is not None:
            wrong.append(Variant(replace(made, compound="", building="", unit="").text(), row, ("wrong digit",)))
    print(line("wrong door numbers", *judged(whole, wrong, whole.ask)))


def reckoned(place: Place, variants: list[Variant]) -> tuple[list[float], list[bool]]:
    """Metres between reckoned doors and the true ones, and whether the accuracy told covers them."""
    far, within = [], []
    points = shapely.get_coordinates(place.layers["addresses"].geometry.to_numpy())
    for variant in variants:
        found = place.gazetteer.search(variant.text, limit=1)
        if found and found[0].how == "interpolated":
            x, y = points[variant.row]
            metres = 111_320 * float(np.hypot((found[0].lon - x) * np.cos(np.radians(y)), found[0].lat - y))
            far.append(metres)
            within.append(metres <= found[0].accuracy)
    return far, within


# --- the peer -----------------------------------------------------------------------------


@contextmanager
def postgres(url: str | None) -> Iterator[Any]:
    import psycopg

    if url:
        with psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://"), autocommit=True) as db:
            yield db
        return
    from data import embedded

    with ExitStack() as stack:
        home = stack.enter_context(tempfile.TemporaryDirectory())
        cluster = stack.enter_context(embedded.running(embedded.cluster_at(Path(home))))
        where = {"host": str(cluster.socket), "user": embedded.ROLE, "dbname": embedded.DATABASE}
        yield stack.enter_context(psycopg.connect(**where, autocommit=True))


def by_trigrams(db: Any, addresses: gpd.GeoDataFrame, *, plain: bool) -> Ask:
    """pg_trgm as documented: nearest neighbour by similarity, GiST index; sure when the similarity is 0.6 or more.

    ``plain``: both sides in our plain form first (digits, simplified, half width, no remarks).
    """
    db.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    db.execute("DROP TABLE IF EXISTS bench_addresses")
    db.execute('CREATE TEMP TABLE bench_addresses ("full" text, lon float8, lat float8)')
    points = shapely.get_coordinates(addresses.geometry.to_numpy())
    with db.cursor().copy("COPY bench_addresses FROM STDIN") as copy:
        for full, (x, y) in zip(addresses["full"], points, strict=True):
            copy.write_row((clean(full).text if plain else full, float(x), float(y)))
    db.execute('CREATE INDEX ON bench_addresses USING gist ("full" gist_trgm_ops(siglen=64))')
    db.execute("ANALYZE bench_addresses")
    query = 'SELECT lon, lat, similarity("full", %s) FROM bench_addresses ORDER BY "full" <-> %s LIMIT 1'

    def ask(text: str) -> Answer | None:
        text = clean(text).text if plain else text
        row = db.execute(query, (text, text), prepare=True).fetchone()
        return None if row is None or row[2] <= 0.0 else (row[0], row[1], row[2] >= 0.6)

    return ask


# --- speed --------------------------------------------------------------------------------


def speed(place: Place) -> None:
    gazetteer, rng = place.gazetteer, np.random.default_rng(0)
    start = time.perf_counter()
    gazetteer.suggest("云")
    print(f"\ntyping ahead: made ready in {time.perf_counter() - start:.2f} s", end="")
    names = [gazetteer.parts.names.names[i].text for i in rng.integers(0, len(gazetteer.parts.names.names), 400)]
    typed = [name[:k] for name in names for k in range(1, len(name) + 1)]
    print(f"; {timing([lambda text=text: gazetteer.suggest(text) for text in typed])}")
    points = shapely.get_coordinates(place.layers["addresses"].geometry.to_numpy())
    some = points[rng.integers(0, len(points), 2_000)] + rng.normal(0, 0.0003, (2_000, 2))
    gazetteer.reverse(*some[0])
    print(f"reverse: {timing([lambda x=x, y=y: gazetteer.reverse(float(x), float(y)) for x, y in some])}")


def timing(calls: list[Callable[[], Any]]) -> str:
    took = []
    for call in calls:
        start = time.perf_counter()
        call()
        took.append(time.perf_counter() - start)
    return f"{1e3 * np.mean(took):.3f} ms (p50 {1e3 * np.median(took):.3f}, p99 {1e3 * np.quantile(took, 0.99):.3f})"


def tiled(layers: dict[str, Any], copies: int) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """A district many times over, every copy elsewhere and with other names; names repeat between districts."""
    base, areas = layers["addresses"], layers["areas"]
    pool = stems(np.random.default_rng(0), 5_000)
    plain = {name[0] for name in pool}
    points = shapely.get_coordinates(base.geometry.to_numpy())
    out_a, out_b = [], []
    for k in range(copies):
        rng = np.random.default_rng(k)
        swap = dict(zip(sorted(plain), rng.permutation(sorted(plain)).tolist(), strict=True))
        renamed = {}
        for column in ("road", "compound"):
            renamed[column] = base[column].map(lambda name, swap=swap: swap.get(name[:2], name[:2]) + name[2:])
        district, code = f"{pool[k][0]}区", f"{380000 + k}"
        towns = {c: swap.get(n[:2], n[:2]) + n[2:] for c, n in zip(areas["code"], areas["name"], strict=True)}
        town = base["community"].str[:9].map(towns).fillna("")
        parts = renamed["road"] + base["door_number"] + renamed["compound"] + base["building"] + base["unit"]
        frame = base[["door_number", "building", "unit"]].assign(
            **renamed, full=district + town + parts, address_id=code + base["address_id"].str[6:], name_en="",
            community=code + base["community"].str[6:],
        )  # fmt: skip
        move = np.array([0.12 * (k % 10), 0.1 * (k // 10)])
        out_a.append(gpd.GeoDataFrame(frame, geometry=shapely.points(points + move), crs=4490))
        named = [district if c == areas["code"].min() else towns[c] for c in areas["code"]]
        out_b.append(
            gpd.GeoDataFrame(
                {"code": code + areas["code"].str[6:], "level": areas["level"], "name": named},
                geometry=shapely.transform(areas.geometry.to_numpy(), lambda xy, move=move: xy + move), crs=4490,
            )
        )  # fmt: skip
    return pd.concat(out_a, ignore_index=True), pd.concat(out_b, ignore_index=True)


def scale(count: int) -> None:
    layers = make_sample("taibai").layers
    addresses, areas = tiled(layers, -(-count // len(layers["addresses"])))
    addresses = addresses.iloc[:count]
    before, start = resident_mb(), time.perf_counter()
    gazetteer = Gazetteer.build(addresses, areas=areas)
    took = time.perf_counter() - start
    print(f"\nscale: {len(gazetteer):,} addresses, {len(gazetteer.parts.shown):,} names in {len(areas):,} areas")
    print(
        f"  built in {took:.1f} s; arrays {gazetteer.nbytes / 1e6:.0f} MB, process grew {resident_mb() - before:.0f} MB"
    )
    rng = np.random.default_rng(5)
    variants = messy_variants(addresses, areas, 500, rng, without_english=True)
    points = shapely.get_coordinates(addresses.geometry.to_numpy())
    right, calls = [], []
    for variant in variants:
        start = time.perf_counter()
        found = gazetteer.search(variant.text, limit=5)
        calls.append(time.perf_counter() - start)
        at = np.array([found[0].lon, found[0].lat]) if found else np.array([0.0, 0.0])
        right.append(bool(np.hypot(*(at - points[variant.row])) < 0.0015))
    quick = f"p50 {1e3 * np.median(calls):.2f}, p99 {1e3 * np.quantile(calls, 0.99):.2f}"
    print(
        f"  search {1e3 * np.mean(calls):.2f} ms ({quick}); first answer within 150 m of the truth {np.mean(right):.2%}"
    )
    start = time.perf_counter()
    gazetteer.suggest("云")
    print(f"  typing ahead made ready in {time.perf_counter() - start:.1f} s", end="")
    names = [gazetteer.parts.shown[i] for i in rng.integers(0, len(gazetteer.parts.shown), 300)]
    print(f"; {timing([lambda t=name[:k]: gazetteer.suggest(t) for name in names for k in (1, 2, 3)])}")
    start = time.perf_counter()
    gazetteer.reverse(116.6, 35.35)
    print(f"  reverse made ready in {time.perf_counter() - start:.1f} s", end="")
    some = points[rng.integers(0, count, 1000)]
    print(f"; {timing([lambda p=p: gazetteer.reverse(float(p[0]), float(p[1])) for p in some])}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenario", default="taibai")
    parser.add_argument("--variants", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--others", default="taibai:2,laoshan:1,gulou:1", help="runs the search was not tuned on")
    parser.add_argument("--only", choices=sorted(KINDS), help="one kind of mess")
    parser.add_argument("--scale", type=int, default=1_000_000, help="made addresses; 0: no scale run")
    parser.add_argument("--postgis", default=os.environ.get("GISGRID_DATABASE_URL"))
    parser.add_argument("--no-peer", action="store_true")
    asked = parser.parse_args()
    warm()
    place, variants = accuracy(asked.scenario, asked.variants, asked.seed, asked.only, kinds=True)
    if not asked.no_peer:
        with postgres(asked.postgis) as db:
            for plain in (False, True):
                peer = by_trigrams(db, place.layers["addresses"], plain=plain)
                title = "pg_trgm on our plain form" if plain else "pg_trgm (GiST, sure from 0.6)"
                print(line(title, *judged(place, variants, peer)))
    speed(place)
    unresolvable(asked.scenario, min(500, asked.variants), asked.seed)
    for other in filter(None, asked.others.split(",")):
        scenario, _, seed = other.partition(":")
        accuracy(scenario, asked.variants, int(seed or 1), asked.only, kinds=False)
    if asked.scale:
        scale(asked.scale)


if __name__ == "__main__":
    main()
