"""How workspaces fare: the numbers of the customers' own reports, by a few queries a page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from farebox.core.errors import NOT_FOUND
from farebox.core.instant import MS_PER_DAY, MS_PER_HOUR, parse_rfc3339
from farebox.engine.telling import HeldHere, nothing_held
from farebox.service.attention import list_attention
from farebox.service.date_range import date_range
from farebox.service.pages import turn
from farebox.service.quotas import read_quotas
from farebox.service.usage_daily import usage_daily
from farebox.service.usage_filters import UsageFilters
from farebox.service.workspace_health import (
    WorkspaceFilter,
    WorkspaceHealth,
    list_workspace_health,
    read_workspace_health,
)
from tests.support.harness import Harness
from tests.support.homes import Home
from tests.support.refusal import refused
from tests.support.refused import note, refusal

MICRO = 1_000_000


@contextmanager
def counted(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The queries that are run inside."""
    names: list[str] = []
    real = type(harness.reader).rows

    def rows(self: object, name: str, /, *args: object, **params: object) -> object:
        names.append(name)
        return real(self, name, *args, **params)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(type(harness.reader), "rows", rows)
        yield names


def healths(harness: Harness, **wanted: object) -> list[WorkspaceHealth]:
    found = WorkspaceFilter(**wanted)  # type: ignore[arg-type]
    return list_workspace_health(
        harness.reader, found, turn(None, 100), harness.now_ms, nothing_held
    ).data


def named(harness: Harness, **wanted: object) -> list[str]:
    return [health.name for health in healths(harness, **wanted)]


@pytest.mark.parametrize(
    ("timezone", "week_dates"),
    [
        # The 8th has 23 hours.
        ("America/New_York", ("2026-03-03", "2026-03-09")),
        ("Asia/Kathmandu", ("2026-03-04", "2026-03-10")),
    ],
)
def test_it_says_what_the_customers_own_reports_say(
    home: Home, timezone: str, week_dates: tuple[str, str]
) -> None:
    with Harness(home, now_ms=parse_rfc3339("2026-03-10T03:30:00Z")) as harness:
        harness.call("plans.create", slug="gold", name="Gold", credits_per_month=100)
        profile_id = harness.workspace(plan="gold", timezone=timezone)
        key_id = harness.key(profile_id)
        rows = [
            harness.row(
                profile_id, key_id, credits_micro=MICRO, time_ms=harness.now_ms - n * MS_PER_HOUR
            )
            for n in range(24 * 9)
        ]
        harness.record(rows)
        other = harness.workspace(plan="gold")
        note(
            harness,
            refusal(profile_id, key_id, time_ms=harness.now_ms - MS_PER_HOUR),
            refusal(profile_id, key_id, time_ms=harness.now_ms, is_shadow=True),
            refusal(profile_id, key_id, time_ms=harness.now_ms - 2 * MS_PER_DAY),
        )
        found, second = healths(harness)
        workspace = harness.directory.workspaces[profile_id]
        quotas = read_quotas(
            harness.reader, harness.directory, workspace, harness.now_ms, nothing_held
        )
        week = date_range(*week_dates)
        daily = usage_daily(
            harness.reader, harness.directory, profile_id, week, UsageFilters(None, None)
        )
        assert (found.credits_left_micro, found.credits_used_micro, found.credits_max) == (
            quotas.credits_left_micro,
            quotas.credits_used_micro,
            quotas.credits_max,
        )
        assert found.owed_micro == (24 * 9 - 100) * MICRO
        assert (found.requests, found.credits_micro) == (
            sum(day.requests for day in daily.series),
            sum(day.credits_micro for day in daily.series),
        )
        assert found.last_request_ms == harness.now_ms
        assert found.refusals == 1
        assert (found.plan, found.timezone, found.status) == ("gold", timezone, "active")
        assert (second.profile_id, second.requests, second.last_request_ms) == (other, 0, None)
        assert (
            read_workspace_health(harness.reader, profile_id, harness.now_ms, nothing_held) == found
        )


def test_what_is_held_is_not_left(harness: Harness) -> None:
    profile_id = harness.workspace()
    found = read_workspace_health(
        harness.reader, profile_id, harness.now_ms, lambda _: HeldHere(30 * MICRO, 0)
    )
    assert found.credits_left_micro == 970 * MICRO
    with refused(NOT_FOUND):
        read_workspace_health(harness.reader, profile_id + 1, harness.now_ms, nothing_held)


def test_workspaces_are_found_by_name_id_status_and_plan(harness: Harness) -> None:
    acme, bolt = harness.workspace(name="Acme 100%"), harness.workspace(name="Bolt", plan="gold")
    harness.workspace(name="Ämter_x")
    harness.call("workspaces.change", profile_id=bolt, status="suspended")
    uid = next(h.uid for h in healths(harness) if h.profile_id == bolt)
    assert named(harness) == ["Acme 100%", "Bolt", "Ämter_x"]
    assert named(harness, search=" aCmE ") == ["Acme 100%"]
    assert named(harness, search="0%") == ["Acme 100%"]
    assert named(harness, search="%") == ["Acme 100%"]
    assert named(harness, search="_") == ["Ämter_x"]
    assert named(harness, search="Ämter_X") == ["Ämter_x"]
    assert named(harness, search=str(acme)) == ["Acme 100%"]
    assert named(harness, search=uid.upper()) == ["Bolt"]
    assert named(harness, status="suspended") == ["Bolt"]
    assert named(harness, plan="gold", status="active") == []
    assert named(harness, search="nobody's") == []


def test_a_page_takes_as_many_queries_however_many_workspaces_it_has(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = []
    for _ in range(2):
        for _ in range(4):
            harness.workspace()
        with counted(harness, monkeypatch) as names:
            assert healths(harness)
        counts.append(len(names))
    assert counts[0] == counts[1] <= 6


def test_pages_go_on_from_their_cursors(harness: Harness) -> None:
    ids = [harness.workspace() for _ in range(5)]
    seen: list[int] = []
    cursor = None
    while cursor is not None or not seen:
        found = list_workspace_health(
            harness.reader, WorkspaceFilter(), turn(cursor, 2), harness.now_ms, nothing_held
        )
        seen += [health.profile_id for health in found.data]
        cursor = found.next_cursor
    assert seen == ids


def test_those_who_owe_run_short_are_refused_or_suspended_are_looked_at(harness: Harness) -> None:
    well, owing, short, told, off = (harness.workspace() for _ in range(5))
    spent = {well: 899, owing: 1001, short: 900, told: 0, off: 0}
    for profile_id, credits in spent.items():
        key_id = harness.key(profile_id)
        harness.record([harness.row(profile_id, key_id, credits_micro=credits * MICRO)])
    note(harness, refusal(told, "key"), refusal(told, "key"))
    harness.call("workspaces.change", profile_id=off, status="suspended")
    found = list_attention(harness.reader, harness.now_ms)
    assert [one.profile_id for one in found] == [owing, short, told, off]
    assert [one.owed_micro for one in found] == [MICRO, 0, 0, 0]
    assert [one.is_low for one in found] == [True, True, False, False]
    assert [one.refusals for one in found] == [0, 0, 2, 0]
    assert [one.status for one in found] == ["active", "active", "active", "suspended"]
    assert list_attention(harness.reader, harness.now_ms, count=1) == found[:1]
