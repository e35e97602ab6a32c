"""Auto top-up: one event a crossing, with the commit that causes it, and a grant if so set."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from farebox.core.credits import MICRO_PER_CREDIT
from farebox.core.instant import MS_PER_HOUR, to_iso_ms
from farebox.core.webhook import AUTO_TOP_UP
from farebox.service.credits_now import credits_now
from tests.support.harness import Harness
from tests.support.homes import Home


@pytest.fixture
def world(home: Home) -> Iterator[Harness]:
    with Harness(home) as harness:
        harness.call("log_types.create", slug="search", name="Search", credits=3)
        harness.call("plans.create", slug="gold", name="Gold", credits_per_month=100)
        harness.call("workspaces.create", name="Acme", plan="gold", timezone="Europe/Berlin")
        harness.call("keys.create", profile_id=1)
        harness.call("webhooks.create", url="https://hooks.example/farebox")
        yield harness


def enable(world: Harness, *, below: int, is_granted: bool = False, credit: int = 50) -> None:
    world.call(
        "workspaces.change",
        profile_id=1,
        is_auto_top_up_credits_enabled=True,
        auto_top_up_credit=credit,
        auto_top_up_balance_fall_below=below,
        is_auto_top_up_granted=is_granted,
    )


def told(world: Harness) -> list[Any]:
    """The balances of the events so far."""
    rows = world.select(
        "select payload from webhook_messages where event_type = ? order by at_ms", AUTO_TOP_UP
    )
    return [json.loads(payload)["data"]["balance"] for (payload,) in rows]


def use(world: Harness, credits: int) -> None:
    (key,) = world.directory.keys_of(1)
    world.clock.advance(1)
    world.record([world.row(1, key.key_id, credits_micro=credits * MICRO_PER_CREDIT)])


def balance(world: Harness) -> int:
    return credits_now(world.reader, 1, world.now_ms).purse.balance_micro(world.now_ms)


def test_falling_below_the_mark_is_told_once_until_it_has_risen_again(world: Harness) -> None:
    enable(world, below=40)
    use(world, 60)
    assert told(world) == []  # at the mark, not below it
    use(world, 1)
    use(world, 1)
    assert told(world) == [39]
    world.call("grants.create", profile_id=1, credits=10, kind="topup")
    use(world, 20)
    assert told(world) == [39, 28]


def test_the_credits_are_granted_in_the_commit_of_the_crossing(world: Harness) -> None:
    enable(world, below=40, is_granted=True, credit=50)
    use(world, 61)
    assert told(world) == [39]
    assert balance(world) == 89 * MICRO_PER_CREDIT
    kinds = world.select("select kind, credits_micro from grants order by grant_id")
    assert kinds[-1] == ("topup", 50 * MICRO_PER_CREDIT)
    use(world, 50)
    assert told(world) == [39, 39]


def test_one_commit_is_one_crossing_however_many_requests_it_has(world: Harness) -> None:
    enable(world, below=90, is_granted=True, credit=1)
    (key,) = world.directory.keys_of(1)
    rows = [world.row(1, key.key_id, credits_micro=MICRO_PER_CREDIT) for _ in range(30)]
    world.record(rows)
    world.record(rows)  # the same again
    assert told(world) == [70]
    assert balance(world) == 71 * MICRO_PER_CREDIT


def test_credits_that_expire_can_cross_the_mark(world: Harness) -> None:
    ends = to_iso_ms(world.now_ms + MS_PER_HOUR)
    world.call("grants.create", profile_id=1, credits=60, kind="promotion", expires_at=ends)
    enable(world, below=120)
    world.advance(hours=2)
    assert told(world) == [100]


def test_a_mark_that_is_set_above_the_balance_is_crossed_at_once(world: Harness) -> None:
    use(world, 70)
    enable(world, below=20)
    assert told(world) == []
    enable(world, below=40)
    assert told(world) == [30]
    world.call("workspaces.change", profile_id=1, name="Acme Corporation")
    assert told(world) == [30]


def test_what_was_rolled_back_crosses_nothing(world: Harness) -> None:
    enable(world, below=40, is_granted=True)
    (key,) = world.directory.keys_of(1)
    bad = world.row(1, key.key_id, credits_micro=10**15 + 1)
    good = world.row(1, key.key_id, credits_micro=61 * MICRO_PER_CREDIT)
    world.record([bad, good])
    assert told(world) == [39]
    assert balance(world) == 89 * MICRO_PER_CREDIT


def test_off_is_off(world: Harness) -> None:
    enable(world, below=40)
    world.call("workspaces.change", profile_id=1, is_auto_top_up_credits_enabled=False)
    use(world, 100)
    assert told(world) == []
