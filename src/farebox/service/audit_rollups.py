"""Audit of the log and its rollups: what reports read is what was recorded.

The log is believed; identities, quarter hours, days and projections must follow from it. The days
of a zone version that is being built must follow as far as it has been built, and those of a
version that nobody reads any more must be gone.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

import msgspec

from farebox.core.calendar import (
    LAST_DAY,
    QUARTER_MS,
    day_of_quarter,
    day_quarters,
    zone_of,
)
from farebox.core.invariants import NOTHING, Difference, ZoneVersion, check_zones
from farebox.engine.known import json_ids
from farebox.engine.zones import ZoneRow
from farebox.service.audit_findings import Audited, Findings, UsageGap, place
from farebox.store.contract import Reader

_SPANS_REMEMBERED_MAX = 100_000


class LogSums(NamedTuple):
    """One pass over a workspace's log, and the counts of what is kept beside it."""

    requests: int
    credits_micro: int
    mistimed: int
    identities: int
    captures: int
    quarters: int
    charges: int
    transfers: int
    corrections: int


class _Mistimed(NamedTuple):
    query_log_id: str
    expected: str
    found: str
    gaps: int


class _Lone(NamedTuple):
    query_log_id: str
    gaps: int


class _Unknown(NamedTuple):
    key_id: str
    log_type_id: int
    is_key_known: int
    is_log_type_known: int
    gaps: int


class _DayVersion(NamedTuple):
    zone_version: int
    days: int
    day_log_types: int
    day_keys: int


class _UtcDay(NamedTuple):
    utc_day: int


def check_log(reader: Reader, workspace: Audited, findings: Findings) -> LogSums:
    """Log rows lie where their time says; each has its identity, each capture its log row."""
    profile_id = workspace.profile_id
    with findings.checking("log"):
        sums = reader.one("audit_log", LogSums, profile_id=profile_id)
        assert sums is not None  # sums without groups are one row
        if sums.mistimed:
            mistimed = reader.rows(
                "audit_mistimed", _Mistimed, profile_id=profile_id, limit=findings.room("log")
            )
            findings.add_others(
                "log",
                profile_id,
                [
                    (
                        place(row, "query_log_id"),
                        f"{row.expected}, its time_ms",
                        row.found,
                        row.gaps,
                    )
                    for row in mistimed
                ],
            )
    findings.requests += sums.requests
    findings.credits_micro += sums.credits_micro
    findings.compared("log", sums.requests)
    with findings.checking("captures", sums.captures):
        lone = reader.rows(
            "audit_captures", _Lone, profile_id=profile_id, limit=findings.room("captures")
        )
        gaps = [(place(row, "query_log_id"), "a log row", NOTHING, row.gaps) for row in lone]
        findings.add_others("captures", profile_id, gaps)
    with findings.checking("identities", sums.identities):
        if sums.identities != sums.requests:
            findings.add(
                [
                    Difference(
                        "identities",
                        profile_id,
                        "all identities",
                        f"{sums.requests}, one a log row",
                        f"{sums.identities}",
                    )
                ]
            )
    return sums


def check_quarters(reader: Reader, workspace: Audited, sums: LogSums, findings: Findings) -> None:
    """Quarter hours are the sums of the log, and name what exists."""
    profile_id = workspace.profile_id
    with findings.checking("quarters", sums.quarters):
        gaps = reader.rows(
            "audit_quarters",
            UsageGap,
            profile_id=profile_id,
            quarter_ms=QUARTER_MS,
            limit=findings.room("quarters"),
        )
        findings.add_usage_gaps("quarters", profile_id, gaps)
    with findings.checking("names", sums.quarters):
        unknown = reader.rows(
            "audit_names", _Unknown, profile_id=profile_id, limit=findings.room("names")
        )
        findings.add_others("names", profile_id, [_name_gap(row) for row in unknown])


