"""What can't be recorded is told by line and reason, never by content, and spoils no other line."""

from __future__ import annotations

import json

import pytest

from farebox.core.instant import MS_PER_DAY, MS_PER_MINUTE
from tests.importing.shop import Counted, Shop, counted
from tests.importing.weblog import KEYED_COMBINED, line_at, now_ms

# Each stands for what may not get out.
CANARIES = ("canary-key-0123456789", "canary-path", "canary_type", "canary garbage")
TYPED = (
    KEYED_COMBINED.replace('"http_x_api_key"', '"http_x_api_key", "type"')
    + '[log_type]\nfield = "type"\n'
)


@pytest.fixture
def log(shop: Shop) -> str:
    """Two good lines, and one of each kind that is refused."""
    at_ms = now_ms()
    lines = [
        line_at(at_ms, shop.key) + ' "people_search"',
        line_at(at_ms, CANARIES[0]) + ' "people_search"',
        line_at(at_ms, shop.key, f"/{CANARIES[1]}") + f' "{CANARIES[2]}"',
        line_at(at_ms + 10 * MS_PER_MINUTE, shop.key, f"/{CANARIES[1]}") + ' "people_search"',
        CANARIES[3],
        "",
        line_at(at_ms, CANARIES[0], f"/{CANARIES[1]}") + ' "people_search"',
        line_at(at_ms, "-") + ' "people_search"',
        line_at(at_ms - 400 * MS_PER_DAY, shop.key) + ' "company"',
        line_at(at_ms, shop.key) + ' "people_sear',
    ]
    return shop.file("access.log", "\n".join(lines))


def test_refused_lines_are_told_by_number_and_reason(shop: Shop, log: str) -> None:
    ran = shop.run(log, "--mapping", shop.file("m.toml", TYPED))
    assert ran.status == 0
    assert ran.err.splitlines() == [
        f"{log}: 2 lines (2, 7): the key, or the key id, is not known",
        f"{log}: 1 line (10): the last line has no line end, so it may be half written",
        f"{log}: 1 line (8): the line has no key where the mapping says",
        f"{log}: 1 line (5): the line is not in the combined format",
        f"{log}: 1 line (3): the log type is not known",
        f"{log}: 1 line (4): the time lies more than 5 minutes ahead",
    ]
    for canary in (*CANARIES, shop.key):
        assert canary not in ran.out + ran.err
    shop.check(2)


def test_refused_lines_are_told_in_json_too(shop: Shop, log: str) -> None:
    answer = shop.json(log, "--mapping", shop.file("m.toml", TYPED))
    assert counted(answer) == Counted(accepted=2, refused=7)
    assert {r["reason"]: (r["lines"], r["first_lines"]) for r in answer["refusals"]} == {
        "unknown_key": (2, [2, 7]),
        "unended": (1, [10]),
        "no_key": (1, [8]),
        "not_combined": (1, [5]),
        "unknown_log_type": (1, [3]),
        "future": (1, [4]),
    }
    assert all(r["message"] for r in answer["refusals"])
    for canary in (*CANARIES, shop.key):
        assert canary not in json.dumps(answer)


def test_what_was_refused_is_imported_once_its_cause_is_gone(shop: Shop, log: str) -> None:
    mapping = shop.file("m.toml", TYPED)
    shop.json(log, "--mapping", mapping)
    shop.new_key(CANARIES[0])
    shop.new_log_type(CANARIES[2], 5)
    again = counted(shop.json(log, "--mapping", mapping))
    assert again == Counted(accepted=3, duplicates=2, refused=4)
    shop.check(5)


def test_a_time_a_little_ahead_is_taken_and_one_far_ahead_is_not(shop: Shop) -> None:
    at_ms = now_ms()
    lines = [line_at(at_ms + minutes * MS_PER_MINUTE, shop.key) for minutes in (4, 6)]
    answer = shop.json(
        shop.file("access.log", "\n".join(lines) + "\n"),
        "--mapping",
        shop.file("m.toml", KEYED_COMBINED),
    )
    assert counted(answer) == Counted(accepted=1, refused=1)
    assert answer["refusals"][0]["first_lines"] == [2]


def test_a_request_id_with_another_content_is_a_conflict(shop: Shop) -> None:
    line = {"msec": f"{now_ms() // 1000}.000", "request": "GET /companies/1 HTTP/1.1"}
    lines = [
        {**line, "request_id": "a", "status": 200},
        {**line, "request_id": "a", "status": 200},
        {**line, "request_id": "a", "status": 500},
    ]
    toml = f'[key_id]\nvalue = "{shop.key_id}"\n[request_id]\nfield = "request_id"\n'
    log = shop.file("access.log", "".join(json.dumps(line) + "\n" for line in lines))
    answer = shop.json(log, "--mapping", shop.file("m.toml", toml))
    assert counted(answer) == Counted(accepted=1, duplicates=1, refused=1, conflicts=1)
    assert answer["refusals"][0] == {
        "reason": "conflict",
        "message": "a request with this id was recorded before with another content",
        "lines": 1,
        "first_lines": [3],
    }
    shop.check(1)


def test_a_log_of_which_nothing_is_recorded_has_failed(shop: Shop) -> None:
    log = shop.file("access.log", (line_at(now_ms(), CANARIES[0]) + "\n") * 30)
    mapping = shop.file("m.toml", KEYED_COMBINED)
    ran = shop.run(log, "--mapping", mapping)
    assert ran.status == 1
    assert "refused     30" in ran.out
    numbers = ", ".join(map(str, range(1, 21)))
    assert ran.err == f"{log}: 30 lines ({numbers}, …): the key, or the key id, is not known\n"
    answer = shop.json(log, "--mapping", mapping, status=1)
    assert answer["refusals"][0]["first_lines"] == list(range(1, 21))


def test_an_empty_log_is_no_failure(shop: Shop) -> None:
    answer = shop.json(shop.file("access.log", b""))
    assert counted(answer) == Counted()
    assert answer["format"] is None
