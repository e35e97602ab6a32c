"""The command itself: what it refuses to begin with, where it looks, what it shows."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from farebox.cli.main import make_app, run
from farebox.importing.command import add_import
from farebox.importing.run import Import
from tests.importing.shop import Shop
from tests.importing.weblog import KEYED_COMBINED, line_at, log_of, now_ms

LINES = 5_000


@pytest.mark.parametrize("source", ["flag", "environment", "default"])
def test_without_a_database_nothing_is_imported_and_none_is_made(
    source: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("access.log").write_text(line_at(now_ms(), "some-key-or-other") + "\n")
    arguments = ["import", "access.log"]
    if source == "flag":
        arguments += ["--database", f"sqlite:///{tmp_path}/farebox.db"]
    elif source == "environment":
        monkeypatch.setenv("FAREBOX_DATABASE", f"sqlite:///{tmp_path}/farebox.db")
    assert run(make_app(add_import), arguments) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("farebox: there is no database at ")
    assert "farebox.db; name another one with --database" in err
    assert [path.name for path in tmp_path.iterdir()] == ["access.log"]


def test_the_environment_names_the_database_and_the_flag_goes_before_it(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = shop.file("access.log", line_at(now_ms(), shop.key) + "\n")
    mapping = shop.file("m.toml", KEYED_COMBINED)
    monkeypatch.setenv("FAREBOX_DATABASE", shop.url)
    assert shop.run_bare(log, "--mapping", mapping).status == 0
    assert shop.recorded() == 1
    monkeypatch.setenv("FAREBOX_DATABASE", "sqlite:////nowhere/farebox.db")
    assert shop.run_bare(log, "--mapping", mapping).status == 1
    assert "duplicates  1" in shop.run(log, "--mapping", mapping).out


@pytest.mark.parametrize(
    ("status", "arguments", "words"),
    [
        (2, ("none.log",), "none.log"),
        (2, (".",), "directory"),
        (2, ("access.log", "--format", "iis"), "combined, nginx_json, caddy_json"),
        (2, ("access.log", "--mapping", "none.toml"), "none.toml"),
        (2, ("access.log", "--mapping", "broken.toml"), "line 1"),
        (2, ("access.log", "--mapping", "wrong.toml"), "'nonsense' is not known"),
        (1, ("access.log", "--mapping", "latin.toml"), "UTF-8"),
        (2, ("access.log", "--key-id", ""), "key_id"),
        (2, ("access.log",), "'key' or 'key_id' must name"),
        (2, ("prose.txt",), "combined, nginx_json, caddy_json"),
        (2, ("access.log", "--database", "mysql://x"), "sqlite:///FILE"),
        (2, (), "FILE"),
    ],
)
def test_what_can_t_be_begun_says_why_and_imports_nothing(
    shop: Shop,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    arguments: tuple[str, ...],
    words: str,
) -> None:
    monkeypatch.chdir(shop.folder)
    monkeypatch.setenv("FAREBOX_DATABASE", shop.url)
    shop.file("access.log", line_at(now_ms(), shop.key) + "\n")
    shop.file("prose.txt", "This is a letter\nand no log.\n")
    shop.file("broken.toml", "[key\n")
    shop.file("wrong.toml", "nonsense = 1\n")
    shop.file("latin.toml", b"# \xe9\n")
    ran = shop.run_bare(*arguments)
    assert (ran.status, ran.out) == (status, "")
    assert words in ran.err
    assert "Traceback" not in ran.err
    assert shop.recorded() == 0


def test_every_wrong_part_of_a_mapping_is_told_in_a_line_of_its_own(shop: Shop) -> None:
    log = shop.file("access.log", line_at(now_ms(), shop.key) + "\n")
    ran = shop.run(log, "--mapping", shop.file("m.toml", 'nonsense = 1\nformat = "iis"\n'))
    assert (ran.status, ran.out) == (2, "")
    assert [line.partition(": '")[0] for line in ran.err.splitlines()] == [
        "farebox: the mapping",
        "farebox: the mapping",
    ]


def test_an_interrupted_import_says_how_to_go_on(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Import, "run", interrupt)
    ran = shop.run(shop.file("access.log", b""))
    assert ran.status == 130
    assert "the same command goes on from there" in ran.err


def test_wrong_settings_are_told_each_by_its_name(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAREBOX_KEY_HEADERS", "a b")
    monkeypatch.setenv("FAREBOX_PRT", "8080")
    ran = shop.run(shop.file("access.log", b""))
    assert (ran.status, ran.out) == (2, "")
    assert "farebox: FAREBOX_KEY_HEADERS must be" in ran.err
    assert "farebox: FAREBOX_PRT is not a setting" in ran.err


def test_the_settings_say_which_headers_hold_a_key(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAREBOX_KEY_HEADERS", "x-shop-key")
    toml = '[combined]\ntrailing = ["request_time", "http_x_shop_key"]\n'
    log = shop.file("access.log", line_at(now_ms(), shop.key) + "\n")
    assert shop.run(log, "--mapping", shop.file("m.toml", toml)).status == 0
    assert shop.select("select authentication_type from requests") == [("x-shop-key",)]


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_terminal_gets_a_progress_bar_and_a_pipe_none(shop: Shop, *, is_terminal: bool) -> None:
    log = shop.file("access.log", log_of("combined", LINES, shop.key))
    mapping = shop.file("m.toml", KEYED_COMBINED)
    ours, theirs = pty.openpty() if is_terminal else os.pipe()
    with subprocess.Popen(
        [sys.executable, "-m", "farebox", "import", log, "--mapping", mapping, "--json"],
        stdout=subprocess.PIPE,
        stderr=theirs,
        env={**os.environ, "FAREBOX_DATABASE": shop.url, "TERM": "xterm", "COLUMNS": "200"},
    ) as process:
        os.close(theirs)
        shown = _all_of(ours)
        out, _ = process.communicate(timeout=100)
    assert process.returncode == 0
    assert b'"accepted": 5000' in out
    assert b"\x1b" not in out
    if is_terminal:
        assert b"access.log" in shown
        assert b"\x1b[" in shown
        assert b"MB" in shown or b"kB" in shown
    else:
        assert shown == b""


def _all_of(descriptor: int) -> bytes:
    """All that is written; a terminal whose other side was closed is an error and the end."""
    found = b""
    try:
        while data := os.read(descriptor, 65_536):
            found += data
    except OSError:
        pass
    finally:
        os.close(descriptor)
    return found