def check_days(reader: Reader, workspace: Audited, findings: Findings) -> None:
    """Days and their projections are the sums of the quarter hours, in each version's zone."""
    profile_id, timezone, read_version = workspace
    if timezone is None or read_version is None:
        return
    zones = reader.rows("zones_of", ZoneRow, profile_ids=json_ids([profile_id]))
    versions = [ZoneVersion._make(zone[1:5]) for zone in zones]
    with findings.checking("zones", len(versions)):
        findings.add(check_zones(profile_id, versions, timezone, read_version))
        kept = reader.rows("audit_day_versions", _DayVersion, profile_id=profile_id)
        rows = reader.rows("audit_utc_days", _UtcDay, profile_id=profile_id)
        utc_days = [row.utc_day for row in rows]
    rows_of = {row.zone_version: row for row in kept}
    spans_of = dict.fromkeys(rows_of, "[]")
    for zone in versions:
        if zone.zone_version < read_version:
            continue
        try:
            spans_of[zone.zone_version] = _spans(zone, utc_days)
        except ValueError as error:
            spans_of.pop(zone.zone_version, None)  # nobody can say what its days are
            where = f"zone_version {zone.zone_version}: timezone"
            findings.add([Difference("zones", profile_id, where, str(error), zone.timezone)])
    for version, spans in sorted(spans_of.items()):
        counts = rows_of.get(version, _DayVersion(version, 0, 0, 0))
        _check_version(reader, profile_id, counts, spans, findings)


def _check_version(
    reader: Reader, profile_id: int, kept: _DayVersion, spans: str, findings: Findings
) -> None:
    version = kept.zone_version
    with findings.checking("days", kept.days):
        days = reader.rows(
            "audit_days",
            UsageGap,
            profile_id=profile_id,
            zone_version=version,
            spans=spans,
            limit=findings.room("days"),
        )
        findings.add_usage_gaps("days", profile_id, days)
    with findings.checking("day_log_types", kept.day_log_types):
        day_log_types = reader.rows(
            "audit_day_log_types",
            UsageGap,
            profile_id=profile_id,
            zone_version=version,
            spans=spans,
            limit=findings.room("day_log_types"),
        )
        findings.add_usage_gaps("day_log_types", profile_id, day_log_types)
    with findings.checking("day_keys", kept.day_keys):
        day_keys = reader.rows(
            "audit_day_keys",
            UsageGap,
            profile_id=profile_id,
            zone_version=version,
            spans=spans,
            limit=findings.room("day_keys"),
        )
        findings.add_usage_gaps("day_keys", profile_id, day_keys)


def _name_gap(row: _Unknown) -> tuple[str, str, str, int]:
    wrong = [] if row.is_key_known else ["a key of the workspace"]
    wrong += [] if row.is_log_type_known else ["a log type"]
    return place(row, "key_id", "log_type_id"), " and ".join(wrong), NOTHING, row.gaps


def _spans(zone: ZoneVersion, utc_days: Iterable[int]) -> str:
    """The days of a version as far as it is built: JSON of [first quarter, end quarter, day].

    A quarter's day in any zone is its UTC day, the one before or the one after.
    """
    days = {day for utc_day in utc_days for day in (utc_day - 1, utc_day, utc_day + 1)}
    spans = []
    for day in sorted(days):
        if not -1 <= day < LAST_DAY:
            continue  # no log row can lie there: the quarter itself is a difference
        first, end = _day_span(zone.timezone, day)
        if zone.built_quarter is not None:
            end = min(end, zone.built_quarter)
        if first < end:
            spans.append((first, end, day))
    return msgspec.json.encode(spans).decode()


@lru_cache(maxsize=_SPANS_REMEMBERED_MAX)
def _day_span(timezone: str, day: int) -> tuple[int, int]:
    """The half-open range of the quarters that count to a day; empty for a day that is skipped."""
    zone = zone_of(timezone)
    first, end = day_quarters(day, day + 1, zone)
    if first < end:
        # Days never run back, so with both ends all between is proven.
        assert day_of_quarter(first, zone) == day == day_of_quarter(end - 1, zone)
    return first, end
