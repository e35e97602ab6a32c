"""The daily report of a workspace (seed: usage_daily), from day rollups, never from the log."""

from __future__ import annotations

import msgspec

from farebox.core.daily import Daily, DayRow, daily
from farebox.engine.directory import Directory
from farebox.service.date_range import DateRange
from farebox.service.reading import check_log_types, json_list, rows_of
from farebox.service.usage_filters import UsageFilters
from farebox.store.contract import Reader

_day_rows = msgspec.json.Decoder(list[DayRow])


def usage_daily(
    reader: Reader,
    directory: Directory,
    profile_id: int,
    days: DateRange,
    filters: UsageFilters,
    *,
    fill_gaps: bool = False,
) -> Daily:
    """Requests and credits by day, in all and by log type; one query.

    Raises:
        DirectoryBehindError: the directory lacks a log type.
    """
    filled = range(days.first_day, days.end_day) if fill_gaps else ()
    rows = _rows(reader, profile_id, days, filters)
    check_log_types(directory, (log_type_id for _, log_type_id, _, _ in rows))
    return daily(rows, directory.log_types, filled=filled)


def _rows(reader: Reader, profile_id: int, days: DateRange, filters: UsageFilters) -> list[DayRow]:
    log_type_ids = json_list(filters.log_type_ids)
    if filters.key_ids is None:
        text = reader.value(
            "usage_by_day",
            profile_id=profile_id,
            first_day=days.first_day,
            end_day=days.end_day,
            log_type_ids=log_type_ids,
        )
    else:
        text = reader.value(
            "usage_by_day_of_keys",
            profile_id=profile_id,
            first_day=days.first_day,
            end_day=days.end_day,
            log_type_ids=log_type_ids,
            key_ids=json_list(filters.key_ids),
        )
    return rows_of(text, _day_rows)
