"""The keys of a workspace: their list, and one of them with all that it may."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple, get_args

from starlette.responses import Response

from farebox.core.errors import NOT_FOUND, FareboxError
from farebox.core.ip_range import to_text
from farebox.core.log_type import LogType
from farebox.core.phrase import Phrase
from farebox.core.workspace import ApiKey, KeyStatus, User
from farebox.dashboard.numbers import page_of
from farebox.dashboard.visit import Visit
from farebox.dashboard.workspace.key_form import shown_of
from farebox.service.cap_use import read_cap_use
from farebox.service.keys_list import ListedKey, list_keys
from farebox.store.contract import Reader

ROWS = 50
ALL = "all"
STATUSES: tuple[str, ...] = (*get_args(KeyStatus), ALL)


class KeyLine(NamedTuple):
    """A key as it is shown. `log_types` and `ip_ranges` are None where every one will do."""

    key: ApiKey
    status: KeyStatus
    user: User
    last_used_ms: int | None
    log_types: list[LogType] | None
    ip_ranges: list[str] | None
    cap_used_micro: int
    rotated_from: ApiKey | None
    is_own: bool
    may_revoke: bool


async def show_keys(visit: Visit) -> Response:
    """The list, the newest first: those of a status, a page of them."""
    wanted = visit.query("status", "active")
    status = wanted if wanted in STATUSES else ALL
    page = page_of(visit.query("page"))

    def work(reader: Reader) -> Response:
        listed = list_keys(reader, visit.desk.directory, visit.profile_id)
        counts = Counter[str](one.key.status(visit.now_ms) for one in listed)
        counts[ALL] = len(listed)
        chosen = [one for one in listed if status in (ALL, one.key.status(visit.now_ms))]
        shown = chosen[(page - 1) * ROWS : page * ROWS]
        return visit.page(
            "workspace/keys.html",
            lines=_lines(reader, visit, shown),
            counts=counts,
            shown_status=status,
            statuses=STATUSES,
            page=page,
            pages=-(-len(chosen) // ROWS),
        )

    return await visit.read(work)


async def show_key(visit: Visit, status: int = 200) -> Response:
    """One key; who may manage can change, rotate and revoke it here."""
    key = key_of(visit)

    def work(reader: Reader) -> Response:
        listed = list_keys(reader, visit.desk.directory, visit.profile_id)
        (line,) = _lines(reader, visit, [one for one in listed if one.key.key_id == key.key_id])
        return visit.page(
            "workspace/key.html",
            status=status,
            line=line,
            log_types=visit.desk.directory.log_types_by_name(),
            shown=shown_of(visit, key),
            said=visit.query("said"),
        )

    return await visit.read(work)


def key_of(visit: Visit) -> ApiKey:
    """The key in the path.

    Raises:
        FareboxError: 404, the workspace has no such key.
    """
    key = visit.desk.directory.keys.get(visit.path("key_id"))
    if key is None or key.profile_id != visit.profile_id:
        raise FareboxError(NOT_FOUND, what=Phrase("API key"))
    return key


def _lines(reader: Reader, visit: Visit, listed: Sequence[ListedKey]) -> list[KeyLine]:
    directory, own = visit.desk.directory, visit.key
    used = read_cap_use(reader, visit.profile_id, (one.key for one in listed), visit.now_ms)
    priced = directory.log_types_by_name()
    lines = []
    for key, last_used_ms in listed:
        ids, ranges, status = key.log_type_ids, key.ip_ranges, key.status(visit.now_ms)
        is_own = own is not None and own.key_id == key.key_id
        lines.append(
            KeyLine(
                key,
                status,
                directory.users[key.user_id],
                last_used_ms,
                None if ids is None else [one for one in priced if one.log_type_id in ids],
                None if ranges is None else [to_text(one) for one in ranges],
                used.get(key.family_id, 0),
                directory.keys.get(key.rotated_from or ""),
                is_own,
                status != "revoked" and (visit.may_manage or is_own),
            )
        )
    return lines
