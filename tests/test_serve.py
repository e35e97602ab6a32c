"""The command `serve`: its flags, its end, and what it says of what is wrong."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from farebox.server import bounds_of
from farebox.settings import SETTINGS
from farebox.store.sqlite.database import open_writer
from farebox.store.sqlite.migrate import migrate

TOKEN = "token-of-the-tests"
STOP_SECONDS_MAX = 30


@contextmanager
def serving(
    arguments: Sequence[str], environment: dict[str, str]
) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """A server process and what it printed until it served; the URL is the last of it."""
    server = subprocess.Popen(
        [sys.executable, "-m", "farebox", "serve", "--port", "0", *arguments],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        words: list[str] = []
        while not any(word.startswith("http://") for word in words):
            line = server.stdout.readline()
            assert line, server.communicate()[1]
            words += line.split()
        yield server, [word for word in words if word.startswith(("http://", "fbt_"))]
    finally:
        server.kill()
        server.communicate()


def test_a_server_that_is_told_to_stop_ends_well_and_says_so(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/farebox.db"
    for number in (signal.SIGTERM, signal.SIGINT):
        with serving(["--database", database], {"FAREBOX_ADMIN_TOKEN": TOKEN}) as (server, told):
            assert httpx.get(f"{told[0]}/readyz").json() == {"status": "ok"}
            server.send_signal(number)
            _, log = server.communicate(timeout=STOP_SECONDS_MAX)
        assert server.returncode == 0, log
        messages = [json.loads(line)["message"] for line in log.splitlines()]
        assert messages[-1] == "farebox has stopped"
        assert TOKEN not in log


def test_the_first_start_makes_a_token_and_tells_it_once(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/farebox.db"
    counts = []
    for _ in range(2):
        with serving(["--database", database], {}) as (server, told):
            counts.append(sum(word.startswith("fbt_") for word in told))
            server.send_signal(signal.SIGTERM)
            out, log = server.communicate(timeout=STOP_SECONDS_MAX)
            assert "fbt_" not in out + log
    assert counts == [1, 0]


def test_the_help_lists_every_setting_but_the_secret_ones() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "farebox", "serve", "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "COLUMNS": "200"},
    ).stdout
    for setting in SETTINGS:
        flag = "--" + setting.field.replace("_", "-")
        assert (flag in shown) is not setting.is_secret


@pytest.mark.parametrize(
    ("flags", "named"),
    [(["--port", "x"], "FAREBOX_PORT"), (["--log-level", "loud"], "FAREBOX_LOG_LEVEL")],
)
def test_wrong_settings_end_it_with_2_and_their_names(flags: list[str], named: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "farebox", "serve", *flags],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"farebox: {named} must be ")
    assert "Traceback" not in ended.stderr


def failed(*arguments: str, environment: dict[str, str] | None = None) -> str:
    """What a server that can't start tells on stderr, in lines of its own."""
    ended = subprocess.run(
        [sys.executable, "-m", "farebox", "serve", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **(environment or {})},
        timeout=STOP_SECONDS_MAX,
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "Traceback" not in ended.stderr
    assert all(line.startswith("farebox: ") for line in ended.stderr.splitlines())
    return ended.stderr


def test_a_taken_port_is_told_before_anything_is_made(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        database = f"sqlite:///{tmp_path}/farebox.db"
        told = failed("--port", str(port), "--database", database)
    assert f"can't listen on port {port} of 127.0.0.1" in told
    assert "--port" in told
    assert list(tmp_path.iterdir()) == []


def test_a_host_that_is_not_this_machine_is_told(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/farebox.db"
    told = failed("--host", "192.0.2.1", "--port", "0", "--database", database)
    assert "can't listen on port 0 of 192.0.2.1" in told


def test_a_folder_that_is_missing_is_told(tmp_path: Path) -> None:
    told = failed("--port", "0", "--database", f"sqlite:///{tmp_path}/none/farebox.db")
    assert f"there is no folder {tmp_path}/none\n" in told


def test_a_database_of_a_newer_farebox_is_told_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "farebox.db"
    writer = open_writer(path)
    migrate(writer)
    writer.execute("schema_state_put", version=1000, oldest=1000, finished=0)
    writer.close()
    told = failed("--port", "0", "--database", f"sqlite:///{path}")
    assert "schema 1000, of a newer Farebox" in told


def test_a_file_that_is_no_database_is_told_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "farebox.db"
    path.write_text("This is a letter and no database. " * 100)
    told = failed("--port", "0", "--database", f"sqlite:///{path}")
    assert f"{path}: " in told
    assert path.read_text().startswith("This is a letter")


def test_a_configured_token_that_was_revoked_is_told_by_its_setting(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/farebox.db"
    configured = {"FAREBOX_ADMIN_TOKEN": TOKEN}
    with serving(["--database", database], configured) as (server, told):
        tokens = f"{told[0]}/admin/v1/tokens"
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        (token,) = httpx.get(tokens, headers=bearer).json()["data"]
        assert httpx.delete(f"{tokens}/{token['token_id']}", headers=bearer).status_code == 204
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=STOP_SECONDS_MAX)
    line = failed("--port", "0", "--database", database, environment=configured)
    assert line == (
        "farebox: The setting 'FAREBOX_ADMIN_TOKEN' can't be used: it holds a token that was "
        "revoked; set another one.\n"
    )


def test_the_documentation_names_the_port_that_was_taken(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/farebox.db"
    with serving(["--database", database], {"FAREBOX_ADMIN_TOKEN": TOKEN}) as (_, told):
        page = httpx.get(f"{told[0]}/docs/en/getting-started.md").text
    assert f"curl {told[0]}/v1/quotas" in page


@pytest.mark.parametrize(
    ("files_max", "connections"),
    [(1_024, 768), (100, 50), (1_048_576, 4_096), (resource.RLIM_INFINITY, 4_096)],
)
def test_connections_leave_files_for_the_rest_of_the_server(
    files_max: int, connections: int
) -> None:
    assert bounds_of(files_max).connections == connections
