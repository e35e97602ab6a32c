"""The books: periods roll at their instants, every grant and expiry happens once, nobody is lost.

What counts is when a thing was due, not when the recorder noticed it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from farebox.core.instant import MS_PER_DAY, MS_PER_HOUR
from farebox.engine.purses import read_purse
from tests.support.harness import START_MS
from tests.support.homes import Home
from tests.support.truth import differences
from tests.support.worlds import MICRO, World, record, request

PLAN_MICRO = 1000 * MICRO


@pytest.fixture
def world(home: Home) -> Iterator[World]:
    with World(home) as made:
        yield made


def ms(text: str, timezone: str = "UTC") -> int:
    """The instant of a local time such as 2026-05-05T12:00."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(timezone)).timestamp()) * 1000


def spend(world: World, profile_id: int, credits: int, request_id: str) -> None:
    row = request(profile_id, request_id, credits_micro=credits * MICRO, time_ms=world.now_ms)
    assert not world.record([row]).duplicates


def periods(world: World, profile_id: int) -> list[tuple[int, int]]:
    return [
        (start_ms, end_ms)
        for start_ms, end_ms in world.select(
            "select start_ms, end_ms from periods where profile_id = ? order by start_ms",
            profile_id,
        )
    ]


def grants(world: World, profile_id: int, kind: str = "plan") -> list[tuple[int, int | None, int]]:
    return [
        (created_ms, expires_ms, amount // MICRO)
        for created_ms, expires_ms, amount in world.select(
            "select created_at_ms, expires_at_ms, credits_micro from grants"
            " where profile_id = ? and kind = ? order by grant_id",
            profile_id,
            kind,
        )
    ]


def moved(world: World, profile_id: int, kind: str) -> list[tuple[str, str, int]]:
    return [
        (debit, credit, amount // MICRO)
        for debit, credit, amount in world.select(
            "select debit_account, credit_account, amount_micro from transfers"
            " where profile_id = ? and kind = ? order by commit_id, ordinal",
            profile_id,
            kind,
        )
    ]


def test_a_new_workspace_has_its_period_and_its_plan_credits(world: World) -> None:
    profile_id = world.workspace()
    assert periods(world, profile_id) == [(ms("2026-05-01"), ms("2026-06-01"))]
    assert grants(world, profile_id) == [(ms("2026-05-01"), ms("2026-06-01"), 1000)]
    assert world.balance_micro(profile_id) == PLAN_MICRO


def test_a_period_ends_and_the_next_begins_at_its_instant(world: World) -> None:
    profile_id = world.workspace()
    spend(world, profile_id, 300, "a")
    world.advance(ms("2026-06-01") - world.now_ms - 1)
    assert len(periods(world, profile_id)) == 1
    world.advance(1)
    assert periods(world, profile_id)[1:] == [(ms("2026-06-01"), ms("2026-07-01"))]
    assert moved(world, profile_id, "expiry") == [("grant:1", "expired", 700)]
    assert world.balance_micro(profile_id) == PLAN_MICRO
    assert not differences(world.db)


def test_a_record_finds_the_period_rolled_even_if_nothing_else_noticed(world: World) -> None:
    profile_id = world.workspace()
    world.clock.advance(ms("2026-06-01") - world.now_ms)
    spend(world, profile_id, 1, "first of June")
    assert len(periods(world, profile_id)) == 2
    assert moved(world, profile_id, "charge") == [("grant:2", "spent", 1)]
    assert not differences(world.db)


@pytest.mark.parametrize("is_restarted", [False, True])
def test_after_a_long_time_every_period_is_made_up_for(world: World, is_restarted: bool) -> None:
    timezone = "America/St_Johns"
    profile_id = world.workspace(timezone=timezone, anchor_day=31)
    if is_restarted:
        world.reopen()
    world.advance(days=400)
    starts = [start for start, _ in periods(world, profile_id)]
    first = datetime(2026, 4, 30, tzinfo=ZoneInfo(timezone))
    expected = [ms(f"{day}T00:00", timezone) for day in last_days(first, len(starts))]
    assert starts == expected
    assert len(starts) == 14
    assert len(grants(world, profile_id)) == 14
    assert len(moved(world, profile_id, "expiry")) == 13
    assert world.balance_micro(profile_id) == PLAN_MICRO
    assert not differences(world.db)


def last_days(first: datetime, count: int) -> list[str]:
    """The last day of each month, from one on."""
    days = [first]
    while len(days) < count:
        after_next = (days[-1].replace(day=1) + timedelta(days=70)).replace(day=1)
        days.append(after_next - timedelta(days=1))
    return [day.date().isoformat() for day in days]


def test_no_number_of_looks_and_restarts_grants_twice(world: World) -> None:
    profile_id = world.workspace()
    for _ in range(3):
        world.advance(days=31)
        for _ in range(3):
            world.recorder.tick()
            world.reopen()
        spend(world, profile_id, 1, f"at {world.now_ms}")
    assert [amount for _, _, amount in grants(world, profile_id)] == [1000] * 4
    assert world.balance_micro(profile_id) == PLAN_MICRO - MICRO
    assert not differences(world.db)


def test_an_overdraft_is_repaid_by_the_next_grant_first(world: World) -> None:
    profile_id = world.workspace()
    spend(world, profile_id, 1250, "too much")
    assert world.balance_micro(profile_id) == -250 * MICRO
    world.give(profile_id, 100 * MICRO)
    assert world.balance_micro(profile_id) == -150 * MICRO
    world.give(profile_id, 400 * MICRO)
    assert world.balance_micro(profile_id) == 250 * MICRO
    assert moved(world, profile_id, "repay") == [
        ("grant:2", "overdraft", 100),
        ("grant:3", "overdraft", 150),
    ]
    assert not differences(world.db)


def test_an_overdraft_is_repaid_by_the_next_periods_plan_credits(world: World) -> None:
    profile_id = world.workspace()
    spend(world, profile_id, 1600, "too much")
    world.reopen()
    world.advance(days=31)
    assert world.balance_micro(profile_id) == 400 * MICRO
    ((opening,),) = world.select(
        "select opening_micro from periods where profile_id = ? order by start_ms desc limit 1",
        profile_id,
    )
    assert opening == -600 * MICRO
    assert not differences(world.db)


def test_grants_that_are_spent_are_not_remembered(world: World) -> None:
    profile_id = world.workspace()
    world.give(profile_id, 30 * MICRO)
    spend(world, profile_id, 1010, "a")
    left = read_purse(world.reader, profile_id).purse.grants
    assert [(grant.grant_id, grant.left_micro) for grant in left] == [(2, 20 * MICRO)]


def test_what_expires_first_is_spent_first_then_priority_then_age(world: World) -> None:
    profile_id = world.workspace()
    never = [world.give(profile_id, 10 * MICRO, priority=p) for p in (0, 5, 5)]
    soon = world.give(profile_id, 10 * MICRO, expires_at_ms=START_MS + MS_PER_DAY)
    plan = 1
    later = world.give(profile_id, 10 * MICRO, expires_at_ms=ms("2026-06-01") + MS_PER_DAY)
    spend(world, profile_id, 1035, "all of it")
    assert moved(world, profile_id, "charge") == [
        (f"grant:{soon}", "spent", 10),
        (f"grant:{plan}", "spent", 1000),
        (f"grant:{later}", "spent", 10),
        (f"grant:{never[1]}", "spent", 10),
        (f"grant:{never[2]}", "spent", 5),
    ]
    assert not differences(world.db)


def test_a_grant_expires_at_its_instant_with_what_is_left(world: World) -> None:
    profile_id = world.workspace()
    world.give(profile_id, 30 * MICRO, expires_at_ms=START_MS + MS_PER_HOUR)
    spend(world, profile_id, 10, "a")
    world.advance(MS_PER_HOUR - 1)
    assert world.balance_micro(profile_id) == PLAN_MICRO + 20 * MICRO
    world.advance(1)
    assert world.balance_micro(profile_id) == PLAN_MICRO
    assert moved(world, profile_id, "expiry") == [("grant:2", "expired", 20)]
    assert not differences(world.db)


def test_a_grant_spent_before_its_end_hides_no_later_instant(world: World) -> None:
    profile_id = world.workspace()
    world.give(profile_id, 30 * MICRO, expires_at_ms=START_MS + MS_PER_HOUR)
    world.reopen()
    spend(world, profile_id, 1, "a")
    spend(world, profile_id, 29, "b")
    world.advance(MS_PER_HOUR)
    world.advance(days=31)
    assert len(periods(world, profile_id)) == 2
    assert not differences(world.db)


def test_imports_of_former_periods_cost_history_and_not_today(world: World) -> None:
    profile_id = world.workspace(timezone="Asia/Kathmandu")
    ((start_ms, _),) = periods(world, profile_id)
    rows = [
        request(profile_id, "long ago", credits_micro=MICRO, time_ms=ms("2019-01-01")),
        request(profile_id, "just before", credits_micro=2 * MICRO, time_ms=start_ms - 1),
        request(profile_id, "at the start", credits_micro=4 * MICRO, time_ms=start_ms),
    ]
    world.record(rows, is_import=True)
    assert moved(world, profile_id, "history") == [("history", "spent", 3)]
    assert moved(world, profile_id, "charge") == [("grant:1", "spent", 4)]
    assert world.balance_micro(profile_id) == PLAN_MICRO - 4 * MICRO
    assert not differences(world.db)


def test_usage_reported_late_is_charged_today(world: World) -> None:
    profile_id = world.workspace()
    late = request(profile_id, "late", credits_micro=MICRO, time_ms=ms("2026-04-30T23:59"))
    world.record([late])
    assert world.balance_micro(profile_id) == PLAN_MICRO - MICRO
    assert moved(world, profile_id, "history") == []
    assert not differences(world.db)


def test_imported_and_reported_rows_of_one_commit_are_told_apart(world: World) -> None:
    profile_id = world.workspace()
    old_ms = ms("2026-04-01")
    world.handle(
        record(request(profile_id, "a", credits_micro=MICRO, time_ms=old_ms), is_import=True),
        record(request(profile_id, "b", credits_micro=2 * MICRO, time_ms=old_ms)),
    )
    assert moved(world, profile_id, "history") == [("history", "spent", 1)]
    assert moved(world, profile_id, "charge") == [("grant:1", "spent", 2)]
    assert not differences(world.db)


def test_corrections_charge_more_or_give_back(world: World) -> None:
    profile_id = world.workspace()
    spend(world, profile_id, 1010, "a")
    world.correct(profile_id, 5 * MICRO)
    assert world.balance_micro(profile_id) == -15 * MICRO
    world.correct(profile_id, -20 * MICRO)
    assert world.balance_micro(profile_id) == 5 * MICRO
    world.advance(days=31)
    assert world.balance_micro(profile_id) == PLAN_MICRO + 5 * MICRO
    assert not differences(world.db)


def test_a_lesser_plan_waits_for_the_next_period_and_is_announced(world: World) -> None:
    world.call("plans.create", slug="big", name="Big", credits_per_month=5000)
    world.workspace(plan="basic")
    profile_id = world.workspace(plan="big")
    world.call("workspaces.change", profile_id=profile_id, plan="basic")
    assert world.balance_micro(profile_id) == 5000 * MICRO
    world.advance(days=31)
    assert world.balance_micro(profile_id) == PLAN_MICRO
    known = world.directory.workspaces[profile_id]
    assert world.directory.plans[known.plan_id].slug == "basic"
    assert known.next_plan_id is None
    assert not differences(world.db)


def test_a_workspace_that_is_looked_at_late_has_had_its_periods_all_along(world: World) -> None:
    first = world.workspace()
    world.home.plant(
        "insert into workspaces select 2, printf('%036d', 2), name, description, plan_id,"
        " next_plan_id, timezone, zone_version, licences, is_quota_sharing_enabled, anchor_day,"
        " status, 0, null, null, 0, created_at_ms, 0, '' from workspaces;"
        " insert into workspace_zones select 2, zone_version, from_ms, timezone, null"
        " from workspace_zones"
    )
    world.advance(days=65)
    spend(world, 2, 1, "a")
    assert periods(world, 2) == periods(world, first)
    assert len(periods(world, 2)) == 3
    assert not differences(world.db)


def test_many_periods_that_end_together_are_all_rolled(world: World) -> None:
    world.workspace()
    world.home.plant(
        "insert into workspaces with recursive n(value) as"
        " (select 1 union all select value + 1 from n where value < 600)"
        " select profile_id + n.value, printf('%036d', n.value), name, description, plan_id,"
        " next_plan_id, timezone, zone_version, licences, is_quota_sharing_enabled, anchor_day,"
        " status, 0, null, null, 0, created_at_ms, 0, '' from workspaces, n;"
        "insert into workspace_zones select w.profile_id, 1, 0, 'UTC', null from workspaces w"
        " where profile_id > 1"
    )
    for profile_id in range(1, 602):
        world.handle(record(request(profile_id, "a")))
    world.advance(days=31)
    assert world.select("select count(*), count(distinct profile_id) from periods") == [(1202, 601)]
    assert not differences(world.db)


def test_dates_of_these_tests_are_what_they_say() -> None:
    assert datetime.fromtimestamp(START_MS / 1000, UTC).isoformat() == "2026-05-05T12:00:00+00:00"
