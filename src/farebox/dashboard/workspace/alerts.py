"""The alerts of a workspace: what they watch, what they have told last; make and end them."""

from __future__ import annotations

import re

from starlette.responses import Response

from farebox.core.alert import are_thresholds
from farebox.core.errors import NOT_FOUND, FareboxError
from farebox.core.instant import parse_rfc3339
from farebox.core.phrase import Phrase
from farebox.dashboard.confirm import is_confirmed
from farebox.dashboard.problem import blame
from farebox.dashboard.struct_form import read_struct
from farebox.dashboard.visit import Visit
from farebox.service import fields
from farebox.service.alerts import THRESHOLDS_EXPECTED, list_alerts
from farebox.service.forms.alert import AlertData, AlertEnd, AlertMake
from farebox.service.forms.common import Nothing
from farebox.service.pages import LIMIT_MAX, turn
from farebox.store.contract import Reader

# What can be watched, as the form names it: a kind, or a kind and a channel.
WATCHED = (
    "credits",
    *(f"{kind} {channel}" for channel in ("api", "portal") for kind in ("hour", "day", "month")),
)
_PERCENT = re.compile(r"\d{1,8}", re.ASCII)
_DEFAULT_THRESHOLDS = "50, 80, 100"


async def show_alerts(visit: Visit, status: int = 200) -> Response:
    """The list, with the form of a new alert for who may manage."""

    def work(reader: Reader) -> Response:
        # There are never more than fit on one page.
        alerts = list_alerts(reader, visit.profile_id, turn(None, LIMIT_MAX)).data
        return visit.page(
            "workspace/alerts.html",
            status=status,
            alerts=alerts,
            users=visit.desk.directory.users,
            watched=WATCHED,
            thresholds=_DEFAULT_THRESHOLDS,
            ms_of=parse_rfc3339,
            said=visit.query("said"),
        )

    return await visit.read(work)


async def make_alert(visit: Visit) -> Response:
    """Make an alert."""
    try:
        await visit.write("alerts.create", _alert(visit), AlertData)
    except FareboxError as error:
        return await show_alerts(visit, blame(visit, error))
    return visit.go(f"{visit.root}/alerts?said=made")


async def show_end(visit: Visit) -> Response:
    """The page that asks whether an alert is to end, where no dialog has asked."""

    def work(reader: Reader) -> Response:
        alerts = list_alerts(reader, visit.profile_id, turn(None, LIMIT_MAX)).data
        wanted = visit.path("alert_id")
        alert = next((one for one in alerts if one.alert_id == wanted), None)
        if alert is None:
            raise FareboxError(NOT_FOUND, what=Phrase("alert"))
        return visit.page("workspace/alert_end.html", alert=alert)

    return await visit.read(work)


async def end_alert(visit: Visit) -> Response:
    """End an alert."""
    if not is_confirmed(visit):
        return await show_end(visit)
    form = AlertEnd(profile_id=visit.profile_id, alert_id=visit.path("alert_id"))
    await visit.write("alerts.delete", form, Nothing)
    return visit.go(f"{visit.root}/alerts?said=ended")


def _alert(visit: Visit) -> AlertMake:
    watched = visit.form.text("watched")
    if watched not in WATCHED:
        expected = Phrase("some of {choices}", choices=", ".join(WATCHED))
        raise fields.refuse(field="watched", expected=expected)
    kind, _, channel = watched.partition(" ")
    return read_struct(
        visit,
        AlertMake,
        (),
        profile_id=visit.profile_id,
        kind=kind,
        channel=channel or None,
        thresholds=_percents(visit.form.text("thresholds")),
    )


def _percents(text: str) -> list[int]:
    parts = text.replace(",", " ").replace("%", " ").replace("、", " ").split()
    percents = [int(part) for part in parts if _PERCENT.fullmatch(part)]
    if len(percents) < len(parts) or not are_thresholds(percents):
        raise fields.refuse(field="thresholds", expected=Phrase(THRESHOLDS_EXPECTED))
    return percents
