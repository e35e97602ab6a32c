"""Workspaces and how they fare: a page of them with their credits, their use and their refusals.

A page takes the same few queries however many workspaces it has, and none reads the log.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from farebox.core.calendar import QUARTER_MS, day_of_quarter, zone_of
from farebox.core.errors import NOT_FOUND, FareboxError
from farebox.core.instant import MS_PER_DAY
from farebox.core.phrase import Phrase
from farebox.core.quotas import quotas
from farebox.core.workspace import Status
from farebox.engine.telling import HeldOf
from farebox.service.credits_now import CreditsNow, credits_of_some
from farebox.service.pages import Page, Turn, page
from farebox.service.reading import snapshot
from farebox.store.contract import Reader

SEARCH_LENGTH_MAX = 200
DAYS_DEFAULT = 7


class WorkspaceFilter(NamedTuple):
    """Which workspaces; None is no filter.

    `search` is a part of the name (letters of ASCII in either case), or the `profile_id` or `uid`.
    """

    search: str | None = None
    status: Status | None = None
    plan: str | None = None


class WorkspaceHealth(NamedTuple):
    """How a workspace fares.

    Credits left, used and at most are those of `/v1/quotas`. `requests` and `credits_micro` are
    those of the workspace's last days, today included, as its daily report has them; `refusals`
    those of the last 24 hours, to the quarter hour.
    """

    profile_id: int
    uid: str
    name: str
    plan: str
    next_plan: str | None
    timezone: str
    status: Status
    created_at_ms: int
    period_start_ms: int
    period_end_ms: int
    credits_left_micro: int
    credits_used_micro: int
    credits_max: int
    owed_micro: int
    requests: int
    credits_micro: int
    last_request_ms: int | None
    refusals: int


class _Found(NamedTuple):
    profile_id: int
    uid: str
    name: str
    plan: str
    next_plan: str | None
    timezone: str
    status: Status
    zone_version: int
    report_timezone: str
    created_at_ms: int


class _Usage(NamedTuple):
    profile_id: int
    requests: int
    credits_micro: int
    last_ms: int | None
    refusals: int


def list_workspace_health(
    reader: Reader,
    wanted: WorkspaceFilter,
    at: Turn,
    now_ms: int,
    held: HeldOf,
    *,
    days: int = DAYS_DEFAULT,
) -> Page[WorkspaceHealth]:
    """A page of workspaces, the oldest first, with their use of the last `days` days."""
    with snapshot(reader):
        found = page(_find(reader, wanted, at), at, lambda row: (row.profile_id, ""))
        data = _healths(reader, found.data, now_ms, days, held)
    return Page(data, found.next_cursor)


def read_workspace_health(
    reader: Reader,
    profile_id: int,
    now_ms: int,
    held: HeldOf,
    *,
    days: int = DAYS_DEFAULT,
) -> WorkspaceHealth:
    """The same of one.

    Raises:
        FareboxError: 404, there is no such workspace.
    """
    with snapshot(reader):
        rows = _find(reader, WorkspaceFilter(), Turn((profile_id - 1, ""), 0))
        if not rows or rows[0].profile_id != profile_id:
            raise FareboxError(NOT_FOUND, what=Phrase("workspace"))
        (health,) = _healths(reader, rows, now_ms, days, held)
    return health


def _find(reader: Reader, wanted: WorkspaceFilter, at: Turn) -> list[_Found]:
    typed = (wanted.search or "").strip()[:SEARCH_LENGTH_MAX] or None
    return reader.rows(
        "workspaces_found",
        _Found,
        after=at.after[0],
        status=wanted.status,
        plan=wanted.plan,
        search=None if typed is None else _pattern(typed),
        exact=None if typed is None else typed.lower(),
        count=at.rows,
    )


def _pattern(typed: str) -> str:
    """A part of a text as LIKE has it; of the letters those of ASCII alone have a case."""
    lower = "".join(letter.lower() if letter.isascii() else letter for letter in typed)
    for sign in ("\\", "%", "_"):
        lower = lower.replace(sign, f"\\{sign}")
    return f"%{lower}%"


def _healths(
    reader: Reader, rows: list[_Found], now_ms: int, days: int, held: HeldOf
) -> list[WorkspaceHealth]:
    now = credits_of_some(reader, [row.profile_id for row in rows], now_ms, held) if rows else {}
    spans = [(row.profile_id, row.zone_version, *_days(row, now_ms, days)) for row in rows]
    used = reader.rows(
        "health_usage",
        _Usage,
        spans=msgspec.json.encode(spans).decode(),
        first_quarter=(now_ms - MS_PER_DAY) // QUARTER_MS,
    )
    usage = {row.profile_id: row for row in used}
    return [_health(row, now[row.profile_id], usage[row.profile_id], now_ms) for row in rows]


def _days(row: _Found, now_ms: int, days: int) -> tuple[int, int]:
    end_day = day_of_quarter(now_ms // QUARTER_MS, zone_of(row.report_timezone)) + 1
    return end_day - days, end_day


def _health(row: _Found, now: CreditsNow, usage: _Usage, now_ms: int) -> WorkspaceHealth:
    told = quotas(row.name, row.uid, None, now.period, now.left_micro(now_ms))
    return WorkspaceHealth(
        profile_id=row.profile_id,
        uid=row.uid,
        name=row.name,
        plan=row.plan,
        next_plan=row.next_plan,
        timezone=row.timezone,
        status=row.status,
        created_at_ms=row.created_at_ms,
        period_start_ms=now.period.start_ms,
        period_end_ms=now.period.end_ms,
        credits_left_micro=told.credits_left_micro,
        credits_used_micro=told.credits_used_micro,
        credits_max=told.credits_max,
        owed_micro=now.purse.owed_micro,
        requests=usage.requests,
        credits_micro=usage.credits_micro,
        last_request_ms=usage.last_ms,
        refusals=usage.refusals,
    )
