"""Filters: masks and ids of one's own keys; what is unknown selects nothing, `[]` everything."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from farebox.service.usage_filters import UsageFilters, usage_filters
from tests.support.harness import Harness
from tests.support.homes import Home


@pytest.fixture
def harness(home: Home) -> Iterator[Harness]:
    with Harness(home) as harness:
        yield harness


def test_a_mask_selects_every_key_with_that_mask_of_the_own_workspace(harness: Harness) -> None:
    profile_id, other = harness.workspace(), harness.workspace()
    twins = [harness.key(profile_id, key=f"0-is-twin-{n}-f39") for n in range(2)]
    third = harness.key(profile_id)
    foreign = harness.key(other, key="0-is-someone-else-f39")
    mask = harness.directory.keys[twins[0]].masked_authentication
    assert mask == harness.directory.keys[foreign].masked_authentication

    def keys(*names: str) -> list[str] | None:
        found = usage_filters(harness.directory, profile_id, names).key_ids
        return None if found is None else sorted(found)

    assert keys(mask) == sorted(twins)
    assert keys(mask, third) == sorted([*twins, third])
    assert keys(twins[0]) == [twins[0]]
    assert keys(foreign) == keys("nobody's") == []
    assert keys() is None


def test_revoked_keys_can_be_selected(harness: Harness) -> None:
    profile_id = harness.workspace()
    key_id = harness.key(profile_id)
    harness.call("keys.revoke", profile_id=profile_id, key_id=key_id)
    assert usage_filters(harness.directory, profile_id, [key_id]).takes_key(key_id)


def test_slugs_select_log_types_and_the_unmapped(harness: Harness) -> None:
    search = harness.log_type("people_search")

    def types(*slugs: str) -> list[int] | None:
        found = usage_filters(harness.directory, 1, None, slugs).log_type_ids
        return None if found is None else sorted(found)

    assert types("people_search") == [search]
    assert types("__unknown__") == [0]
    assert types("people_search", "__unknown__", "nothing") == [0, search]
    assert types("nothing") == []
    assert types() is None


def test_no_filter_takes_every_key() -> None:
    assert UsageFilters().takes_key("any")
    assert not UsageFilters(frozenset()).takes_key("any")
