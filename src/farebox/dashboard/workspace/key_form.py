"""The form of a key. Empty is no such term: any log type, any address, no cap, no end."""

from __future__ import annotations

from typing import NamedTuple

from farebox.core.credits import to_text
from farebox.core.errors import MISSING_FIELD, FareboxError
from farebox.core.ip_range import to_text as range_text
from farebox.core.workspace import ApiKey
from farebox.dashboard.form import Form
from farebox.dashboard.struct_form import Typed, local, read_change, read_struct
from farebox.dashboard.visit import Visit
from farebox.service.forms.key import KeyChange, KeyMake
from farebox.service.key_terms import ip_ranges_of

_TERMS = ("name", "expires_at", "credits_cap")


class Shown(NamedTuple):
    """What stands in the form of a key: its fields, what is ticked, and the lines of its ranges."""

    typed: Typed
    log_type_slugs: list[str]
    ip_ranges: list[str]


NEW = Shown(dict.fromkeys(_TERMS, ""), [], [])


def shown_of(visit: Visit, key: ApiKey) -> Shown:
    """That of a key as it is."""
    log_types, cap_micro = visit.desk.directory.log_types, key.credits_cap_micro
    return Shown(
        {
            "name": key.name,
            "expires_at": "" if key.expires_at_ms is None else local(key.expires_at_ms, visit.zone),
            "credits_cap": "" if cap_micro is None else to_text(cap_micro),
        },
        sorted(log_types[one].slug for one in key.log_type_ids or () if one in log_types),
        [range_text(one) for one in key.ip_ranges or ()],
    )


def key_make(visit: Visit) -> KeyMake:
    """A new key.

    Raises:
        FareboxError: 400 or 422, with the field that is wrong.
    """
    return read_struct(
        visit,
        KeyMake,
        ("user_id", "channel", *_TERMS),
        profile_id=visit.profile_id,
        log_type_slugs=visit.form.many("log_type_slugs") or None,
        ip_ranges=_ranges(visit.form) or None,
    )


def key_change(visit: Visit, key: ApiKey) -> KeyChange:
    """What of a key is to change.

    Raises:
        FareboxError: 400 or 422, with the field that is wrong.
    """
    if "name" not in visit.form:
        # Boxes that aren't ticked aren't sent: half a form would take off every limit.
        raise FareboxError(MISSING_FIELD, field="name")
    shown = shown_of(visit, key)
    slugs, ranges = sorted(visit.form.many("log_type_slugs")), _ranges(visit.form)
    lists: dict[str, object] = {}
    if slugs != shown.log_type_slugs:
        lists["log_type_slugs"] = slugs or None
    if ranges != shown.ip_ranges:
        lists["ip_ranges"] = ranges or None
    ids = {"profile_id": key.profile_id, "key_id": key.key_id}
    return read_change(visit, KeyChange, _TERMS, shown.typed, **ids, **lists)


def _ranges(form: Form) -> list[str]:
    ranges = form.lines("ip_ranges")
    # The service says better what is wrong with one than the bounds of its form do.
    ip_ranges_of(ranges or None)
    return ranges
