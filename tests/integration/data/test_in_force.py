"""A generation's files: made once, shared, mended, swept; answers after them equal those before."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from api.current import CurrentGrids
from data import in_force
from data.in_force import InForce, read_in_force
from data.plans import Generation, current_generation, grids_in_force
from gisgrid.errors import Broken, NotFound

pytestmark = pytest.mark.postgis


@pytest.fixture
def generation(planned: Any) -> Generation:
    with planned.engine.connect() as connection:
        found = current_generation(connection)
    assert found is not None
    return found


def opened(planned: Any, generation: Generation, home: Path) -> InForce:
    with planned.engine.connect() as connection:
        return read_in_force(connection, generation, home)


def test_facts_are_those_of_the_table_row_by_row(planned: Any, generation: Generation, tmp_path: Path) -> None:
    found = opened(planned, generation, tmp_path)
    with planned.engine.connect() as connection:
        grids = grids_in_force(connection, generation.id)
    assert [fact["code"] for fact in found.grids] == grids["code"].tolist()
    assert found.grids[-1] == found.grids[len(grids) - 1]
    assert [fact["households"] for fact in found.grids[2:5]] == grids["households"].tolist()[2:5]
    inner = grids.geometry.representative_point()
    assert found.index.rows(inner.x, inner.y).tolist() == list(range(len(grids)))
    with pytest.raises(IndexError):
        found.grids[len(grids)]


def test_files_are_mapped_and_made_once_by_many_at_once(planned: Any, generation: Generation, tmp_path: Path) -> None:
    with ThreadPoolExecutor(6) as pool:
        all_found = list(pool.map(lambda _: opened(planned, generation, tmp_path), range(12)))
    folders = [path for path in (tmp_path / "index").iterdir() if path.is_dir()]
    assert len(folders) == 1, "no half-made folder stays behind"
    mapped = {line.split(maxsplit=5)[-1].strip() for line in Path("/proc/self/maps").read_text().splitlines()}
    assert {str(path) for path in folders[0].glob("*.loc")} <= mapped
    assert len({found.grids[0]["code"] for found in all_found}) == 1


@pytest.mark.parametrize("damage", ["cut", "missing", "empty about", "nonsense"])
def test_damaged_files_are_made_again(planned: Any, generation: Generation, tmp_path: Path, damage: str) -> None:
    before = opened(planned, generation, tmp_path)
    folder = next(path for path in (tmp_path / "index").iterdir() if path.is_dir())
    kept = (folder / "0.loc").read_bytes()
    if damage in ("cut", "nonsense"):
        (folder / "0.loc").unlink()  # what is mapped must not change under its readers
    match damage:
        case "cut":
            (folder / "0.loc").write_bytes(kept[: len(kept) // 2])
        case "missing":
            (folder / "0.facts").unlink()
        case "empty about":
            (folder / "about.json").write_text("")
        case _:
            (folder / "0.loc").write_bytes(b"\0" * 4096)
    again = opened(planned, generation, tmp_path)
    x, y = np.array(before.index.bounds[:2]).reshape(2, 1) + 1e-3
    assert again.index.codes(x, y).tolist() == before.index.codes(x, y).tolist()
    assert again.grids[0] == before.grids[0]


def test_only_the_generations_used_last_stay(
    planned: Any, generation: Generation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_force, "FOLDERS_KEPT", 2)
    opened(planned, generation, tmp_path)
    mine = next(path for path in (tmp_path / "index").iterdir() if path.is_dir())
    for number in range(4):
        old = mine.with_name(mine.name.replace(f"-{generation.id}-", f"-9{number}-"))
        old.mkdir()
        os.utime(old, (number, number))
    other = mine.with_name("feedfeedfeed-1-0-v1")
    other.mkdir()
    in_force._sweep(mine)
    left = {path.name for path in (tmp_path / "index").iterdir() if path.is_dir()}
    assert mine.name in left
    assert other.name in left, "another database's files are not ours to remove"
    assert len(left) == 3


def test_a_home_that_cannot_be_written_is_named(planned: Any, generation: Generation, tmp_path: Path) -> None:
    (tmp_path / "index").write_text("a file where the folder should be")
    with pytest.raises(Broken, match="index"):
        opened(planned, generation, tmp_path)


def test_a_generation_without_comprehensive_grids_owns_nothing(planned_copy: Any, tmp_path: Path) -> None:
    with planned_copy.engine.begin() as connection:
        made = connection.execute(
            sa.text("INSERT INTO generations (plan, is_current) VALUES (:p, false) RETURNING *"), {"p": planned_copy.plan}
        ).mappings().one()  # fmt: skip
        connection.execute(sa.text("UPDATE grids SET generations = '[1,2)' WHERE upper_inf(generations)"))
        with pytest.raises(NotFound, match="no comprehensive grids"):
            read_in_force(connection, Generation(**made), tmp_path)


def test_the_last_known_grids_answer_while_the_database_is_away(
    planned: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.current.CHECK_SECONDS", 0.0)
    engine = sa.create_engine(planned.engine.url)
    current = CurrentGrids(engine, tmp_path)
    before = current.need()

    def gone(*_: Any) -> Any:
        raise sa.exc.OperationalError("connect", {}, Exception("gone"))

    monkeypatch.setattr(engine, "connect", gone)
    assert current.need() is before
    with pytest.raises(sa.exc.OperationalError):
        CurrentGrids(engine, tmp_path).get()
    engine.dispose()
