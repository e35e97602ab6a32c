"""The breakdown of a workspace (seed: usage_breakdown), from day rollups, never from the log."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from farebox.core.breakdown import Breakdown, EndpointRow, KeyRow, breakdown
from farebox.engine.directory import Directory
from farebox.engine.report_zone import ReportZone, report_zone
from farebox.service.date_range import DateRange
from farebox.service.reading import check_log_types, json_list, rows_of, snapshot
from farebox.service.usage_filters import UsageFilters
from farebox.store.contract import Reader

_key_rows_decoder = msgspec.json.Decoder(list[KeyRow])
_endpoint_rows_decoder = msgspec.json.Decoder(list[EndpointRow])


class UsageBreakdown(NamedTuple):
    """The report, and the zone that its stamps are to be told in."""

    report: Breakdown
    zone: ReportZone


def usage_breakdown(
    reader: Reader,
    directory: Directory,
    profile_id: int,
    days: DateRange,
    filters: UsageFilters,
) -> UsageBreakdown:
    """Requests and credits by key and by endpoint; keys that idled are listed unless revoked.

    Raises:
        DirectoryBehindError: the directory lacks a log type.
    """
    idle_keys = [
        (key.key_id, key.masked_authentication)
        for key in directory.keys_of(profile_id)
        if key.revoked_at_ms is None and filters.takes_key(key.key_id)
    ]
    with snapshot(reader):
        key_rows = _key_rows(reader, profile_id, days, filters)
        endpoint_rows = _endpoint_rows(reader, profile_id, days, filters)
        check_log_types(directory, (log_type_id for log_type_id, _, _ in endpoint_rows))
        report = breakdown(key_rows, idle_keys, endpoint_rows, directory.log_types)
        return UsageBreakdown(report, report_zone(reader, profile_id))


def _key_rows(
    reader: Reader, profile_id: int, days: DateRange, filters: UsageFilters
) -> list[KeyRow]:
    if filters.log_type_ids is None:
        text = reader.value(
            "usage_by_key",
            profile_id=profile_id,
            first_day=days.first_day,
            end_day=days.end_day,
            key_ids=json_list(filters.key_ids),
        )
    else:
        text = reader.value(
            "usage_by_key_of_log_types",
            profile_id=profile_id,
            first_day=days.first_day,
            end_day=days.end_day,
            key_ids=json_list(filters.key_ids),
            log_type_ids=json_list(filters.log_type_ids),
        )
    return rows_of(text, _key_rows_decoder)


def _endpoint_rows(
    reader: Reader, profile_id: int, days: DateRange, filters: UsageFilters
) -> list[EndpointRow]:
    if filters.key_ids is None:
        text = reader.value(
            "usage_by_log_type",
            profile_id=profile_id,
            first_day=days.first_day,
            end_day=days.end_day,
            log_type_ids=json_list(filters.log_type_ids),
        )
    else:
        text = reader.value(
            "usage_by_log_type_of_keys",
            profile_id=profile_id,
            first_day=days.first_day,
            end_day=days.end_day,
            log_type_ids=json_list(filters.log_type_ids),
            key_ids=json_list(filters.key_ids),
        )
    return rows_of(text, _endpoint_rows_decoder)
