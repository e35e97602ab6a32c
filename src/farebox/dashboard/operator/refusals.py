"""Refused calls by reason: of all workspaces in days of UTC, or of one in its own days."""

from __future__ import annotations

from starlette.responses import Response

from farebox.core.calendar import format_day
from farebox.core.errors import FareboxError
from farebox.dashboard.numbers import id_of
from farebox.dashboard.operator.lists import turn_of
from farebox.dashboard.problem import blame
from farebox.dashboard.visit import Visit
from farebox.service.date_range import DateRange, date_range
from farebox.service.forms.refusal import RefusalData
from farebox.service.pages import Page
from farebox.service.refusal_counts import read_refusal_counts
from farebox.service.refusal_list import RefusalFilter, list_refusals
from farebox.service.refusal_totals import read_refusal_totals
from farebox.store.contract import Reader

DAYS_DEFAULT = 30
PRESETS = (1, 7, 30, 90)


async def show_refusals(visit: Visit) -> Response:
    """All refusals, by day, reason and workspace, and the newest of them."""
    wanted = id_of(visit.query("profile_id"))
    if wanted is not None:
        return visit.go(f"{visit.root}/workspaces/{wanted}/refusals")
    denied_by = visit.query("denied_by") or None
    days, status = _days(visit)

    def work(reader: Reader) -> Response:
        newest = list_refusals(reader, RefusalFilter(denied_by=denied_by), turn_of(visit))
        return visit.page(
            "operator/refusals.html",
            status=status,
            sums=read_refusal_totals(reader, days),
            **_shared(visit, days, newest, denied_by),
        )

    return await visit.read(work)


async def show_refusals_of_one(visit: Visit) -> Response:
    """Those of a workspace, by day, reason and key."""
    profile_id, denied_by = visit.profile_id, visit.query("denied_by") or None
    days, status = _days(visit)

    def work(reader: Reader) -> Response:
        wanted = RefusalFilter(profile_id, denied_by=denied_by)
        newest = list_refusals(reader, wanted, turn_of(visit))
        return visit.page(
            "operator/refusals_of_one.html",
            status=status,
            counts=read_refusal_counts(
                reader, profile_id, days.start_date, days.end_date, visit.now_ms
            ),
            **_shared(visit, days, newest, denied_by),
        )

    return await visit.read(work)


def _shared(
    visit: Visit, days: DateRange, newest: Page[RefusalData], denied_by: str | None
) -> dict[str, object]:
    today = visit.today
    return {
        "days": days,
        "presets": [(count, format_day(today + 1 - count), format_day(today)) for count in PRESETS],
        "newest": newest,
        "denied_by": denied_by,
    }


def _days(visit: Visit) -> tuple[DateRange, int]:
    """The days that are asked for; the last 30 where they are none, which is told."""
    today = visit.today
    default = DateRange(today + 1 - DAYS_DEFAULT, today + 1)
    start, end = visit.query("start_date"), visit.query("end_date")
    if not start and not end:
        return default, 200
    try:
        return date_range(start or end, end or format_day(today)), 200
    except FareboxError as error:
        return default, blame(visit, error)
