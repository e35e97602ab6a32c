"""The log of a workspace, page by page (vendor: api_keys/logs).

The log is read in parts of so many rows, from its newer or its older end, until it is through or
the time is over: then the answer is what was found so far, and says so. Reading in parts keeps
every step short, whatever the filters are. Of equal requests in an order the newer comes first.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from heapq import nsmallest
from typing import Literal, NamedTuple

import msgspec

from farebox.core.calendar import QUARTER_MS, day_quarters, zone_of
from farebox.core.identity import first_query_log_id
from farebox.core.instant import MS_PER_SECOND
from farebox.core.workspace import Workspace
from farebox.engine.directory import Directory
from farebox.service.reading import json_list, rows_of, snapshot
from farebox.service.usage_filters import UsageFilters
from farebox.store.contract import Reader

ROWS_PER_PART = 20_000
OrderBy = Literal["created_at", "duration_ms", "credits", "status_code", "response_size"]
_FIRST_ID = bytes(16)
_END_ID = b"\xff" * 16


class LogQuery(NamedTuple):
    """What is asked for. `filters` and lists of None are no filter; so is an empty term.

    `days` may lack an end, which is None then.
    """

    page: int
    per_page: int
    order_by: OrderBy = "created_at"
    is_ascending_order: bool = False
    filters: UsageFilters = UsageFilters()
    search_term: str = ""
    status_codes: tuple[int, ...] | None = None
    methods: tuple[str, ...] | None = None
    days: tuple[int | None, int | None] = (None, None)


class LogRow(NamedTuple):
    """One request as the log shows it; `query_log_id` is in hex without hyphens.

    A key is called by its present name, be it revoked since; the name may be empty.
    """

    query_log_id: str
    time_ms: int
    user_id: str
    method: str | None
    path: str | None
    status_code: int | None
    duration_ms: int | None
    log_type_id: int
    authentication_type: str | None
    masked_authentication: str
    response_size: int | None
    ip: str | None
    email: str
    nickname: str
    log_type_slug: str | None
    credits_micro: int
    log_type_name: str | None
    key_id: str
    key_name: str


class LogPage(NamedTuple):
    """A page, how many requests match, and whether time was over before all were counted."""

    rows: list[LogRow]
    total_entries: int
    is_timeout: bool


class _Ranked(NamedTuple):
    """A match: its id in hex, and the value that it is ordered by."""

    query_log_id: str
    value: int | None


_log_rows = msgspec.json.Decoder(list[LogRow])
_ranked_rows = msgspec.json.Decoder(list[_Ranked])


class _Part(NamedTuple):
    """A range of ids, half-open."""

    first_id: bytes
    end_id: bytes


def read_logs(
    reader: Reader,
    directory: Directory,
    workspace: Workspace,
    query: LogQuery,
    *,
    pages_max: int,
    budget_ms: int,
    monotonic: Callable[[], float] = time.monotonic,
) -> LogPage:
    """A page of the log; pages past `pages_max` are empty."""
    if "\0" in "".join((query.search_term, *(query.methods or ()))):
        return LogPage([], 0, is_timeout=False)  # no text of the store holds it
    deadline = monotonic() + budget_ms / MS_PER_SECOND
    search = _Search(reader, directory, workspace.profile_id, query, pages_max)
    with snapshot(reader):
        is_timeout = False
        for part in search.parts(_bounds(workspace, query)):
            search.take(part)
            is_timeout = monotonic() > deadline
            if is_timeout:
                break
        return LogPage(search.rows(), search.total, is_timeout and not search.is_through)


def read_log(reader: Reader, profile_id: int, query_log_id: str) -> LogRow | None:
    """One request of a workspace, as the pages of its log show it; the id is in hex."""
    text = reader.value("logs_rows", profile_id=profile_id, query_log_ids=json_list([query_log_id]))
    rows = rows_of(text, _log_rows)
    return rows[0] if rows else None


class _Search:
    """The matches so far: all are counted, those of the page are kept."""

    def __init__(
        self,
        reader: Reader,
        directory: Directory,
        profile_id: int,
        query: LogQuery,
        pages_max: int,
    ) -> None:
        self._reader = reader
        self._profile_id = profile_id
        self._query = query
        self._skipped = (query.page - 1) * query.per_page
        self._wanted = query.per_page if query.page <= pages_max else 0
        self._is_by_time = query.order_by == "created_at"
        self._found: list[_Ranked] = []
        self._key_ids = json_list(query.filters.key_ids)
        self._log_type_ids = json_list(query.filters.log_type_ids)
        self._status_codes = json_list(query.status_codes)
        self._methods = json_list(query.methods)
        self._search = f"%{_escaped(query.search_term)}%" if query.search_term else None
        self._search_key_ids = json_list(_keys_like(directory, profile_id, query.search_term))
        self.total = 0
        self.is_through = False

    def parts(self, bounds: _Part) -> Iterator[_Part]:
        """The log in parts, from the end that comes first in the order of time."""
        rest = bounds
        is_from_oldest = self._is_by_time and self._query.is_ascending_order
        while not self.is_through:
            cut = self._cut(rest, is_from_oldest=is_from_oldest)
            self.is_through = cut is None
            if cut is None:
                yield rest
            elif is_from_oldest:
                yield _Part(rest.first_id, cut)
                rest = _Part(cut, rest.end_id)
            else:
                yield _Part(cut, rest.end_id)
                rest = _Part(rest.first_id, cut)

    def take(self, part: _Part) -> None:
        """Count the matches of a part, and keep those that the page may need."""
        count = self._reader.integer(
            "logs_count",
            profile_id=self._profile_id,
            first_id=part.first_id,
            end_id=part.end_id,
            key_ids=self._key_ids,
            log_type_ids=self._log_type_ids,
            status_codes=self._status_codes,
            methods=self._methods,
            search=self._search,
            search_key_ids=self._search_key_ids,
        )
        before, self.total = self.total, self.total + count
        if not count or not self._wanted:
            return
        if not self._is_by_time:
            # Any part may hold some of the first of the order.
            needed = self._skipped + self._wanted
            ranked = self._ranked(part, needed, 0)
            self._found = nsmallest(needed, [*self._found, *ranked], self._rank)
        elif self.total > self._skipped and len(self._found) < self._wanted:
            skipped = max(0, self._skipped - before)
            self._found += self._ranked(part, self._wanted - len(self._found), skipped)

    def rows(self) -> list[LogRow]:
        """The rows of the page, in order."""
        start = 0 if self._is_by_time else self._skipped
        ids = [found.query_log_id for found in self._found[start : start + self._wanted]]
        text = self._reader.value(
            "logs_rows", profile_id=self._profile_id, query_log_ids=json_list(ids)
        )
        rows = {row.query_log_id: row for row in rows_of(text, _log_rows)}
        return [rows[query_log_id] for query_log_id in ids]

    def _cut(self, rest: _Part, *, is_from_oldest: bool) -> bytes | None:
        if is_from_oldest:
            found = self._reader.value(
                "logs_bound_oldest",
                profile_id=self._profile_id,
                first_id=rest.first_id,
                end_id=rest.end_id,
                rows_max=ROWS_PER_PART,
            )
        else:
            found = self._reader.value(
                "logs_bound_newest",
                profile_id=self._profile_id,
                first_id=rest.first_id,
                end_id=rest.end_id,
                rows_max=ROWS_PER_PART,
            )
        assert found is None or isinstance(found, bytes)
        return found

    def _ranked(self, part: _Part, rows_max: int, rows_skipped: int) -> list[_Ranked]:
        text = self._reader.value(
            "logs_ranked",
            profile_id=self._profile_id,
            first_id=part.first_id,
            end_id=part.end_id,
            key_ids=self._key_ids,
            log_type_ids=self._log_type_ids,
            status_codes=self._status_codes,
            methods=self._methods,
            search=self._search,
            search_key_ids=self._search_key_ids,
            order_by=self._query.order_by,
            is_ascending=int(self._query.is_ascending_order),
            rows_max=rows_max,
            rows_skipped=rows_skipped,
        )
        return rows_of(text, _ranked_rows)

    def _rank(self, match: _Ranked) -> tuple[int, int, int]:
        """The place in the order, as `logs_ranked` has it: null is the smallest."""
        sign = 1 if self._query.is_ascending_order else -1
        newest_first = -int(match.query_log_id, 16)
        if match.value is None:
            return (-sign, 0, newest_first)
        return (0, sign * match.value, newest_first)


def _bounds(workspace: Workspace, query: LogQuery) -> _Part:
    """The ids of the days that are asked for."""
    first_day, end_day = query.days
    zone = zone_of(workspace.timezone)
    first_id, end_id = _FIRST_ID, _END_ID
    if first_day is not None:
        first_id = first_query_log_id(day_quarters(first_day, first_day, zone)[0] * QUARTER_MS)
    if end_day is not None:
        end_id = first_query_log_id(day_quarters(end_day, end_day, zone)[0] * QUARTER_MS)
    return _Part(first_id, end_id)


def _keys_like(directory: Directory, profile_id: int, term: str) -> list[str]:
    """The keys whose masks hold a term; as in the path, the case of letters doesn't matter."""
    lowered = term.lower()
    return [
        key.key_id
        for key in (directory.keys_of(profile_id) if term else ())
        if lowered in key.masked_authentication.lower()
    ]


def _escaped(term: str) -> str:
    """A term as LIKE takes it literally."""
    return term.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
