"""Rollups: commutative sums; order, batching and late arrivals change nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import TypeVar

from hypothesis import given
from hypothesis import strategies as st

from farebox.core.calendar import QUARTER_MS, day_of_quarter, zone_of
from farebox.core.request import Channel, MeteredRequest
from farebox.core.rollup import Tally, Usage, tally_days, tally_quarters
from tests.core.strategies import quick, thorough

K = TypeVar("K")

CHANNELS: tuple[Channel, ...] = ("api", "portal", "self")
BASE_MS = 1_774_700_000_000  # before a change of clock in Europe


def metered(
    profile_id: int, time_ms: int, key_id: str, log_type_id: int, channel: Channel, micro: int
) -> MeteredRequest:
    return MeteredRequest(
        profile_id=profile_id,
        identity=b"",
        content=b"",
        query_log_id=b"",
        time_ms=time_ms,
        key_id=key_id,
        log_type_id=log_type_id,
        channel=channel,
        credits_micro=micro,
        method=None,
        path=None,
        status_code=None,
        duration_ms=None,
        response_size=None,
        ip=None,
        authentication_type=None,
    )


requests = st.lists(
    st.builds(
        metered,
        st.integers(1, 2),
        st.integers(BASE_MS, BASE_MS + 12 * QUARTER_MS),
        st.sampled_from(("key_a", "key_b")),
        st.integers(0, 2),
        st.sampled_from(CHANNELS),
        st.integers(0, 5_000_000),
    ),
    max_size=30,
)


def days_of(profile_id: int, quarter: int) -> Iterable[tuple[int, int]]:
    """Workspace 2 is being moved to another zone: its quarters count to two versions."""
    yield 1, day_of_quarter(quarter, zone_of("Europe/Berlin"))
    if profile_id == 2:
        yield 2, day_of_quarter(quarter, zone_of("Asia/Kathmandu"))


def merged(parts: Iterable[Mapping[K, Usage]]) -> dict[K, Usage]:
    """What a table holds after some batches."""
    sums: dict[K, Usage] = {}
    for part in parts:
        for key, usage in part.items():
            sums[key] = sums[key].plus(usage) if key in sums else usage
    return sums


def merged_tally(tallies: list[Tally]) -> Tally:
    return Tally(*(merged(tables) for tables in zip(*tallies, strict=True)))


@given(requests, st.data())
@thorough
def test_no_order_and_no_batching_changes_a_sum(
    rows: list[MeteredRequest], data: st.DataObject
) -> None:
    whole = tally_days(tally_quarters(rows), days_of)
    shuffled = data.draw(st.permutations(rows))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=3)))
    edges = [0, *cuts, len(rows)]
    batches = [shuffled[a:b] for a, b in pairwise(edges)]
    assert merged_tally([tally_days(tally_quarters(b), days_of) for b in batches]) == whole


@given(requests)
@thorough
def test_every_table_holds_what_counting_by_hand_finds(rows: list[MeteredRequest]) -> None:
    tally = tally_days(tally_quarters(rows), days_of)
    assert tally.quarters == by_hand(
        ((r.profile_id, r.quarter, r.key_id, r.log_type_id, r.channel), r) for r in rows
    )
    dated = [(version, day, r) for r in rows for version, day in days_of(r.profile_id, r.quarter)]
    assert tally.days == by_hand(
        ((r.profile_id, version, day, r.log_type_id, r.key_id), r) for version, day, r in dated
    )
    assert tally.day_log_types == by_hand(
        ((r.profile_id, version, day, r.log_type_id), r) for version, day, r in dated
    )
    assert tally.day_keys == by_hand(
        ((r.profile_id, version, day, r.key_id, r.channel), r) for version, day, r in dated
    )


def by_hand(keyed: Iterable[tuple[K, MeteredRequest]]) -> dict[K, Usage]:
    pairs = list(keyed)
    counts = Counter(key for key, _ in pairs)
    return {
        key: Usage(
            count,
            sum(r.credits_micro for k, r in pairs if k == key),
            max(r.time_ms for k, r in pairs if k == key),
        )
        for key, count in counts.items()
    }


usages = st.builds(Usage, st.integers(1, 9), st.integers(0, 9), st.integers(0, 9))


@given(usages, usages, usages)
@quick
def test_adding_usages_is_commutative_and_associative(one: Usage, two: Usage, three: Usage) -> None:
    assert one.plus(two) == two.plus(one)
    assert one.plus(two).plus(three) == one.plus(two.plus(three))


def test_no_requests_make_no_sums() -> None:
    assert tally_days(tally_quarters([]), days_of) == Tally({}, {}, {}, {})
