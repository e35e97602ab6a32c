"""The README: what can be pasted from it works, in its order, against a real server."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from farebox.contract.operations import OPERATIONS
from farebox.settings import SETTINGS
from tests.support.server import RunningServer

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
FENCED = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"(?:^ {4}\S.*\n(?: {4}.*\n|\n(?= {4}))*)", re.MULTILINE)
# Each has a test of its own, or needs a machine that has nothing yet.
NOT_RUN = ("make ", "pip ", "farebox serve")
SHOWN_ONCE = re.compile(r"\b(fb[xt]_\w+)")
ECHOED = {"RESERVATION=": "; echo $RESERVATION"}
MAPPING = '[key]\nheader = "x-api-key"\n[combined]\ntrailing = ["http_x_api_key"]\n'


def commands() -> list[str]:
    """The commands of the README's blocks, in their order, with their continued lines."""
    found: list[str] = []
    for block in BLOCK.findall(FENCED.sub("", README)):
        for line in block.splitlines():
            if line.startswith("     ") and found:
                found[-1] += "\n" + line
            elif line.strip() and not line.strip().startswith("#"):
                found.append(line.strip())
    return found


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    with RunningServer(tmp_path) as running:
        yield running


def test_every_command_works_in_its_order(server: RunningServer, tmp_path: Path) -> None:
    environment = {
        **server.environment,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    ran = []
    for command in commands():
        if command.startswith(NOT_RUN):
            continue
        if command.startswith("farebox import"):
            write_log(tmp_path, environment["KEY"])
        done = subprocess.run(
            ["bash", "-ec", at_the_server(command, server) + ECHOED.get(command[:12], "")],
            capture_output=True,
            check=False,
            cwd=tmp_path,
            env=environment,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        if command.startswith("curl"):
            assert "code" not in json.loads(done.stdout), (command, done.stdout)
        if command.startswith("RESERVATION="):
            environment["RESERVATION"] = done.stdout.strip()
        for name, verb in (("KEY", "farebox keys create"), ("TOKEN", "farebox tokens create")):
            if command.startswith(verb):
                (environment[name],) = SHOWN_ONCE.findall(done.stdout)
        ran.append(command)
    for program in FENCED.findall(README):
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", at_the_server(program, server)],
            capture_output=True,
            check=False,
            env=environment,
            text=True,
            timeout=60,
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), program
    assert len(FENCED.findall(README)) == 2
    assert sum(command.startswith("farebox") for command in ran) >= 8
    assert sum(command.startswith("curl") for command in ran) >= 9


def at_the_server(text: str, server: RunningServer) -> str:
    return text.replace("http://127.0.0.1:8080", server.url)


def write_log(folder: Path, key: str) -> None:
    """The log and the mapping that the README names."""
    at = datetime.now(UTC).isoformat(timespec="seconds")
    line = {"time_iso8601": at, "request": "GET /people HTTP/1.1", "http_x_api_key": key}
    (folder / "access.log.gz").write_bytes(gzip.compress(json.dumps(line).encode() + b"\n"))
    (folder / "mapping.toml").write_text(MAPPING)


def test_a_line_is_shown_for_every_endpoint_of_the_customer() -> None:
    shown = set(re.findall(r"curl (?:-s )?http://127\.0\.0\.1:8080(/\S+)", README))
    customer = {operation.path for operation in OPERATIONS if operation.audience == "customer"}
    assert customer - shown == {"/api_keys/logs/lookup"}
    assert shown >= {"/v1/authorize", "/v1/settle", "/v1/requests"}


def test_every_link_and_every_picture_is_there() -> None:
    links = re.findall(r'\]\(([^)]+)\)|src(?:set)?="([^"]+)"', README)
    assert links
    assert [link for pair in links for link in pair if not (ROOT / link).exists()] == []


def test_the_settings_have_the_defaults_that_are_told() -> None:
    defaults = {setting.name: setting.default for setting in SETTINGS}
    rows = re.findall(r"^\| (`FAREBOX_[^|]*) \| ([^|]*) \|", README, re.MULTILINE)
    assert len(rows) == 8
    for names, values in rows:
        told = re.findall(r"`([^`]*)`", values)
        if told:
            assert told == [defaults[name] for name in re.findall(r"`([^`]*)`", names)]
