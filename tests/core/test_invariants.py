"""Invariants of rollups and zones: equal sides say nothing, others where they differ."""

from __future__ import annotations

import pytest

from farebox.core.invariants import (
    Difference,
    ZoneVersion,
    check_amounts,
    check_usage,
    check_zones,
)
from farebox.core.rollup import Usage

PROFILE_ID = 3


def test_usage_that_differs_is_shown_where_it_differs() -> None:
    expected = {"a": Usage(1, 2, 3), "b": Usage(4, 0, 6), "c": Usage(7, 8, 9)}
    found = {"a": Usage(1, 2, 3), "c": Usage(7, 9, 10), "d": Usage(1, 1, 1)}
    assert list(check_usage("days", 5, expected, found)) == [
        Difference("days", 5, "b", "requests 4, last_ms 6", "nothing"),
        Difference("days", 5, "c", "credits_micro 8, last_ms 9", "credits_micro 9, last_ms 10"),
        Difference("days", 5, "d", "nothing", "requests 1, credits_micro 1, last_ms 1"),
    ]


def test_amounts_that_differ_are_shown_and_zero_is_nothing() -> None:
    expected, found = {"a": 1, "b": 2, "c": 0}, {"a": 1, "d": 3}
    assert list(check_amounts("history", 5, expected, found)) == [
        Difference("history", 5, "b", "credits_micro 2", "nothing"),
        Difference("history", 5, "d", "nothing", "credits_micro 3"),
    ]


ZONES = (
    ZoneVersion(1, 0, "UTC", None),
    ZoneVersion(2, 10, "Asia/Tokyo", None),
    ZoneVersion(3, 20, "Europe/Berlin", 77),
)


@pytest.mark.parametrize(
    ("versions", "timezone", "zone_version", "where"),
    [
        (ZONES, "Europe/Berlin", 2, []),
        (ZONES[:1], "UTC", 1, []),
        (ZONES, "Europe/Berlin", 3, ["workspaces.zone_version"]),
        (ZONES, "Europe/Berlin", 4, ["workspaces.zone_version"]),
        (ZONES, "Asia/Tokyo", 2, ["workspaces.timezone"]),
        ((), "UTC", 1, ["workspaces.zone_version", "workspaces.timezone"]),
        (
            (*ZONES[:2], ZoneVersion(3, 9, "Europe/Berlin", 77)),
            "Europe/Berlin",
            2,
            ["zone_version 3"],
        ),
    ],
)
def test_reports_read_complete_days_of_a_known_zone(
    versions: tuple[ZoneVersion, ...], timezone: str, zone_version: int, where: list[str]
) -> None:
    found = list(check_zones(PROFILE_ID, versions, timezone, zone_version))
    assert [d.where for d in found] == where
    assert {d.check for d in found} <= {"zones"}
