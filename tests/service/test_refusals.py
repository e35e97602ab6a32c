"""Refusals: a batch counts once, lists and counts show a workspace's own, and days are its days."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NamedTuple

import pytest

from farebox.core.calendar import QUARTER_MS, parse_day
from farebox.core.errors import (
    CATALOGUE,
    INVALID_DATE,
    INVERTED_RANGE,
    NOT_FOUND,
    RANGE_TOO_LONG,
)
from farebox.core.instant import MS_PER_DAY, MS_PER_HOUR, parse_rfc3339
from farebox.service.forms.refusal import RefusalCounts, RefusalData
from farebox.service.pages import turn
from farebox.service.refusal_counts import read_refusal_counts
from farebox.service.refusal_list import RefusalFilter, list_refusals
from tests.support.harness import START_MS, Harness
from tests.support.refusal import dump, refused
from tests.support.refused import note, refusal


class Shop(NamedTuple):
    """A workspace with a key."""

    profile_id: int
    key_id: str


@pytest.fixture
def shop(harness: Harness) -> Shop:
    profile_id = harness.workspace(timezone="Europe/Berlin")
    return Shop(profile_id, harness.key(profile_id))


def listed(harness: Harness, **wanted: Any) -> list[RefusalData]:  # noqa: ANN401 - as the filter
    return list_refusals(harness.reader, RefusalFilter(**wanted), turn(None, 100)).data


def counts(
    harness: Harness, shop: Shop, start_date: str | None = None, end_date: str | None = None
) -> RefusalCounts:
    return read_refusal_counts(
        harness.reader, shop.profile_id, start_date, end_date, harness.now_ms
    )


def test_a_repeated_batch_changes_nothing(harness: Harness, shop: Shop) -> None:
    note(harness, refusal(*shop), refusal(*shop), sequence=1)
    before = dump(harness)
    note(harness, refusal(*shop), refusal(*shop), sequence=1)
    after = dump(harness)
    for table in ("refusals", "refusal_log", "refusal_sources"):
        assert after[table] == before[table]
    note(harness, refusal(*shop), sequence=2)
    # One that was under way for long comes after its repeat and the next.
    note(harness, refusal(*shop), refusal(*shop), sequence=1)
    assert counts(harness, shop).totals.refusals == 3
    note(harness, refusal(*shop), source="two", sequence=1)
    assert counts(harness, shop).totals.refusals == 4


def test_a_process_that_has_long_ended_is_forgotten_and_no_other(
    harness: Harness, shop: Shop
) -> None:
    note(harness, refusal(*shop), source="old")
    harness.advance(days=20)
    note(harness, refusal(*shop), source="young")
    harness.advance(days=16)
    note(harness, refusal(*shop), source="new")
    sources = harness.select("select source from refusal_sources order by source")
    assert sources == [("new",), ("young",)]


def test_refusals_are_in_no_book_and_no_report(harness: Harness, shop: Shop) -> None:
    before = dump(harness)
    note(harness, refusal(*shop))
    after = dump(harness)
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"refusals", "refusal_log", "refusal_sources", "commits"}


def test_a_refusal_is_explained(harness: Harness, shop: Shop) -> None:
    log_type_id = harness.log_type("people_search")
    note(harness, refusal(*shop, log_type_id=log_type_id))
    (found,) = listed(harness)
    ((mask,),) = harness.select("select masked_authentication from keys")
    assert (found.profile_id, found.key_id, found.masked_authentication) == (*shop, mask)
    assert (found.status, found.code, found.denied_by) == (429, 42902, "hour")
    assert found.message == "The limit 'hour' is used up. Please try again later."
    assert (found.at, found.retry_at) == ("2026-05-05T12:00:00.000Z", "2026-05-05T13:00:00.000Z")
    assert (found.log_type_slug, found.channel) == ("people_search", "api")
    assert (found.method, found.path, found.ip) == ("POST", "/people/search", "192.0.2.1")
    assert found.is_shadow is False
    assert [(each.name, each.limit, each.remaining, each.reset) for each in found.limits] == [
        ("hour", 1000, 0, "2026-05-05T13:00:00.000Z"),
        ("key_credits", 5, Decimal("2.5"), "2026-05-05T13:00:00.000Z"),
        ("credits", None, Decimal("-1250.5"), None),
    ]


def test_a_refusal_without_a_key_is_nobodys(harness: Harness, shop: Shop) -> None:
    note(harness, refusal(0, "", code=40102, denied_by="key", limits=(), retry_at_ms=None))
    (found,) = listed(harness)
    assert (found.profile_id, found.key_id, found.masked_authentication) == (None, None, None)
    assert (found.message, found.limits, found.retry_at) == ("The API key is not valid.", [], None)
    assert counts(harness, shop).totals.refusals == 0


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_every_code_has_its_message(harness: Harness, shop: Shop, code: int) -> None:
    note(harness, refusal(*shop, code=code))
    (found,) = listed(harness)
    assert found.message
    assert "{" not in found.message


def test_what_is_there_no_longer_breaks_no_list(harness: Harness, shop: Shop) -> None:
    note(harness, refusal(shop.profile_id, "key_gone", code=42999, log_type_id=77, denied_by="era"))
    (found,) = listed(harness, profile_id=shop.profile_id, denied_by="era")
    assert (found.message, found.log_type_slug, found.masked_authentication) == ("", None, None)
    assert counts(harness, shop).keys[0].masked_authentication is None


def test_the_newest_comes_first_page_by_page(harness: Harness, shop: Shop) -> None:
    note(harness, *(refusal(*shop, time_ms=START_MS + number) for number in range(7)))
    seen: list[int] = []
    cursor: str | None = None
    while True:
        page = list_refusals(harness.reader, RefusalFilter(), turn(cursor, 3))
        seen += [found.refusal_id for found in page.data]
        if page.next_cursor is None:
            break
        cursor = page.next_cursor
        # What comes meanwhile changes no page that follows.
        note(harness, refusal(*shop), source=cursor)
    assert seen == [7, 6, 5, 4, 3, 2, 1]


def test_a_list_shows_what_is_asked_for(harness: Harness, shop: Shop) -> None:
    other = Shop(harness.workspace(name="Bolt"), "")
    other = other._replace(key_id=harness.key(other.profile_id))
    second_key = harness.key(shop.profile_id)
    note(
        harness,
        refusal(*shop),
        refusal(*shop, denied_by="credits"),
        refusal(shop.profile_id, second_key),
        refusal(*other),
    )

    def ids(**wanted: Any) -> list[int]:  # noqa: ANN401 - as the filter
        return [found.refusal_id for found in listed(harness, **wanted)]

    assert ids() == [4, 3, 2, 1]
    assert ids(profile_id=shop.profile_id) == [3, 2, 1]
    assert ids(profile_id=other.profile_id) == [4]
    assert ids(key_id=shop.key_id) == [2, 1]
    assert ids(profile_id=shop.profile_id, key_id=second_key) == [3]
    assert ids(denied_by="credits") == [2]
    assert ids(denied_by="hour") == [4, 3, 1]
    assert ids(key_id=shop.key_id, denied_by="hour") == [1]
    assert ids(denied_by="day") == []
    for wanted in (
        {"profile_id": 99},
        {"key_id": "key_none"},
        {"profile_id": other.profile_id, "key_id": shop.key_id},
    ):
        with refused(NOT_FOUND):
            ids(**wanted)


def test_the_ring_of_a_workspace_holds_a_thousand(harness: Harness, shop: Shop) -> None:
    other = harness.workspace(name="Bolt")
    note(harness, refusal(other), sequence=1)
    for sequence in range(2, 5):
        note(harness, *[refusal(*shop)] * 600, sequence=sequence)
    rows = harness.select(
        "select profile_id, count(*), min(refusal_id), max(refusal_id) from refusal_log"
        " group by 1 order by 1"
    )
    assert rows == [(shop.profile_id, 1_000, 802, 1_801), (other, 1, 1, 1)]
    assert counts(harness, shop).totals.refusals == 1_800


def test_counts_are_by_day_reason_and_key(harness: Harness, shop: Shop) -> None:
    second_key = harness.key(shop.profile_id)
    note(
        harness,
        refusal(*shop),
        refusal(*shop, time_ms=START_MS + 3 * QUARTER_MS),
        refusal(*shop, time_ms=START_MS - MS_PER_DAY, is_shadow=True),
        refusal(*shop, denied_by="credits"),
        refusal(shop.profile_id, second_key),
        refusal(shop.profile_id, second_key, denied_by="credits", is_shadow=True),
        refusal(harness.workspace(name="Bolt")),
    )
    found = counts(harness, shop)
    assert (found.start_date, found.end_date, found.timezone) == (
        "2026-04-06",
        "2026-05-05",
        "Europe/Berlin",
    )
    assert (found.totals.refusals, found.totals.shadow_refusals) == (4, 2)
    assert [(d.date, d.refusals, d.shadow_refusals) for d in found.days] == [
        ("2026-05-04", 0, 1),
        ("2026-05-05", 4, 1),
    ]
    assert [(r.denied_by, r.refusals, r.shadow_refusals) for r in found.reasons] == [
        ("hour", 3, 1),
        ("credits", 1, 1),
    ]
    by_key = [(k.key_id, k.denied_by, k.refusals, k.shadow_refusals) for k in found.keys]
    assert by_key[0] == (shop.key_id, "hour", 2, 1)
    assert sorted(by_key[1:]) == sorted(
        [
            (shop.key_id, "credits", 1, 0),
            (second_key, "hour", 1, 0),
            (second_key, "credits", 0, 1),
        ]
    )
    assert found.keys[0].last_at == "2026-05-05T12:45:00.000Z"
    assert not found.is_cut


def test_a_day_is_the_workspaces_day_also_when_the_clocks_change(
    harness: Harness, shop: Shop
) -> None:
    # 25 October 2026 has 25 hours in Berlin: from 22:00 to 23:00 UTC of the next day.
    start_ms = parse_rfc3339("2026-10-24T22:00:00Z")
    instants = (
        start_ms - 1,
        start_ms,
        start_ms + 25 * MS_PER_HOUR - 1,
        start_ms + 25 * MS_PER_HOUR,
    )
    note(harness, *(refusal(*shop, time_ms=time_ms) for time_ms in instants))
    found = counts(harness, shop, "2026-10-25", "2026-10-25")
    assert [(day.date, day.refusals) for day in found.days] == [("2026-10-25", 2)]
    assert found.totals.refusals == sum(key.refusals for key in found.keys) == 2
    around = counts(harness, shop, "2026-10-24", "2026-10-26")
    assert [day.refusals for day in around.days] == [1, 2, 1]


def test_a_range_of_days_has_its_bounds(harness: Harness, shop: Shop) -> None:
    for start_date, end_date, kind in (
        ("2026-05-02", "2026-05-01", INVERTED_RANGE),
        ("2027-01-01", None, INVERTED_RANGE),
        ("2025-01-01", "2026-05-01", RANGE_TOO_LONG),
        ("2025-01-01", None, RANGE_TOO_LONG),
        ("yesterday", None, INVALID_DATE),
        (None, "2026-02-30", INVALID_DATE),
    ):
        with refused(kind):
            counts(harness, shop, start_date, end_date)
    for start_date, end_date in (
        ("0001-01-01", "0001-01-02"),
        (None, "0001-01-02"),
        (None, "9999-12-31"),
        ("9999-12-31", "9999-12-31"),
    ):
        assert counts(harness, shop, start_date, end_date).totals.refusals == 0
    assert parse_day(counts(harness, shop, None, "2026-05-05").start_date) == (
        parse_day("2026-05-05") - 29
    )
    with refused(NOT_FOUND):
        read_refusal_counts(harness.reader, 99, None, None, harness.now_ms)


def test_many_keys_are_cut_and_the_sums_are_not(harness: Harness, shop: Shop) -> None:
    for sequence in (1, 2):
        keys = [f"key_{sequence}_{number}" for number in range(600)]
        note(harness, *(refusal(shop.profile_id, key) for key in keys), sequence=sequence)
    found = counts(harness, shop)
    assert (len(found.keys), found.is_cut) == (1_000, True)
    assert (found.totals.refusals, found.reasons[0].refusals) == (1_200, 1_200)
