"""Log types: prices through time, and templates that never tie."""

from __future__ import annotations

from typing import Any

import pytest

from farebox.core.errors import ALREADY_EXISTS, NOT_FOUND, PATH_TIE, UNPROCESSABLE
from farebox.core.instant import MS_PER_DAY, to_iso_ms
from farebox.core.log_type import price_at
from farebox.service.log_types import list_log_types, read_log_type
from farebox.service.pages import turn
from tests.support.harness import Harness
from tests.support.refusal import refused


def test_the_hold_is_the_credits_unless_it_is_given(harness: Harness) -> None:
    harness.log_type("a", credits=3)
    harness.log_type("b", credits=15, hold_credits=30)
    held = {t.slug: t.prices[0].hold_micro for t in harness.directory.log_types.values()}
    assert held == {"a": 3_000_000, "b": 30_000_000}


def test_a_hold_that_equals_the_credits_follows_them(harness: Harness) -> None:
    harness.log_type("a", credits=3)
    harness.log_type("b", credits=15, hold_credits=30)
    assert harness.call("log_types.change", slug="a", credits=4).hold_credits == 4
    assert harness.call("log_types.change", slug="b", credits=16).hold_credits == 30
    with refused(UNPROCESSABLE, harness, field="hold_credits"):
        harness.call("log_types.change", slug="b", credits=31)


def test_a_hold_below_the_credits_is_refused(harness: Harness) -> None:
    with refused(UNPROCESSABLE, harness, field="hold_credits"):
        harness.log_type("a", credits=3, hold_credits=2)


def test_a_new_price_begins_at_its_instant(harness: Harness) -> None:
    harness.log_type("a", credits=3)
    begins_ms = harness.now_ms + MS_PER_DAY
    answer = harness.call("log_types.change", slug="a", credits=5, valid_from=to_iso_ms(begins_ms))
    assert answer.credits == 3
    assert [(p.credits, p.valid_from) for p in answer.scheduled_prices] == [
        (5, to_iso_ms(begins_ms))
    ]
    prices = harness.directory.log_type_by_slug["a"].prices
    for time_ms, credits_micro in (
        (0, 3_000_000),
        (begins_ms - 1, 3_000_000),
        (begins_ms, 5_000_000),
    ):
        price = price_at(prices, time_ms)
        assert price is not None
        assert price.credits_micro == credits_micro
    harness.advance(days=1)
    assert read_log_type(harness.reader, "a", harness.now_ms).credits == 5


def test_a_price_can_not_begin_in_the_past(harness: Harness) -> None:
    harness.log_type("a")
    with refused(UNPROCESSABLE, harness, field="valid_from"):
        harness.call(
            "log_types.change",
            slug="a",
            credits=5,
            valid_from=to_iso_ms(harness.now_ms - MS_PER_DAY),
        )


def test_an_instant_without_a_price_is_refused(harness: Harness) -> None:
    harness.log_type("a")
    with refused(UNPROCESSABLE, harness, field="valid_from"):
        harness.call("log_types.change", slug="a", valid_from=to_iso_ms(harness.now_ms))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("GET", "/people/{id}"), ("get", "/people/{name}")),
        ((None, "/people/{id}"), (None, "/people/{x}/")),
        (("POST", "/a/*"), ("POST", "/a/*")),
        ((None, "/a/{x}/*"), (None, "/a/{y}/*")),
    ],
)
def test_a_tie_is_refused(
    harness: Harness, first: tuple[str | None, str], second: tuple[str | None, str]
) -> None:
    harness.log_type("first", method=first[0], path=first[1])
    with refused(PATH_TIE, harness):
        harness.log_type("second", method=second[0], path=second[1])
    harness.log_type("third", path="/elsewhere")
    with refused(PATH_TIE, harness):
        harness.call("log_types.change", slug="third", method=second[0], path=second[1])


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/people/{id}"), (None, "/people/{id}"), ("GET", "/people/me"), ("GET", "/people/*")],
)
def test_what_can_be_told_apart_is_no_tie(harness: Harness, method: str | None, path: str) -> None:
    harness.log_type("first", method="GET", path="/people/{id}")
    harness.log_type("second", method=method, path=path)
    assert harness.call("log_types.change", slug="first", path="/people/{x}").path == "/people/{x}"


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("slug", {"slug": "__unknown__"}),
        ("slug", {"slug": "a b"}),
        ("credits", {"credits": -1}),
        ("path", {"path": "people"}),
        ("path", {"path": "/a/{x"}),
        ("path", {"path": "/*/a"}),
        ("path", {"method": "GET"}),
        ("path", {"path": "/a\u0000"}),
        ("method", {"method": "G E T", "path": "/a"}),
    ],
)
def test_a_field_that_can_not_be_is_named(
    harness: Harness, field: str, fields: dict[str, Any]
) -> None:
    sent: dict[str, Any] = {"slug": "a", "name": "A", "credits": 1, **fields}
    with refused(UNPROCESSABLE, harness, field=field):
        harness.call("log_types.create", **sent)


def test_a_slug_is_taken_once(harness: Harness) -> None:
    harness.log_type("a")
    with refused(ALREADY_EXISTS, harness, field="slug"):
        harness.log_type("a")


def test_an_unknown_log_type_can_not_be_changed(harness: Harness) -> None:
    with refused(NOT_FOUND, harness):
        harness.call("log_types.change", slug="a", name="x")


def test_a_path_can_be_taken_away(harness: Harness) -> None:
    harness.log_type("a", method="GET", path="/a")
    assert harness.directory.paths.find("GET", "/a") is not None
    answer = harness.call("log_types.change", slug="a", method=None, path=None)
    assert (answer.method, answer.path) == (None, None)
    assert harness.directory.paths.find("GET", "/a") is None


def test_pages_hold_every_log_type_once(harness: Harness) -> None:
    for number in range(5):
        harness.log_type(f"t{number}")
    first = list_log_types(harness.reader, turn(None, 4), harness.now_ms)
    second = list_log_types(harness.reader, turn(first.next_cursor, 4), harness.now_ms)
    assert [t.slug for t in first.data + second.data] == [f"t{n}" for n in range(5)]
    assert second.next_cursor is None
