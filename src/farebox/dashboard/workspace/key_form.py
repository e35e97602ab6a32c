"""The form of a key: what is typed becomes the forms of the admin API, checked by the same rules.

Empty is no such term: any log type, any address, no cap, no end. An end is typed as the local time
of the workspace's zone. Of a change only what differs from what the page showed is sent.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo

import msgspec
from msgspec import UNSET, UnsetType

from farebox.contract.decoding import decode
from farebox.core.credits import EXPECTED, to_text
from farebox.core.errors import MISSING_FIELD, FareboxError
from farebox.core.ip_range import to_text as range_text
from farebox.core.workspace import ApiKey
from farebox.dashboard.form import Form
from farebox.dashboard.struct_form import instant, local
from farebox.dashboard.visit import Visit
from farebox.service import fields
from farebox.service.forms.key import KeyChange, KeyMake, KeyRotation
from farebox.service.key_terms import ip_ranges_of

# How long the old key of a rotation works on.
OVERLAPS_SECONDS = (0, 3_600, 86_400, 7 * 86_400, 30 * 86_400)
Struct = TypeVar("Struct", bound=msgspec.Struct)


class Typed(NamedTuple):
    """What stands in the fields of a form for a key that changes."""

    name: str
    expires_at: str
    log_type_slugs: list[str]
    ip_ranges: list[str]
    credits_cap: str


NEW = Typed("", "", [], [], "")


def typed_of(visit: Visit, key: ApiKey) -> Typed:
    """That of a key as it is."""
    log_types, cap_micro = visit.desk.directory.log_types, key.credits_cap_micro
    return Typed(
        key.name,
        "" if key.expires_at_ms is None else local(key.expires_at_ms, visit.zone),
        sorted(log_types[one].slug for one in key.log_type_ids or () if one in log_types),
        [range_text(one) for one in key.ip_ranges or ()],
        "" if cap_micro is None else to_text(cap_micro),
    )


def key_make(visit: Visit) -> KeyMake:
    """A new key.

    Raises:
        FareboxError: 400 or 422, with the field that is wrong.
    """
    form = visit.form
    return checked(
        KeyMake(
            profile_id=visit.profile_id,
            user_id=form.optional("user_id"),
            name=form.text("name"),
            channel="portal" if form.text("channel") == "portal" else "api",
            expires_at=_end(form, visit.zone),
            log_type_slugs=form.many("log_type_slugs") or None,
            ip_ranges=_ranges(form) or None,
            credits_cap=_credits(form),
        )
    )


def key_change(visit: Visit, key: ApiKey) -> KeyChange:
    """What of a key is to change.

    Raises:
        FareboxError: 400 or 422, with the field that is wrong.
    """
    form, shown = visit.form, typed_of(visit, key)
    if "name" not in form:
        # Boxes that aren't ticked aren't sent: half a form would take off every limit.
        raise FareboxError(MISSING_FIELD, field="name")
    slugs, ranges = sorted(form.many("log_type_slugs")), _ranges(form)
    is_end_shown = form.text("expires_at")[: len(shown.expires_at)] == shown.expires_at
    expires_at: str | UnsetType | None = UNSET
    if not is_end_shown or not shown.expires_at:
        expires_at = _end(form, visit.zone)
    return checked(
        KeyChange(
            profile_id=key.profile_id,
            key_id=key.key_id,
            name=UNSET if form.text("name") == shown.name else form.text("name"),
            expires_at=UNSET if expires_at is None and not shown.expires_at else expires_at,
            log_type_slugs=UNSET if slugs == shown.log_type_slugs else slugs or None,
            ip_ranges=UNSET if ranges == shown.ip_ranges else ranges or None,
            credits_cap=UNSET if form.text("credits_cap") == shown.credits_cap else _credits(form),
        )
    )


def key_rotation(visit: Visit, key: ApiKey) -> KeyRotation:
    """A rotation.

    Raises:
        FareboxError: 400 or 422, with the field that is wrong.
    """
    seconds = visit.form.whole("overlap_seconds") or 0
    return checked(
        KeyRotation(profile_id=key.profile_id, key_id=key.key_id, overlap_seconds=seconds)
    )


def checked(form: Struct) -> Struct:
    """The form of a command, with its bounds looked at as in the body of a call.

    Raises:
        FareboxError: 400 or 422, with the field that is wrong.
    """
    return decode(msgspec.json.encode(form), type(form))


def _ranges(form: Form) -> list[str]:
    ranges = form.lines("ip_ranges")
    # The service says better what is wrong with one than the bounds of its form do.
    ip_ranges_of(ranges or None)
    return ranges


def _credits(form: Form) -> Decimal | None:
    text = form.text("credits_cap")
    if not text:
        return None
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise fields.refuse(field="credits_cap", expected=EXPECTED) from error


def _end(form: Form, zone: ZoneInfo) -> str | None:
    text = form.text("expires_at")
    return instant("expires_at", text, zone) if text else None
