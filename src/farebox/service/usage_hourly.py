"""The hourly report of a workspace for a few days, from quarter hours, never from the log."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from farebox.core.daily import Daily
from farebox.core.errors import RANGE_TOO_LONG, FareboxError
from farebox.core.hourly import HOURLY_DAYS_MAX, Hour, QuarterRow, hourly, hours_of
from farebox.engine.directory import Directory
from farebox.engine.report_zone import report_zone
from farebox.service.date_range import DateRange
from farebox.service.reading import check_log_types, json_list, rows_of, snapshot
from farebox.service.usage_filters import UsageFilters
from farebox.store.contract import Reader

_quarter_rows = msgspec.json.Decoder(list[QuarterRow])


class UsageHourly(NamedTuple):
    """The report, and the hours that each of its series shows."""

    report: Daily
    hours: list[Hour]


def usage_hourly(
    reader: Reader,
    directory: Directory,
    profile_id: int,
    days: DateRange,
    filters: UsageFilters,
) -> UsageHourly:
    """Requests and credits by the hour, in all and by log type, in the zone that reports read.

    Raises:
        FareboxError: 400, more than 3 days.
        DirectoryBehindError: the directory lacks a log type.
    """
    if days.length > HOURLY_DAYS_MAX:
        raise FareboxError(RANGE_TOO_LONG, days_max=HOURLY_DAYS_MAX)
    with snapshot(reader):
        hours = hours_of(*days, report_zone(reader, profile_id).zone)
        text = reader.value(
            "usage_by_quarter",
            profile_id=profile_id,
            first_quarter=hours[0].first_quarter,
            end_quarter=hours[-1].end_quarter,
            log_type_ids=json_list(filters.log_type_ids),
            key_ids=json_list(filters.key_ids),
        )
    rows = rows_of(text, _quarter_rows)
    check_log_types(directory, (log_type_id for _, log_type_id, _, _ in rows))
    return UsageHourly(hourly(rows, hours, directory.log_types), hours)
