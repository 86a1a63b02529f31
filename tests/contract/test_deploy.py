"""The files of deploy/ say what is so: commands and options there are, accounts without rights, endpoints that answer."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import click
import pytest

from api.cli.commands import cli

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
SERVICES = sorted(DEPLOY.glob("*.service"))
HARDENED = {
    "NoNewPrivileges=yes", "ProtectSystem=strict", "ProtectHome=yes", "PrivateTmp=yes", "PrivateDevices=yes",
    "CapabilityBoundingSet=", "ProtectKernelModules=yes", "ProtectKernelTunables=yes", "ProtectControlGroups=yes",
    "RestrictSUIDSGID=yes", "RestrictNamespaces=yes", "LockPersonality=yes", "SystemCallArchitectures=native",
}  # fmt: skip


def parsed(words: list[str]) -> None:
    """Raise when the command line has no such command or option."""
    command: click.Command = cli
    context = click.Context(cli)
    while isinstance(command, click.Group):
        found = command.get_command(context, words.pop(0))
        assert found is not None
        command = found
    command.make_context(str(command.name), list(words), resilient_parsing=False)


def gisgrid_commands() -> list[tuple[str, str]]:
    found = []
    for path in [*SERVICES, DEPLOY / "README.md"]:
        text = path.read_text(encoding="utf-8")
        asked = re.findall(r"(?:/opt/gisgrid/bin/gisgrid|exec web gisgrid) ([^'#\n]*)", text)
        found += [(path.name, line) for line in asked]
    return found


@pytest.mark.parametrize(("file", "line"), gisgrid_commands())
def test_the_commands_are_there(file: str, line: str) -> None:
    parsed(shlex.split(re.sub(r"\$\([^)]*\)", "now", line)))


def test_the_commands_of_the_container_are_there() -> None:
    text = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    assert 'ENTRYPOINT ["gisgrid"]' in text
    given = re.search(r"^CMD \[(.*)\]$", text, re.MULTILINE)
    assert given is not None
    parsed(re.findall(r'"([^"]*)"', given[1]))
    for given_again in re.findall(r"^    command: \[(.*)\]$", (DEPLOY / "compose.yaml").read_text(), re.MULTILINE):
        parsed([word.strip().strip('"') for word in given_again.split(",")])


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.name)
def test_services_have_no_rights_they_do_not_need(path: Path) -> None:
    lines = set(path.read_text(encoding="utf-8").splitlines())
    assert not HARDENED - lines
    assert "User=gisgrid" in lines


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not here")
def test_systemd_takes_them(tmp_path: Path) -> None:
    for path in [*SERVICES, *DEPLOY.glob("*.timer")]:
        text = path.read_text(encoding="utf-8").replace("/opt/gisgrid/bin/gisgrid", "/bin/true")
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    units = [str(tmp_path / path.name) for path in [*SERVICES, *DEPLOY.glob("*.timer")]]
    checked = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    said = [line for line in checked.stderr.splitlines() if "gisgrid" in line and "Failed to" not in line]
    assert not said, checked.stderr
    judged = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", *units[: len(SERVICES)]],
        capture_output=True,
        text=True,
        check=False,
    )
    levels = [float(level) for level in re.findall(r"exposure level for \S+: ([0-9.]+)", judged.stdout)]
    if not levels:
        pytest.skip(f"systemd-analyze judges no files here: {judged.stderr.strip()[:200]}")
    print(f"exposure {levels} of 10")
    assert max(levels) < 3.5


def test_the_container_has_no_root_and_is_watched() -> None:
    text = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    users = re.findall(r"^USER (\S+)$", text, re.MULTILINE)
    assert users
    assert users[-1].split(":")[0] not in ("root", "0")
    assert re.search(r"^HEALTHCHECK ", text, re.MULTILINE)
    assert text.index("USER ") < text.index("ENTRYPOINT")
    assert not re.search(r"^ADD |:latest$|--trusted-host|--index-url", text, re.MULTILINE)
    for name in ("libgl1", "libegl1", "libexpat1", "fonts-noto-cjk", "postgresql-client"):
        assert name in text


def test_nothing_secret_is_in_them() -> None:
    for path in DEPLOY.iterdir():
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"(?i)password\s*[:=]\s*(?!\$)[A-Za-z0-9]", text), path.name
        assert "PRIVATE KEY" not in text


def test_the_proxy_believes_nobody() -> None:
    text = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    assert "$proxy_add_x_forwarded_for" not in text
    assert text.count("proxy_set_header X-Forwarded-For $remote_addr;") == text.count("proxy_pass ")
    assert re.search(r"location ~ \^/\(metrics\|healthz\|readyz\)\$ \{[^}]*deny all;", text)
    formats = re.search(r"log_format gisgrid '([^']*)'", text)
    assert formats is not None
    assert not {"$request ", "$args", "$query_string", "$request_uri", "$remote_addr"} & set(formats[1].split())
    sizes = [int(gigabytes) for gigabytes in re.findall(r"client_max_body_size (\d+)g;", text)]
    from gisgrid.limits import JOB_INPUT_BYTES_MAX

    assert sizes[0] * 1024**3 >= JOB_INPUT_BYTES_MAX
