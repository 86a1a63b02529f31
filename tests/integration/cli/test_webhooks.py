"""``gisgrid webhooks`` and ``worker`` as people and scripts use them; secrets are shown once and logged never."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from data import webhooks
from data.dispatch import Dispatcher
from gisgrid.settings import Settings
from gisgrid.webhooks import new_secret
from tests.integration.cli.conftest import Run, fingerprint
from tests.receiver import Receiver, Reply

pytestmark = pytest.mark.postgis


def test_a_webhook_from_add_to_remove(
    run: Run, settings: Settings, engine: sa.Engine, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    with Receiver() as receiver:
        added = run(
            "webhooks",
            "add",
            "dispatch",
            receiver.url,
            "--events",
            "report.created, report.moved",
            "--area",
            "1405",
            settings=settings,
        )
        assert added.code == 0, added.err
        receiver.secret = added.out.rsplit(maxsplit=1)[-1]
        assert receiver.secret.startswith("whsec_")
        shown = [run("webhooks", "list", settings=settings), run("webhooks", "list", "--json", settings=settings)]
        (row,) = shown[1].json["webhooks"]
        assert (row["state"], row["events"], row["area"], row["waiting"]) == (
            "active",
            ["report.created", "report.moved"],
            "1405",
            0,
        )
        shown.append(run("webhooks", "test", "dispatch", settings=settings))
        assert (shown[-1].code, shown[-1].out) == (0, "taken: 204\n")
        assert receiver.got[0].body == receiver.got[0].body | {"type": "webhook.test", "data": {"webhook": "dispatch"}}
        assert not receiver.faults

        with engine.begin() as connection:
            webhooks.queue_event(connection, "report.created", 1, {"report": 1, "n": 0}, place="140502001001001")
        shown.append(run("webhooks", "pause", "dispatch", settings=settings))
        assert run("webhooks", "list", "--json", settings=settings).json["webhooks"][0]["state"] == "paused"
        assert run("webhooks", "resume", "dispatch", "--json", settings=settings).json["waiting"] == 1
        receiver.answers = lambda body: Reply(500)
        shown.append(run("webhooks", "test", "dispatch", settings=settings))
        assert shown[-1].code == 1
        assert "500" in shown[-1].out
        sender = Dispatcher(engine, (), look=0.02)
        sender.start()
        receiver.wait(lambda: len(receiver.got) == 3)
        sender.stop()
        listed = run("webhooks", "deliveries", "dispatch", "--state", "given_up", "--json", settings=settings).json[
            "deliveries"
        ]
        assert [(one["report"], one["state"], one["answer_status"]) for one in listed] == [(1, "given_up", 500)]
        assert "payload" not in listed[0]
        shown.append(run("webhooks", "deliveries", settings=settings))
        assert run("webhooks", "retry", "dispatch", "--json", settings=settings).json["put_back"] == 1

        refused = run("webhooks", "remove", "dispatch", settings=settings)
        assert refused.code == 2
        assert "--force" in refused.err
        assert run("webhooks", "remove", "dispatch", "--force", settings=settings).code == 0
    key = receiver.secret.removeprefix("whsec_")
    assert all(key not in one.out + one.err for one in shown)
    assert key not in caplog.text


def test_a_secret_of_ones_own_is_read_from_a_file_and_not_printed(run: Run, settings: Settings, tmp_path: Path) -> None:
    secret = new_secret()
    (tmp_path / "secret").write_text(secret + "\n")
    done = run(
        "webhooks",
        "add",
        "dispatch",
        "https://d.example.com/",
        "--secret-file",
        tmp_path / "secret",
        "--json",
        settings=settings,
    )
    assert done.json == {"name": "dispatch", "url": "https://d.example.com/"}
    rotated = run("webhooks", "rotate", "dispatch", "--json", settings=settings).json["secret"]
    assert rotated != secret
    assert rotated not in run("webhooks", "rotate", "dispatch", "--drop-old", settings=settings).out


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (("add", "a", "ftp://x/"), "ftp"),
        (("add", "a", "http://8.8.8.8/"), "--allow-http"),
        (("add", "a b", "https://x/"), "name"),
        (("add", "a", "https://x/", "--events", "report.lost"), "report.lost"),
        (("add", "a", "https://x/", "--area", "太白"), "area"),
        (("add", "there", "https://x/"), "already"),
        (("remove", "nobody"), "nobody"),
        (("pause", "nobody"), "nobody"),
        (("resume", "nobody"), "nobody"),
        (("retry", "nobody"), "nobody"),
        (("test", "nobody"), "nobody"),
        (("rotate", "nobody"), "nobody"),
        (("deliveries", "nobody"), "nobody"),
        (("deliveries", "--state", "lost"), "lost"),
    ],
)
def test_bad_input_is_one_line_and_changes_nothing(
    run: Run, settings: Settings, engine: sa.Engine, arguments: tuple[str, ...], fault: str
) -> None:
    with engine.begin() as connection:
        webhooks.add(connection, "there", "https://x/")
    before = fingerprint(engine)
    done = run("webhooks", *arguments, settings=settings)
    assert done.code == 2
    assert fault in done.err
    assert len(done.err.strip().splitlines()) == 1
    assert fingerprint(engine) == before


def test_worker_refuses_bad_settings(run: Run, settings: Settings) -> None:
    done = run("worker", settings=settings, env={"GISGRID_WEBHOOK_WAITS": "soon"})
    assert done.code == 2
    assert "GISGRID_WEBHOOK_WAITS" in done.err
    assert run("worker", "--concurrency", "0", settings=settings).code == 2
