"""Ranges of days by their names: periods are those that the books have."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from farebox.core.calendar import format_day
from farebox.core.preset import Preset
from farebox.service.presets import read_preset
from tests.support.harness import Harness
from tests.support.homes import Home


@pytest.fixture
def harness(home: Home) -> Iterator[Harness]:
    with Harness(home) as harness:
        yield harness


def days(harness: Harness, profile_id: int, preset: Preset) -> tuple[str, str]:
    workspace = harness.directory.workspaces[profile_id]
    found = read_preset(harness.reader, workspace, preset, harness.now_ms)
    return format_day(found.first_day), format_day(found.end_day - 1)


def test_the_first_period_has_a_natural_one_before_it(harness: Harness) -> None:
    profile_id = harness.workspace(timezone="America/New_York", anchor_day=3)
    assert days(harness, profile_id, "this_period") == ("2026-05-03", "2026-05-05")
    assert days(harness, profile_id, "previous_period") == ("2026-04-03", "2026-05-02")


def test_a_period_that_a_new_zone_bent_is_told_as_it_was(harness: Harness) -> None:
    profile_id = harness.workspace(timezone="UTC", anchor_day=3)
    harness.call("grants.create", profile_id=profile_id, credits=5, kind="topup")
    # The period goes on to the day it was opened for.
    harness.call("workspaces.change", profile_id=profile_id, anchor_day=20)
    harness.advance(days=40)
    assert days(harness, profile_id, "previous_period") == ("2026-05-03", "2026-06-02")
    assert days(harness, profile_id, "this_period") == ("2026-06-03", "2026-06-14")
    assert days(harness, profile_id, "7d") == ("2026-06-08", "2026-06-14")
