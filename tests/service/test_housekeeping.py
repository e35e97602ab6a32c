"""Housekeeping: captured bodies are forgotten in time, audits are told, the clock is watched."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator

import pytest

from farebox.core.instant import MS_PER_DAY
from farebox.core.request import Capture
from farebox.service import housekeeping
from farebox.service.auditor import audit
from farebox.service.housekeeping import FORGET_AT_ONCE, last_audit
from tests.support.harness import Harness
from tests.support.homes import Home


@pytest.fixture
def harness(home: Home) -> Iterator[Harness]:
    with Harness(home) as harness:
        yield harness


def captured(harness: Harness, profile_id: int, key_id: str, days_back: int) -> bytes:
    """A request of so many days ago with a captured body; its query_log_id."""
    row = harness.row(profile_id, key_id, time_ms=harness.now_ms - days_back * MS_PER_DAY)
    harness.record([row], [Capture(profile_id, row.query_log_id, "{}", "asked", "answered")])
    return row.query_log_id


def test_captures_are_forgotten_when_their_time_is_over_and_no_earlier(harness: Harness) -> None:
    kept = []
    for _ in range(2):
        profile_id = harness.workspace()
        key_id = harness.key(profile_id)
        captured(harness, profile_id, key_id, 8)
        kept.append((captured(harness, profile_id, key_id, 6),))
    before_ms = harness.now_ms - 7 * MS_PER_DAY
    assert harness.call("captures.forget", before_ms=before_ms).count == 2
    assert harness.select("select query_log_id from captures order by profile_id") == kept
    assert harness.call("captures.forget", before_ms=before_ms).count == 0
    # The log itself is not touched.
    assert harness.select("select count(*) from requests") == [(4,)]


def test_no_step_of_forgetting_is_long(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "FORGET_AT_ONCE", 3)
    for _ in range(2):
        profile_id = harness.workspace()
        key_id = harness.key(profile_id)
        for _ in range(2):
            captured(harness, profile_id, key_id, 8)
    counts = [harness.call("captures.forget", before_ms=harness.now_ms).count for _ in range(3)]
    assert counts == [3, 1, 0]
    assert FORGET_AT_ONCE > 3


def test_the_last_audit_is_told_whoever_ran_it(harness: Harness) -> None:
    assert last_audit(harness.reader) is None
    for differences in (2, 0):
        harness.call("audits.keep", took_ms=5, requests=1, differences=differences, detail="{}")
        told = last_audit(harness.reader)
        assert told is not None
        assert told.differences == differences


@pytest.mark.parametrize(("status", "is_logged"), [(0, False), (1, True)])
def test_an_audit_that_disagrees_is_logged(
    status: int, is_logged: bool, caplog: pytest.LogCaptureFixture
) -> None:
    asyncio.run(audit([sys.executable, "-c", f"raise SystemExit({status})"]))
    assert bool(caplog.records) is is_logged
