"""The world holds what the tests of pages count on."""

from __future__ import annotations

from datetime import date

from tests.browser.world import TIMEZONE, World


def test_the_days_around_a_change_of_time_have_calls(world: World) -> None:
    first, last = world.change_range
    asked = {"start_date": first, "end_date": last, "fill_gaps": True}
    report = world.ask("/api_keys/usage/daily", asked)
    days = [point["date"] for point in report["series"]]
    assert [days[0], days[-1], len(days)] == [first, last, 7]
    assert all(point["requests"] == 10 for point in report["series"])
    assert date.fromisoformat(first) < world.changed_on < date.fromisoformat(last)


def test_there_is_something_of_everything(world: World) -> None:
    rows = world.ask("/api_keys/logs", {"per_page": 100})
    assert rows["pagination"]["total_entries"] > 200
    refused = world.refusals(world.acme)
    assert refused["timezone"] == TIMEZONE
    assert [reason["refusals"] for reason in refused["reasons"]] == [3]
    assert world.ask("/profile/usage", key=world.bolt.key)
