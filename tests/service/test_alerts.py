"""Alerts: each threshold is told once a window, whoever notices it, and however late."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from farebox.core.errors import FareboxError
from farebox.service import alert_watch
from farebox.service.alert_watch import LATE_MS
from farebox.service.alerts import ALERTS_MAX
from tests.service.watch import Watch
from tests.support.harness import START_MS, Harness
from tests.support.homes import Home

CREDIT = 1_000_000


@pytest.fixture
def harness(home: Home) -> Iterator[Harness]:
    with Harness(home) as harness:
        yield harness


@pytest.fixture
def watch(harness: Harness) -> Watch:
    return Watch(harness)


def test_a_threshold_is_told_once_a_window_and_again_in_the_next(watch: Watch) -> None:
    watch.alert("hour", 50, 100)
    watch.look()
    assert watch.told() == []
    watch.use(4)
    watch.look()
    assert watch.told() == []
    watch.use(1)
    watch.look()
    watch.use(1)
    watch.look()
    assert watch.told() == [(50, 0)]
    watch.use(4)
    watch.look()
    watch.use(9)
    watch.look()
    assert watch.told() == [(50, 0), (100, 0)]
    watch.harness.advance(hours=1)
    watch.look()
    watch.use(5)
    watch.look()
    assert watch.told() == [(50, 0), (100, 0), (50, 1)]
    assert len(watch.events()) == 3


def test_an_event_says_what_was_used_of_what(watch: Watch) -> None:
    alert_id = watch.alert("hour", 80)
    watch.use(8)
    watch.look()
    assert watch.events() == [
        {
            "profile_id": watch.profile_id,
            "name": "Acme",
            "alert_id": alert_id,
            "kind": "hour",
            "channel": "api",
            "threshold_percent": 80,
            "used": 8,
            "limit": 10,
            "window_start": "2026-05-05T12:00:00.000Z",
            "window_end": "2026-05-05T13:00:00.000Z",
        }
    ]
    assert b"farebox_alerts_fired_total 1.0" in watch.metrics.render()


def test_thresholds_that_are_reached_together_are_each_told(watch: Watch) -> None:
    watch.alert("hour")
    watch.use(12)
    watch.look()
    assert watch.told() == [(50, 0), (80, 0), (100, 0)]
    assert [event["used"] for event in watch.events()] == [12, 12, 12]


@pytest.mark.parametrize(("kind", "requests"), [("hour", 10), ("day", 100), ("month", 1000)])
def test_each_window_has_its_own_limit(watch: Watch, kind: str, requests: int) -> None:
    watch.alert(kind, 100)
    watch.use(requests - 1)
    watch.look()
    assert watch.events() == []
    watch.use(1)
    watch.look()
    assert [(e["used"], e["limit"]) for e in watch.events()] == [(requests, requests)]


def test_channels_are_watched_apart(watch: Watch) -> None:
    watch.alert("hour", 100, channel="portal")
    watch.use(10)
    watch.look()
    assert watch.told() == []
    watch.use(4, channel="portal")
    watch.look()
    assert [(e["channel"], e["used"], e["limit"]) for e in watch.events()] == [("portal", 4, 4)]


def test_credits_are_those_of_the_quotas(watch: Watch) -> None:
    watch.alert("credits", 50, 100)
    watch.use(1, credits_micro=500 * CREDIT - 1)
    watch.look()
    assert watch.events() == []
    watch.use(1, credits_micro=1)
    watch.look()
    watch.harness.call("grants.create", profile_id=watch.profile_id, credits=1000, kind="promotion")
    watch.use(1, credits_micro=1500 * CREDIT + 500_000)
    watch.look()
    told = [(e["threshold_percent"], e["used"], e["limit"]) for e in watch.events()]
    assert told == [(50, 500, 1000), (100, 2000.5, 2000)]
    assert {e["window_start"] for e in watch.events()} == {"2026-05-01T00:00:00.000Z"}


def test_a_period_that_ends_with_credits_left_was_not_used_up(watch: Watch) -> None:
    watch.alert("credits", 50, 100)
    watch.use(1, credits_micro=400 * CREDIT)
    watch.look()
    # What is left of the plan's credits expires with the period.
    watch.harness.advance(days=27)
    watch.look()
    watch.look(watch.server())
    assert watch.events() == []
    watch.use(1, credits_micro=500 * CREDIT)
    watch.look()
    assert [e["window_start"] for e in watch.events()] == ["2026-06-01T00:00:00.000Z"]


def test_what_is_read_only_after_its_window_has_ended_is_still_told(watch: Watch) -> None:
    watch.alert("hour", 50)
    watch.alert("credits", 50)
    watch.look()
    watch.harness.advance(minutes=59)
    watch.use(5, credits_micro=100 * CREDIT)
    watch.harness.advance(minutes=1)
    watch.look()
    assert (50, 0) in watch.told()
    assert len(watch.events()) == 2


def test_what_was_reached_in_a_period_that_has_ended_is_still_told(watch: Watch) -> None:
    watch.alert("credits", 50)
    watch.look()
    watch.harness.advance(days=26, hours=11, minutes=59)
    watch.use(1, credits_micro=600 * CREDIT)
    watch.harness.advance(minutes=2)
    watch.look()
    told = [(e["window_start"], e["used"], e["limit"]) for e in watch.events()]
    assert told == [("2026-05-01T00:00:00.000Z", 600, 1000)]


@pytest.mark.parametrize("days", [0, 3, 30])
def test_nothing_is_missed_while_no_server_ran(watch: Watch, days: int) -> None:
    watch.alert("hour", 50)
    watch.look()
    watch.harness.advance(minutes=59)
    watch.use(5)
    # The server ends before it has looked; another one starts later.
    watch.harness.advance(days=days, minutes=10)
    watch.look(watch.server())
    assert watch.told() == [(50, 0)]
    watch.look(watch.server())
    assert watch.told() == [(50, 0)]


def test_requests_that_are_reported_late_count_for_their_own_window(watch: Watch) -> None:
    watch.alert("hour", 50)
    watch.look()
    watch.harness.advance(minutes=70)
    watch.look()
    watch.use(5, time_ms=START_MS)
    watch.look()
    assert watch.told() == [(50, 0)]


def test_requests_that_are_reported_too_late_tell_nothing(watch: Watch) -> None:
    watch.alert("hour", 50)
    watch.look()
    watch.harness.advance(LATE_MS, hours=1)
    watch.look()
    watch.use(5, time_ms=START_MS)
    watch.look()
    assert watch.told() == []


def test_an_alert_tells_of_no_window_that_ended_before_it_was_made(watch: Watch) -> None:
    watch.use(10)
    watch.harness.advance(hours=1)
    watch.alert("hour", 50)
    watch.alert("day", 10)
    watch.look()
    # The day is open still.
    assert [event["kind"] for event in watch.events()] == ["day"]


def test_without_a_limit_nothing_is_told(watch: Watch) -> None:
    for window in ("day", "month"):
        watch.alert(window, 1, channel="portal")
    watch.use(50, channel="portal")
    watch.look()
    assert watch.told() == []


def test_a_limit_that_is_lowered_is_reached_by_what_was_used(watch: Watch) -> None:
    watch.alert("hour", 100)
    watch.use(6)
    watch.look()
    assert watch.told() == []
    watch.harness.call("plans.change", slug="gold", limits={"api": {"hour": 5}})
    watch.look()
    assert [(e["used"], e["limit"]) for e in watch.events()] == [(6, 5)]


def test_licences_multiply_the_limit(harness: Harness) -> None:
    watch = Watch(harness, licences=3)
    watch.alert("hour", 100)
    watch.use(29)
    watch.look()
    assert watch.told() == []
    watch.use(1)
    watch.look()
    assert [(e["used"], e["limit"]) for e in watch.events()] == [(30, 30)]


def test_where_users_do_not_share_the_one_who_used_most_is_told(harness: Harness) -> None:
    watch = Watch(harness, licences=2, is_sharing=False)
    user_id = harness.call(
        "users.create", profile_id=watch.profile_id, nickname="B", email="b@example.com"
    ).user_id
    keys = [harness.key(watch.profile_id, user_id=user_id) for _ in range(2)]
    watch.alert("hour", 50, 100)
    watch.use(3)
    watch.use(4, key_id=keys[0])
    watch.look()
    assert watch.told() == []
    # Of both keys of one user together, and of the limit that each user has.
    watch.use(1, key_id=keys[1])
    watch.look()
    told = [(e["threshold_percent"], e["used"], e["limit"], e["user_id"]) for e in watch.events()]
    assert told == [(50, 5, 10, user_id)]


def test_of_several_servers_that_notice_it_one_tells_it(watch: Watch) -> None:
    async def race() -> None:
        await asyncio.gather(*(server.round() for server in servers))

    watch.alert("hour")
    watch.use(10)
    servers = [watch.server() for _ in range(3)]
    founds = [server.look(watch.harness.reader) for server in servers]
    assert all(len(found.crossings) == 3 for found in founds)
    # All of them have found it before one has told it.
    for server, found in zip(servers, founds, strict=True):
        asyncio.run(server._tell(found.crossings))
    assert len(watch.told()) == len(watch.events()) == 3
    asyncio.run(race())
    assert len(watch.told()) == len(watch.events()) == 3


def test_what_could_not_be_told_is_told_later(watch: Watch) -> None:
    watch.alert("hour", 50)
    watch.use(5)
    watch.store.is_gone = True
    watch.look()
    assert watch.told() == []
    watch.store.is_gone = False
    watch.look()
    assert watch.told() == [(50, 0)]


def test_a_firing_that_can_not_be_committed_sends_nothing(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch.alert("hour", 50)
    watch.use(5)

    def fail(*_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr("farebox.service.alerts.emit", fail)
        watch.look()
    assert (watch.told(), watch.events()) == ([], [])
    watch.look()
    assert len(watch.told()) == len(watch.events()) == 1


def test_a_workspace_in_which_nothing_moved_is_not_counted_again(watch: Watch) -> None:
    watch.alert("hour", 50)
    for _ in range(3):
        watch.look()
    assert watch.counted == 1
    other = watch.harness.workspace(name="Other", plan="gold")
    watch.harness.record([watch.harness.row(other, watch.harness.key(other))])
    watch.look()
    assert watch.counted == 1
    watch.use(1)
    watch.look()
    watch.look()
    assert watch.counted == 2
    before = watch.harness.select("select count(*) from commits")
    watch.look()
    assert watch.harness.select("select count(*) from commits") == before


def test_what_is_too_much_for_one_look_has_its_turn_in_the_next(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alert_watch, "WORKSPACES_AT_ONCE", 1)
    first = watch.profile_id
    watch.alert("hour", 50)
    watch.use(5)
    watch.profile_id = watch.harness.workspace(name="Other", plan="gold")
    watch.alert("hour", 50)
    watch.use(5, key_id=watch.harness.key(watch.profile_id))
    watch.look()
    assert [event["profile_id"] for event in watch.events()] == [first]
    # Who was looked at last waits, however much has moved there meanwhile.
    second = watch.profile_id
    watch.profile_id = first
    watch.use(1)
    watch.harness.advance(1)
    watch.look()
    assert {event["profile_id"] for event in watch.events()} == {first, second}


def test_a_look_ends_in_time_and_gets_on_all_the_same(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alert_watch, "LOOK_SECONDS_MAX", -1)
    for number in range(3):
        watch.profile_id = watch.harness.workspace(name=f"W{number}", plan="gold")
        watch.alert("hour", 50)
        watch.use(5, key_id=watch.harness.key(watch.profile_id))
    for told in (1, 2, 3):
        watch.look()
        assert len(watch.events()) == told


def test_an_alert_that_ended_tells_nothing_more(watch: Watch) -> None:
    alert_id = watch.alert("hour", 50, 100)
    watch.use(5)
    watch.look()
    found_before_the_end = watch.server()
    watch.use(5)
    found = found_before_the_end.look(watch.harness.reader)
    watch.harness.call("alerts.delete", profile_id=watch.profile_id, alert_id=alert_id)
    asyncio.run(found_before_the_end._tell(found.crossings))
    watch.look()
    assert watch.told() == []
    assert len(watch.events()) == 1


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"kind": "credits", "channel": "api", "thresholds": [50]}, "channel"),
        ({"kind": "hour", "thresholds": [50]}, "channel"),
        ({"kind": "hour", "channel": "api", "thresholds": [80, 50]}, "thresholds"),
        ({"kind": "hour", "channel": "api", "thresholds": [50, 50]}, "thresholds"),
    ],
)
def test_an_alert_that_can_not_be_is_refused_by_name(
    watch: Watch, fields: dict[str, Any], field: str
) -> None:
    with pytest.raises(FareboxError) as caught:
        watch.harness.call("alerts.create", profile_id=watch.profile_id, **fields)
    assert caught.value.kind.status == 422
    assert caught.value.params["field"] == field
    assert watch.harness.select("select count(*) from alerts") == [(0,)]


def test_there_are_only_so_many_alerts(watch: Watch) -> None:
    for _ in range(ALERTS_MAX):
        watch.alert()
    with pytest.raises(FareboxError) as caught:
        watch.alert()
    assert caught.value.kind.name == "too_many"
