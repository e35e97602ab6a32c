"""Refusals over the admin API: as the server noted them, told to the operator alone."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from farebox.core.errors import FareboxError
from farebox.core.refusal import Refusal
from tests.api.admin.test_calls import refused
from tests.support.admin import Admin
from tests.support.api import Api
from tests.support.harness import START_MS, Harness
from tests.support.refused import refusal


def note(admin: Admin, *refusals: Refusal) -> None:
    """Have the server note refusals, and tell of them."""
    log = admin.api.context.refusal_log
    for each in refusals:
        log.note(each)
    admin.api.run(log.flush())


def test_a_refused_call_is_listed_and_counted(admin: Admin) -> None:
    profile_id = admin.workspace()
    key = admin.make(f"/workspaces/{profile_id}/keys", {})
    note(admin, refusal(profile_id, key["key_id"]), refusal(profile_id, key["key_id"]))
    found = admin.get("/refusals")
    assert found["next_cursor"] is None
    assert [entry["refusal_id"] for entry in found["data"]] == [2, 1]
    entry = found["data"][0]
    assert entry["masked_authentication"] == key["masked_authentication"]
    assert entry["limits"][0] == {
        "name": "hour",
        "limit": 1000,
        "remaining": 0,
        "reset": "2026-05-05T13:00:00.000Z",
    }
    counts = admin.get(f"/workspaces/{profile_id}/refusal_counts")
    assert counts["totals"] == {"refusals": 2, "shadow_refusals": 0}
    one_day = "start_date=2026-05-05&end_date=2026-05-05"
    assert admin.get(f"/workspaces/{profile_id}/refusal_counts?{one_day}") == {
        **counts,
        "start_date": "2026-05-05",
    }


def test_a_list_is_read_on_by_its_cursor(admin: Admin) -> None:
    profile_id = admin.workspace()
    note(admin, *(refusal(profile_id, time_ms=START_MS + number) for number in range(5)))
    seen = []
    path = f"/refusals?limit=2&profile_id={profile_id}"
    cursor: str | None = ""
    while cursor is not None:
        page = admin.get(f"{path}&cursor={cursor}" if cursor else path)
        seen.append([entry["refusal_id"] for entry in page["data"]])
        cursor = page["next_cursor"]
    assert seen == [[5, 4], [3, 2], [1]]


def test_what_is_asked_wrongly_is_told_by_name(admin: Admin) -> None:
    profile_id = admin.workspace()
    for query, code, word in (
        ("profile_id=x", 40004, "profile_id"),
        ("limit=0", 40004, "limit"),
        ("cursor=x", 40004, "cursor"),
        ("reason=hour", 42202, "reason"),
        ("profile_id=99", 40401, "workspace"),
        ("profile_id=0", 40401, "workspace"),
        (f"profile_id={'9' * 18}", 40401, "workspace"),
        (f"profile_id={'9' * 30}", 40401, "workspace"),
        ("key_id=none", 40401, "API key"),
    ):
        response = admin.call("GET", f"/refusals?{query}")
        refused(response, code, word)
    for query, code, word in (
        ("start_date=x", 40005, "start_date"),
        ("end_date=2026-02-30", 40005, "end_date"),
        ("start_date=2026-05-02&end_date=2026-05-01", 40006, "start_date"),
        ("start_date=2025-01-01", 40007, "400"),
        ("date=2026-05-01", 42202, "date"),
    ):
        path = f"/workspaces/{profile_id}/refusal_counts"
        refused(admin.call("GET", f"{path}?{query}"), code, word)
    refused(admin.call("GET", "/workspaces/99/refusal_counts"), 40401, "workspace")


def test_a_customers_key_opens_none_of_it(admin: Admin) -> None:
    profile_id = admin.workspace()
    key = admin.make(f"/workspaces/{profile_id}/keys", {})["key"]
    for path in ("/admin/v1/refusals", f"/admin/v1/workspaces/{profile_id}/refusal_counts"):
        assert admin.api.request("GET", path, key=key).status_code == 401


@pytest.mark.parametrize("is_gone", [False, True])
def test_what_was_noted_is_counted_when_the_server_stops(tmp_path: Path, is_gone: bool) -> None:
    with Harness(tmp_path) as harness:
        with Api(harness) as api:
            # At the end of the block the store is there again.
            api.store.is_gone = is_gone
            api.context.refusal_log.note(refusal())
            if is_gone:
                with pytest.raises(FareboxError):
                    api.run(api.context.refusal_log.flush())
        assert harness.select("select refusals from refusals") == [(1,)]


def test_the_server_tells_by_itself(admin: Admin) -> None:
    context = admin.api.context
    context.refusal_log.note(refusal())

    async def until_told() -> None:
        async with asyncio.timeout(20):
            while context.refusal_log.waiting:  # noqa: ASYNC110 - nobody else would tell it
                await asyncio.sleep(0.01)

    admin.api.run(until_told())
    assert admin.api.harness.select("select refusals from refusals") == [(1,)]
    assert 'farebox_refusals_total{reason="hour"} 1.0' in admin.api.request("GET", "/metrics").text
