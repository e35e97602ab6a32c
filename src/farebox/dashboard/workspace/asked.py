"""What a page of reports is asked for: range, keys and log types, all of it in the query string.

So a view can be kept as a bookmark or sent to somebody, and works without scripts. A range has a
name, or is `custom` and has dates; what can't be read is told at its field, and the page shows its
usual range.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from heapq import nsmallest
from typing import NamedTuple
from urllib.parse import urlencode

from farebox.core.errors import INVALID_DATE, INVERTED_RANGE, RANGE_TOO_LONG, FareboxError
from farebox.core.preset import PRESETS, Preset
from farebox.core.request import UNKNOWN_SLUG
from farebox.core.workspace import ApiKey
from farebox.dashboard.form import Form
from farebox.dashboard.visit import Visit
from farebox.service.date_range import DAYS_MAX, DateRange, date_range
from farebox.service.presets import read_preset
from farebox.service.usage_filters import UsageFilters, usage_filters
from farebox.store.contract import Reader

CUSTOM = "custom"
RANGE, START, END = "range", "start_date", "end_date"
KEY, LOG_TYPE = "key", "log_type"
# Nothing was recorded that early, and there is room for the range before.
FIRST_DAY_MIN = 2 * DAYS_MAX
# A list that can still be looked through.
CHOICES_MAX = 200


class Asked(NamedTuple):
    """`range_name` is a preset or `custom`; keys are ids, log types slugs, as they were sent."""

    range_name: str
    days: DateRange
    keys: list[str]
    slugs: list[str]
    filters: UsageFilters

    @property
    def is_filtered(self) -> bool:
        """Whether less is shown than there is."""
        return bool(self.keys or self.slugs)

    def link(
        self,
        *,
        date: str | None = None,
        keys: Sequence[str] | None = None,
        slugs: Sequence[str] | None = None,
    ) -> str:
        """The query string for another page about the same, or about less."""
        if date is not None:
            pairs = [(RANGE, CUSTOM), (START, date), (END, date)]
        elif self.range_name == CUSTOM:
            pairs = [(RANGE, CUSTOM), (START, self.days.start_date), (END, self.days.end_date)]
        else:
            pairs = [(RANGE, self.range_name)]
        pairs += [(KEY, key) for key in (self.keys if keys is None else keys)]
        pairs += [(LOG_TYPE, slug) for slug in (self.slugs if slugs is None else slugs)]
        return urlencode(pairs)


class Choice(NamedTuple):
    """One of several things to be ticked."""

    value: str
    text: str
    note: str = ""


def take_query(visit: Visit) -> None:
    """Have the form of the page hold what stands in the query string."""
    sent = visit.request.query_params
    visit.form = Form({name: sent.getlist(name) for name in sent})


def read_asked(visit: Visit, reader: Reader, usual: Preset) -> Asked:
    """What was asked for, after `take_query`."""
    keys, slugs = visit.form.many(KEY), visit.form.many(LOG_TYPE)
    range_name, days = _range(visit, reader, usual)
    filters = usage_filters(visit.desk.directory, visit.profile_id, keys, slugs)
    return Asked(range_name, days, keys, slugs, filters)


def _range(visit: Visit, reader: Reader, usual: Preset) -> tuple[str, DateRange]:
    form = visit.form
    name = form.text(RANGE) or (CUSTOM if START in form else usual)
    preset: Preset = next((known for known in PRESETS if known == name), usual)
    if name == CUSTOM and (form.text(START) or form.text(END)):
        try:
            return CUSTOM, _custom_range(form.text(START), form.text(END))
        except FareboxError as error:
            _blame(visit, error)
    days = read_preset(reader, visit.workspace, preset, visit.now_ms)
    return (CUSTOM if name == CUSTOM else preset), days


def _custom_range(start: str, end: str) -> DateRange:
    days = date_range(start, end)
    if days.first_day < FIRST_DAY_MIN:
        raise FareboxError(INVALID_DATE, field=START)
    return days


def _blame(visit: Visit, error: FareboxError) -> None:
    """Tell what is wrong with the dates, at the date."""
    if error.kind is INVERTED_RANGE:
        visit.form.problems[END] = visit.text("The last day must not be before the first.")
    elif error.kind is RANGE_TOO_LONG:
        text = visit.text("At most {days_max} days can be shown at once.", days_max=DAYS_MAX)
        visit.form.problems[END] = text
    else:
        visit.form.problems[str(error.params["field"])] = visit.text("Choose a date.")


def key_choices(visit: Visit, chosen: Collection[str]) -> list[Choice]:
    """Keys, those that work first; of very many some, and those that are chosen."""
    keys = visit.desk.directory.keys_of(visit.profile_id)

    def order(key: ApiKey) -> tuple[bool, bool, str, str]:
        is_idle = key.status(visit.now_ms) != "active"
        return (key.key_id not in chosen, is_idle, key.name.lower(), key.masked_authentication)

    if len(keys) > CHOICES_MAX:
        keys = nsmallest(CHOICES_MAX, keys, order)
    return [
        Choice(key.key_id, key.masked_authentication, key.name)
        for key in sorted(keys, key=lambda key: order(key)[1:])
    ]


def log_type_choices(visit: Visit) -> list[Choice]:
    """All log types by name, and what is none."""
    return [
        *(Choice(one.slug, one.name) for one in visit.desk.directory.log_types_by_name()),
        Choice(UNKNOWN_SLUG, visit.text("Not mapped")),
    ]
