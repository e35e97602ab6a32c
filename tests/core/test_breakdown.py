"""The breakdown against sums and shares made by hand."""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from farebox.core.breakdown import (
    Breakdown,
    EndpointRow,
    EndpointShare,
    IdleKey,
    KeyRow,
    KeyShare,
    breakdown,
)
from farebox.core.report import LogTypeName, Totals
from tests.core.strategies import thorough

NAMES = {n: LogTypeName(f"type_{n:03}", f"Type {n}") for n in range(1, 130)}
# Two keys may share a mask.
MASKS = {"key_1": "a", "key_2": "b", "key_3": "a", "key_4": "c", "key_5": "b"}


class Metered(NamedTuple):
    key_id: str
    log_type_id: int
    requests: int
    micro: int
    last_ms: int


metered = st.lists(
    st.builds(
        Metered,
        st.sampled_from(list(MASKS)),
        st.sampled_from((0, 1, 2, 3, 999)),
        st.integers(1, 3),
        st.sampled_from((0, 1_000_000, 1, 2_500_000)),
        st.integers(0, 10),
    ),
    max_size=12,
)
idle = st.lists(st.sampled_from(list(MASKS)), unique=True)


def key_rows(found: list[Metered]) -> list[KeyRow]:
    return [(m.key_id, MASKS[m.key_id], m.requests, m.micro, m.last_ms) for m in found]


def endpoint_rows(found: list[Metered]) -> list[EndpointRow]:
    return [(m.log_type_id, m.requests, m.micro) for m in found]


def idle_keys(key_ids: list[str]) -> list[IdleKey]:
    return [(key_id, MASKS[key_id]) for key_id in key_ids]


def cut(part: int, whole: int, places: str) -> Decimal:
    if whole == 0:
        return Decimal(0)
    return (Decimal(part) / Decimal(whole)).quantize(Decimal(places), ROUND_DOWN)


def by_hand(found: list[Metered], idle_ids: list[str]) -> Breakdown:
    """The report as SPEC says it, with a pass over all rows for each number."""
    micro = sum(m.micro for m in found)
    requests = sum(m.requests for m in found)
    keys = []
    for key_id, mask in sorted(MASKS.items(), key=lambda item: (item[1], item[0])):
        own = [m for m in found if m.key_id == key_id]
        if own or key_id in idle_ids:
            n, c = sum(m.requests for m in own), sum(m.micro for m in own)
            last_ms = max((m.last_ms for m in own), default=None)
            shares = cut(100 * n, requests, "0.001"), cut(100 * c, micro, "0.001")
            keys.append(KeyShare(key_id, mask, n, c, last_ms, *shares))
    endpoints = []
    for ids, slug, name in (
        *(({n}, NAMES[n].slug, NAMES[n].name) for n in (1, 2, 3)),
        ({0, 999}, None, "Unknown"),
    ):
        own = [m for m in found if m.log_type_id in ids]
        if own:
            n, c = sum(m.requests for m in own), sum(m.micro for m in own)
            cost = cut(c, n * 1_000_000, "0.01")
            shares = cut(100 * n, requests, "0.01"), cut(100 * c, micro, "0.01")
            endpoints.append(EndpointShare(slug, name, n, c, cost, *shares))

    def most_first(share: KeyShare | EndpointShare) -> tuple[int, int]:
        return -share.credits_micro, -share.requests

    # The sort is stable: what was sorted by mask and slug before stays so among equals.
    return Breakdown(
        sorted(keys, key=most_first), sorted(endpoints, key=most_first), Totals(micro, requests)
    )


@given(metered, idle)
@thorough
def test_the_report_is_what_summing_by_hand_finds(
    found: list[Metered], idle_ids: list[str]
) -> None:
    report = breakdown(key_rows(found), idle_keys(idle_ids), endpoint_rows(found), NAMES)
    assert report == by_hand(found, idle_ids)


@given(metered, st.data())
@thorough
def test_the_order_of_the_sums_changes_nothing(found: list[Metered], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(found))
    idle_ids = data.draw(st.permutations(list(MASKS)))
    expected = breakdown(key_rows(found), idle_keys(list(MASKS)), endpoint_rows(found), NAMES)
    assert expected == breakdown(
        key_rows(shuffled), idle_keys(idle_ids), endpoint_rows(shuffled), NAMES
    )


def test_nothing_found_is_empty_lists_and_zero_totals() -> None:
    assert breakdown([], [], [], NAMES) == Breakdown([], [], Totals(0, 0))


def test_keys_without_traffic_come_last_with_zeros() -> None:
    report = breakdown(
        [("key_9", "z", 1, 0, 5)], [("key_2", "b"), ("key_1", "a"), ("key_9", "z")], [(0, 1, 0)], {}
    )
    assert report.by_key == [
        KeyShare("key_9", "z", 1, 0, 5, 100, 0),
        KeyShare("key_1", "a", 0, 0, None, 0, 0),
        KeyShare("key_2", "b", 0, 0, None, 0, 0),
    ]
    assert report.by_endpoint == [EndpointShare(None, "Unknown", 1, 0, 0, 100, 0)]


def test_each_list_ends_after_100_but_the_totals_go_on() -> None:
    count = 120
    keys = [(f"key_{n}", f"m{n:03}", n, n * 1_000_000, n) for n in range(1, count + 1)]
    endpoints = [(n, n, n * 1_000_000) for n in range(1, count + 1)]
    report = breakdown(keys, [("key_0", "idle")], endpoints, NAMES)
    everything = count * (count + 1) // 2
    assert report.totals == Totals(everything * 1_000_000, everything)
    assert [share.requests for share in report.by_key] == list(range(120, 20, -1))
    assert [share.requests for share in report.by_endpoint] == list(range(120, 20, -1))
    assert report.by_key[0].percent_of_requests == Decimal("1.652")
    assert report.by_endpoint[0].percent_of_credits == Decimal("1.65")


def test_keys_without_traffic_fill_the_list_up_to_100() -> None:
    keys = [(f"key_{n}", f"m{n:03}", 1, 1, 1) for n in range(60)]
    idle_ids = [(f"idle_{n:03}", "•") for n in reversed(range(60))]
    report = breakdown(keys, idle_ids, [(1, 60, 60)], NAMES)
    assert [share.key_id for share in report.by_key[60:]] == [f"idle_{n:03}" for n in range(40)]


def test_ties_go_by_mask_then_key_id_and_by_slug_with_null_last() -> None:
    keys = [("k3", "b", 1, 5, 0), ("k2", "a", 1, 5, 0), ("k1", "b", 1, 5, 0), ("k4", "c", 2, 5, 0)]
    endpoints = [(0, 1, 5), (2, 1, 5), (1, 1, 5), (3, 2, 5)]
    report = breakdown(keys, [], endpoints, NAMES)
    assert [share.key_id for share in report.by_key] == ["k4", "k2", "k1", "k3"]
    slugs = [share.slug for share in report.by_endpoint]
    assert slugs == ["type_003", "type_001", "type_002", None]
