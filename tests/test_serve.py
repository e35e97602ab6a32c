"""The command `serve`: its flags, its end, and what it says of what is wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from farebox.settings import SETTINGS

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
