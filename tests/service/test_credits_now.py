"""Credits now are those that the recorder would write, whether or not it has written them yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from farebox.core.instant import MS_PER_DAY, to_iso_ms
from farebox.core.ledger import Grant
from farebox.core.quotas import PeriodSums
from farebox.service.credits_now import CreditsNow, credits_now
from tests.support.harness import Harness
from tests.support.homes import ENGINE_DRAWN, Home, Homes

CREDIT = 1_000_000
ZONES = ("UTC", "Asia/Kathmandu", "America/New_York", "Pacific/Kiritimati")


@pytest.fixture(scope="module")
def harnesses(homes: Homes) -> Iterator[Callable[[str], Harness]]:
    """One harness of each engine for all examples."""
    made: dict[str, Harness] = {}

    def harness_of(engine: str) -> Harness:
        if engine not in made:
            made[engine] = harness = Harness(homes.new(engine))
            for credits in (0, 100, 2500):
                harness.call(
                    "plans.create", slug=f"plan-{credits}", name="Plan", credits_per_month=credits
                )
        return made[engine]

    yield harness_of
    for harness in made.values():
        harness.close()


def facts(now: CreditsNow) -> tuple[PeriodSums, int, list[Grant], int]:
    """All of it but the numbers of grants, which are given when they are written."""
    grants = sorted(grant._replace(grant_id=0) for grant in now.purse.grants)
    return now.period, now.plan_id, grants, now.purse.owed_micro


def check(harness: Harness, profile_id: int) -> None:
    foretold = credits_now(harness.reader, profile_id, harness.now_ms)
    harness.settle()
    written = credits_now(harness.reader, profile_id, harness.now_ms)
    assert facts(foretold) == facts(written)
    # Nothing was left to be worked out.
    ((start_ms, end_ms),) = harness.select(
        "select start_ms, end_ms from periods where profile_id = ? order by start_ms desc limit 1",
        profile_id,
    )
    assert (written.period.start_ms, written.period.end_ms) == (start_ms, end_ms)
    assert start_ms <= harness.now_ms < end_ms


_steps = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.integers(1, 5 * MS_PER_DAY)),
        st.tuples(st.just("wait"), st.integers(1, 80 * MS_PER_DAY)),
        st.tuples(st.just("charge"), st.integers(0, 3000)),
        st.tuples(st.just("topup"), st.integers(1, 500)),
        st.tuples(st.just("promotion"), st.one_of(st.integers(1, 4), st.integers(1, 40))),
        st.tuples(st.just("plan"), st.sampled_from((0, 100, 2500))),
        st.tuples(st.just("timezone"), st.sampled_from(range(len(ZONES)))),
        st.tuples(st.just("anchor"), st.integers(1, 31)),
    ),
    max_size=12,
)


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    engine=ENGINE_DRAWN,
    steps=_steps,
    plan=st.sampled_from((0, 100, 2500)),
    zone=st.sampled_from(ZONES),
)
def test_what_is_not_written_yet_is_foretold(
    harnesses: Callable[[str], Harness],
    engine: str,
    steps: list[tuple[str, int]],
    plan: int,
    zone: str,
) -> None:
    harness = harnesses(engine)
    profile_id = harness.workspace(plan=f"plan-{plan}", timezone=zone)
    key_id = harness.key(profile_id)

    def change(**fields: Any) -> None:  # noqa: ANN401 - as `Harness.call`
        harness.call("workspaces.change", profile_id=profile_id, **fields)

    for step, value in steps:
        match step:
            case "wait":
                harness.clock.advance(value)
            case "charge":
                harness.record([harness.row(profile_id, key_id, credits_micro=value * CREDIT)])
            case "topup":
                harness.call("grants.create", profile_id=profile_id, credits=value, kind="topup")
            case "promotion":
                harness.call(
                    "grants.create",
                    profile_id=profile_id,
                    credits=value,
                    kind="promotion",
                    expires_at=to_iso_ms(harness.now_ms + value * MS_PER_DAY),
                )
            case "plan":
                change(plan=f"plan-{value}")
            case "timezone":
                change(timezone=ZONES[value])
            case _:
                change(anchor_day=value)
        check(harness, profile_id)


def test_a_grant_that_expired_a_moment_ago_is_not_there_any_more(home: Home) -> None:
    with Harness(home) as harness:
        profile_id = harness.workspace()
        ends_ms = harness.now_ms + MS_PER_DAY
        harness.call(
            "grants.create",
            profile_id=profile_id,
            credits=7,
            kind="promotion",
            expires_at=to_iso_ms(ends_ms),
        )
        before = credits_now(harness.reader, profile_id, ends_ms - 1)
        after = credits_now(harness.reader, profile_id, ends_ms)
    assert before.purse.balance_micro(ends_ms - 1) == 1007 * CREDIT
    assert before.period.expired_micro == 0
    assert after.purse.balance_micro(ends_ms) == 1000 * CREDIT
    assert after.period.expired_micro == 7 * CREDIT


def test_a_workspace_that_has_no_period_yet_has_its_plan_credits_in_full(home: Home) -> None:
    with Harness(home) as harness:
        harness.workspace()  # makes the plan
        home.plant(
            "insert into workspaces select 9, replace(uid, '-', '_'), 'New', '', plan_id, null,"
            " 'Asia/Kathmandu', 1, 1, 0, 31, 'active', 0, null, null, 0,"
            " created_at_ms, 0, '' from workspaces;"
            "insert into workspace_zones values (9, 1, 0, 'Asia/Kathmandu', null);"
            "insert into workspace_plans values (9, 0, 1)"
        )
        harness.clock.advance(50 * MS_PER_DAY)
        foretold = credits_now(harness.reader, 9, harness.now_ms)
        assert foretold.purse.balance_micro(harness.now_ms) == 1000 * CREDIT
        assert (foretold.period.granted_micro, foretold.period.charged_micro) == (1000 * CREDIT, 0)
        # The recorder comes to the same, once it has something to write.
        harness.record([harness.row(9, "key", credits_micro=0)])
        written = credits_now(harness.reader, 9, harness.now_ms)
        assert facts(written) == facts(foretold)
