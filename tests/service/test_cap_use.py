"""Cap use: what a family of keys has used in the open period, as its cap counts it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from farebox.service.cap_use import read_cap_use
from tests.support.harness import Harness
from tests.support.homes import Home

CREDIT = 1_000_000


@pytest.fixture
def harness(home: Home) -> Iterator[Harness]:
    with Harness(home) as harness:
        harness.call("plans.create", slug="gold", name="Gold", credits_per_month=2000)
        yield harness


def used(harness: Harness, profile_id: int) -> dict[str, int]:
    keys = harness.directory.keys_of(profile_id)
    return read_cap_use(harness.reader, profile_id, keys, harness.now_ms)


def test_the_keys_of_a_family_use_one_cap_and_others_do_not(harness: Harness) -> None:
    profile_id = harness.workspace(name="Acme", plan="gold")
    first = harness.call("keys.create", profile_id=profile_id, credits_cap=100)
    second = harness.call(
        "keys.rotate", profile_id=profile_id, key_id=first.key_id, overlap_seconds=3600
    )
    other = harness.call("keys.create", profile_id=profile_id, credits_cap=7)
    free = harness.call("keys.create", profile_id=profile_id)
    for made, credits in ((first, 3), (second, 4), (free, 50)):
        harness.record([harness.row(profile_id, made.key_id, credits_micro=credits * CREDIT)])
    assert used(harness, profile_id) == {first.key_id: 7 * CREDIT, other.key_id: 0}


def test_a_new_period_begins_with_nothing_used(harness: Harness) -> None:
    profile_id = harness.workspace(name="Acme", plan="gold", timezone="America/New_York")
    made = harness.call("keys.create", profile_id=profile_id, credits_cap=100)
    harness.record([harness.row(profile_id, made.key_id, credits_micro=3 * CREDIT)])
    harness.advance(days=31)
    assert used(harness, profile_id) == {made.key_id: 0}


def test_without_a_cap_there_is_nothing_to_read(harness: Harness) -> None:
    profile_id = harness.workspace(name="Acme", plan="gold")
    harness.call("keys.create", profile_id=profile_id)
    assert used(harness, profile_id) == {}
