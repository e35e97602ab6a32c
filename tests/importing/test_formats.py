"""A log of any format counts once, whatever its name, its packing and the way that it comes."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.importing.shop import Counted, Shop, counted
from tests.importing.weblog import KEYED_COMBINED, MAPPINGS, calls, line_at, log_of, now_ms

LINES = 5_000
PRICES = {"/people": 3, "/companies": 1, "/nothing": 0}


def piped(shop: Shop, mapping: str, content: bytes) -> str:
    """What the real command prints that gets a log as its standard input."""
    done = subprocess.run(
        [sys.executable, "-m", "farebox", "import", "-", "--mapping", mapping],
        input=content,
        capture_output=True,
        check=True,
        env={**os.environ, "FAREBOX_DATABASE": shop.url},
        timeout=100,
    )
    assert done.stderr == b""
    return done.stdout.decode()


@pytest.mark.parametrize("name", MAPPINGS)
def test_a_log_counts_once_in_whatever_form_it_comes_again(name: str, shop: Shop) -> None:
    content = log_of(name, LINES, shop.key)
    mapping = shop.file("mapping.toml", MAPPINGS[name])
    first = shop.json(shop.file("access.log", content), "--mapping", mapping)
    assert counted(first) == Counted(accepted=LINES)
    assert first["format"] == name
    for form in (
        shop.file("access.log", content),
        shop.file("renamed.txt", content),
        shop.file("access.log.1.gz", gzip.compress(content)),
        shop.file("windows.log", content.replace(b"\n", b"\r\n")),
    ):
        again = shop.json(form, "--mapping", mapping)
        assert counted(again) == Counted(duplicates=LINES), form
    assert f"duplicates  {LINES}" in piped(shop, mapping, gzip.compress(content))
    shop.check(LINES)


def test_a_pipe_is_imported_as_a_file_is(shop: Shop) -> None:
    content = log_of("combined", LINES, shop.key)
    mapping = shop.file("mapping.toml", KEYED_COMBINED)
    assert f"accepted    {LINES}" in piped(shop, mapping, content)
    again = shop.json(shop.file("access.log", content), "--mapping", mapping)
    assert counted(again) == Counted(duplicates=LINES)
    shop.check(LINES)


def test_a_named_pipe_is_read_once_and_whole(shop: Shop, tmp_path: Path) -> None:
    content = log_of("combined", LINES, shop.key)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writing = threading.Thread(target=pipe.write_bytes, args=(content,))
    writing.start()
    mapping = shop.file("mapping.toml", KEYED_COMBINED)
    assert counted(shop.json(str(pipe), "--mapping", mapping)) == Counted(accepted=LINES)
    writing.join()
    shop.check(LINES)


def test_calls_are_priced_by_their_paths_and_failed_ones_are_free(shop: Shop) -> None:
    mapping = shop.file("mapping.toml", KEYED_COMBINED)
    log = shop.file("access.log", log_of("combined", 1_000, shop.key))
    shop.json(log, "--mapping", mapping)
    expected = {prefix: [0, 0] for prefix in PRICES}
    for call in calls(1_000):
        prefix = "/" + call.target.split("/")[1]
        expected[prefix][0] += 1
        expected[prefix][1] += 0 if call.status >= 400 else PRICES[prefix] * 1_000_000
    found = shop.select(
        "select substr(path, 1, instr(substr(path, 2), '/')), count(*), sum(credits_micro)"
        " from requests group by 1"
    )
    assert {prefix: [count, micro] for prefix, count, micro in found} == expected
    # A query may hold what is nobody's business.
    assert shop.select("select count(*) from requests where path like '%?%'") == [(0,)]


def test_the_key_and_its_header_are_found_where_the_mapping_says(shop: Shop) -> None:
    other_id, other = shop.new_key()
    at_ms = now_ms()
    log = shop.file("access.log", line_at(at_ms, shop.key) + "\n" + line_at(at_ms, other) + "\n")
    shop.json(log, "--mapping", shop.file("mapping.toml", KEYED_COMBINED))
    found = shop.select("select key_id, authentication_type from requests")
    assert sorted(found) == sorted([(shop.key_id, "x-api-key"), (other_id, "x-api-key")])


def test_one_key_for_all_lines_can_be_named_by_its_id(shop: Shop) -> None:
    log = shop.file("access.log", log_of("nginx_json", 100, "-"))
    assert counted(shop.json(log, "--key-id", shop.key_id)) == Counted(accepted=100)
    assert shop.select("select distinct key_id, authentication_type from requests") == [
        (shop.key_id, None)
    ]


def test_the_paths_of_the_mapping_go_before_those_of_the_log_types(shop: Shop) -> None:
    toml = KEYED_COMBINED + '[paths]\n"POST /people/*" = "company"\n'
    log = shop.file("access.log", line_at(now_ms(), shop.key) + "\n")
    shop.json(log, "--mapping", shop.file("mapping.toml", toml))
    assert shop.select("select credits_micro from requests") == [(1_000_000,)]
