"""The list of explained refusals: the newest first, of all workspaces or of one."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from farebox.core.admission import LimitState
from farebox.core.credits import to_number
from farebox.core.errors import CATALOGUE, NOT_FOUND, FareboxError
from farebox.core.instant import to_iso_ms
from farebox.core.phrase import Phrase
from farebox.core.refusal import NO_KEY, NO_WORKSPACE
from farebox.service.forms.common import Number
from farebox.service.forms.refusal import RefusalData, RefusalLimit
from farebox.service.pages import KEY_END, Page, Turn, page
from farebox.service.reading import json_list, snapshot
from farebox.service.workspaces import workspace_row
from farebox.store.contract import Reader

# Limits of credits, told in credits; all others are requests.
_OF_CREDITS = {"credits", "key_credits"}


class RefusalFilter(NamedTuple):
    """Which refusals; None is no filter."""

    profile_id: int | None = None
    key_id: str | None = None
    denied_by: str | None = None


class _Id(NamedTuple):
    refusal_id: int


class _Row(NamedTuple):
    refusal_id: int
    time_ms: int
    profile_id: int
    key_id: str
    masked_authentication: str | None
    status: int
    code: int
    denied_by: str
    log_type_id: int
    log_type_slug: str | None
    channel: str
    method: str | None
    path: str | None
    ip: str | None
    limits: str
    retry_at_ms: int | None
    is_shadow: int


class _Limit(NamedTuple):
    """A `LimitState` as it was stored, whatever limits there are by now."""

    name: str
    limit: int | None
    remaining: int
    reset_ms: int | None


_limits = msgspec.json.Decoder(list[_Limit])


def limits_json(limits: tuple[LimitState, ...]) -> str:
    """The limits of a refusal as they are stored."""
    return msgspec.json.encode(limits).decode()


def list_refusals(reader: Reader, wanted: RefusalFilter, at: Turn) -> Page[RefusalData]:
    """A page of explained refusals, the newest first.

    Raises:
        FareboxError: 404, there is no such workspace, or it has no such key.
    """
    with snapshot(reader):
        wanted = wanted._replace(profile_id=_workspace(reader, wanted))
        found = page(_ids(reader, wanted, at), at, lambda row: (row.refusal_id, ""))
        ids = json_list(row.refusal_id for row in found.data)
        rows = reader.rows("refusal_rows", _Row, refusal_ids=ids)
    return Page([_data(row) for row in rows], found.next_cursor)


def _workspace(reader: Reader, wanted: RefusalFilter) -> int | None:
    """The workspace to look at: a key has but one."""
    profile_id = wanted.profile_id
    if profile_id is not None:
        workspace_row(reader, profile_id)
    if wanted.key_id is None:
        return profile_id
    of_key = reader.integer("refusal_key_workspace", key_id=wanted.key_id)
    if not of_key or profile_id not in {None, of_key}:
        raise FareboxError(NOT_FOUND, what=Phrase("API key"))
    return of_key


def _ids(reader: Reader, wanted: RefusalFilter, at: Turn) -> list[_Id]:
    before = at.after[0] or KEY_END - 1
    if wanted.profile_id is not None:
        return reader.rows(
            "refusal_ids_of_workspace",
            _Id,
            profile_id=wanted.profile_id,
            key_id=wanted.key_id,
            denied_by=wanted.denied_by,
            before=before,
            count=at.rows,
        )
    if wanted.denied_by is not None:
        return reader.rows(
            "refusal_ids_of_reason",
            _Id,
            denied_by=wanted.denied_by,
            before=before,
            count=at.rows,
        )
    return reader.rows("refusal_ids", _Id, before=before, count=at.rows)


def _data(row: _Row) -> RefusalData:
    return RefusalData(
        refusal_id=row.refusal_id,
        at=to_iso_ms(row.time_ms),
        profile_id=None if row.profile_id == NO_WORKSPACE else row.profile_id,
        key_id=None if row.key_id == NO_KEY else row.key_id,
        masked_authentication=row.masked_authentication,
        status=row.status,
        code=row.code,
        message=_message(row),
        denied_by=row.denied_by,
        log_type_slug=row.log_type_slug,
        channel=row.channel,
        method=row.method,
        path=row.path,
        ip=row.ip,
        limits=[_limit(limit) for limit in _limits.decode(row.limits)],
        retry_at=None if row.retry_at_ms is None else to_iso_ms(row.retry_at_ms),
        is_shadow=bool(row.is_shadow),
    )


def _message(row: _Row) -> str:
    """What the caller was told; nothing for a code that is no longer in use."""
    kind = CATALOGUE.get(row.code)
    if kind is None:
        return ""
    told = dict.fromkeys(kind.parameters, row.denied_by)
    if row.log_type_slug is not None and "slug" in told:
        told["slug"] = row.log_type_slug
    return kind.message.format_map(told)


def _limit(limit: _Limit) -> RefusalLimit:
    def shown(units: int) -> Number:
        return to_number(units) if limit.name in _OF_CREDITS else units

    return RefusalLimit(
        name=limit.name,
        limit=None if limit.limit is None else shown(limit.limit),
        remaining=shown(limit.remaining),
        reset=None if limit.reset_ms is None else to_iso_ms(limit.reset_ms),
    )
