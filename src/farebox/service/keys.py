"""Keys: make, import, change, rotate, revoke and read them.

A secret leaves in the answer that made it and is kept as a digest only. A mask is unique within
its workspace: minting draws again on a clash; an imported key that clashes keeps its mask. A key
that expired or was revoked never works again.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import msgspec
from msgspec import UNSET

from farebox.core.credits import to_number
from farebox.core.errors import (
    ALREADY_EXISTS,
    IN_USE,
    KEY_ENDED,
    NOT_FOUND,
    FareboxError,
)
from farebox.core.instant import MS_PER_SECOND, to_iso_ms
from farebox.core.ip_range import IpRange, to_text
from farebox.core.key import KEY_PREFIX, Secret, digest, is_plausible, mask, mint, mint_id
from farebox.core.phrase import Phrase
from farebox.core.workspace import ApiKey
from farebox.engine.key_row import KeyRow, key_of
from farebox.engine.transaction import Command, Transaction
from farebox.service import fields
from farebox.service.forms.common import Nothing
from farebox.service.forms.key import (
    IssuedKey,
    KeyChange,
    KeyMade,
    KeyMake,
    KeyRevoke,
    KeyRotation,
)
from farebox.service.key_terms import (
    credits_cap_micro_of,
    ip_ranges_of,
    log_type_ids_of,
    put_cap,
    put_log_types,
    slugs_of,
)
from farebox.service.pages import Page, Turn, page
from farebox.service.users import user_row
from farebox.service.workspaces import workspace_row
from farebox.store.contract import Reader

NAME_LENGTH_MAX = 100
MINT_DRAWS_MAX = 1_000
KEY_EXPECTED = "a key of 8 to 512 printable ASCII characters, whose checksum fits if it has one"


def create_key(tx: Transaction, made: KeyMake) -> KeyMade:
    """Mint a key, or import one."""
    workspace = workspace_row(tx.db, made.profile_id)
    user_id = made.user_id or workspace.owner_user_id
    user_row(tx.db, made.profile_id, user_id)
    expires_at_ms = None
    if made.expires_at is not None:
        expires_at_ms = fields.instant_after("expires_at", made.expires_at, tx.now_ms)
    name = fields.text("name", made.name, NAME_LENGTH_MAX, length_min=0)
    draft = _Draft(
        made.profile_id,
        user_id,
        name,
        made.channel,
        expires_at_ms,
        log_type_ids_of(tx.db, made.log_type_slugs),
        ip_ranges_of(made.ip_ranges),
        credits_cap_micro_of(made.credits_cap),
    )
    if made.key is None:
        return _insert(tx, "create", draft, _minted(tx, made.profile_id))
    return _insert(tx, "import", draft, _imported(tx, made.key))


def change_key(tx: Transaction, change: KeyChange) -> IssuedKey:
    """Change a key's name, end or terms. A key that has ended stays so."""
    key = key_row(tx.db, change.profile_id, change.key_id)
    if change.name is not UNSET:
        name = fields.text("name", change.name, NAME_LENGTH_MAX, length_min=0)
        key = key._replace(name=name)
    if change.expires_at is not UNSET:
        _check_active(tx, key)
        expires_at_ms = None
        if change.expires_at is not None:
            expires_at_ms = fields.instant_after("expires_at", change.expires_at, tx.now_ms)
        key = key._replace(expires_at_ms=expires_at_ms)
    if change.log_type_slugs is not UNSET:
        key = key._replace(log_type_ids=log_type_ids_of(tx.db, change.log_type_slugs))
        put_log_types(tx, key)
    if change.ip_ranges is not UNSET:
        key = key._replace(ip_ranges=ip_ranges_of(change.ip_ranges))
    if change.credits_cap is not UNSET:
        key = key._replace(credits_cap_micro=credits_cap_micro_of(change.credits_cap))
        put_cap(tx, key, change.credits_cap)
    _update(tx, "change", key, fields.sent(change))
    return _data(tx.db, key, tx.now_ms)


def rotate_key(tx: Transaction, rotation: KeyRotation) -> KeyMade:
    """Mint a key in the place of another, which ends after the overlap at the latest.

    The new one has the old one's user, name, channel, end and terms, and is of its family.
    """
    old = key_row(tx.db, rotation.profile_id, rotation.key_id)
    _check_active(tx, old)
    seconds = rotation.overlap_seconds
    ends_ms = tx.now_ms + seconds * MS_PER_SECOND
    if old.expires_at_ms is not None:
        ends_ms = min(ends_ms, old.expires_at_ms)
    _update(tx, "rotate", old._replace(expires_at_ms=ends_ms), {"overlap_seconds": seconds})
    draft = _Draft(
        old.profile_id,
        old.user_id,
        old.name,
        old.channel,
        old.expires_at_ms,
        old.log_type_ids,
        old.ip_ranges,
        old.credits_cap_micro,
        old,
    )
    return _insert(tx, "create", draft, _minted(tx, old.profile_id))


def revoke_key(tx: Transaction, revoke: KeyRevoke) -> Nothing:
    """End a key for good; ending it again changes nothing."""
    key = key_row(tx.db, revoke.profile_id, revoke.key_id)
    if key.revoked_at_ms is None:
        _update(tx, "revoke", key._replace(revoked_at_ms=tx.now_ms), {})
    return Nothing()


def key_row(reader: Reader, profile_id: int, key_id: str) -> ApiKey:
    """A key of a workspace.

    Raises:
        FareboxError: 404, the workspace has no such key.
    """
    row = reader.one("key_get", KeyRow, profile_id=profile_id, key_id=key_id)
    if row is None:
        raise FareboxError(NOT_FOUND, what=Phrase("API key"))
    return key_of(row)


def read_key(reader: Reader, profile_id: int, key_id: str, now_ms: int) -> IssuedKey:
    """A key of a workspace."""
    return _data(reader, key_row(reader, profile_id, key_id), now_ms)


def list_keys(reader: Reader, profile_id: int, at: Turn, now_ms: int) -> Page[IssuedKey]:
    """A page of a workspace's keys, the oldest first, revoked ones included."""
    workspace_row(reader, profile_id)
    rows = reader.rows(
        "keys_page",
        KeyRow,
        profile_id=profile_id,
        after_ms=at.after[0],
        after_id=at.after[1],
        count=at.rows,
    )
    found = page(rows, at, lambda row: (row.created_at_ms, row.key_id))
    data = [_data(reader, key_of(row), now_ms) for row in found.data]
    return Page(data, found.next_cursor)


def _minted(tx: Transaction, profile_id: int) -> Secret:
    """A new secret whose mask is free in the workspace."""
    for _ in range(MINT_DRAWS_MAX):
        secret = mint(KEY_PREFIX, tx.entropy.random_below)
        taken = tx.db.integer(
            "key_mask_count", profile_id=profile_id, masked_authentication=mask(secret.reveal())
        )
        if not taken:
            return secret
    raise FareboxError(
        IN_USE, what=Phrase("mask"), reason=Phrase("the workspace has too many keys")
    )


def _imported(tx: Transaction, key: str) -> Secret:
    if not is_plausible(key):
        raise fields.refuse(field="key", expected=KEY_EXPECTED)
    if tx.db.integer("key_digest_count", digest=digest(key)):
        raise FareboxError(ALREADY_EXISTS, what=Phrase("API key"), field="key")
    return Secret(key)


class _Draft(NamedTuple):
    """A key to be, without what is drawn for it."""

    profile_id: int
    user_id: str
    name: str
    channel: Literal["api", "portal"]
    expires_at_ms: int | None
    log_type_ids: frozenset[int] | None
    ip_ranges: tuple[IpRange, ...] | None
    credits_cap_micro: int | None
    rotated_from: ApiKey | None = None


def _insert(tx: Transaction, action: str, draft: _Draft, secret: Secret) -> KeyMade:
    key_id, old = mint_id("key_", tx.entropy.random_below), draft.rotated_from
    key = ApiKey(
        key_id,
        draft.profile_id,
        draft.user_id,
        draft.name,
        digest(secret.reveal()),
        mask(secret.reveal()),
        draft.channel,
        tx.now_ms,
        draft.expires_at_ms,
        None,
        None if old is None else old.key_id,
        key_id if old is None else old.family_id,
        draft.log_type_ids,
        draft.ip_ranges,
        draft.credits_cap_micro,
    )
    values = {**key._asdict(), "ip_ranges": _ranges_text(key)}
    del values["log_type_ids"]
    tx.db.execute("key_insert", **values)
    put_log_types(tx, key)
    tx.change(action, "key", key.key_id, profile_id=key.profile_id)
    data = _data(tx.db, key, tx.now_ms)
    return KeyMade(**msgspec.structs.asdict(data), key=secret.reveal())


def _update(tx: Transaction, action: str, key: ApiKey, detail: dict[str, object]) -> None:
    tx.db.execute(
        "key_update",
        key_id=key.key_id,
        name=key.name,
        expires_at_ms=key.expires_at_ms,
        revoked_at_ms=key.revoked_at_ms,
        ip_ranges=_ranges_text(key),
    )
    tx.change(action, "key", key.key_id, profile_id=key.profile_id, detail=detail)


def _check_active(tx: Transaction, key: ApiKey) -> None:
    if key.status(tx.now_ms) != "active":
        raise FareboxError(KEY_ENDED)


def _ranges_text(key: ApiKey) -> str | None:
    """A key's ranges as they are stored: a JSON list."""
    ranges = key.ip_ranges
    return None if ranges is None else msgspec.json.encode([str(r) for r in ranges]).decode()


def _data(reader: Reader, key: ApiKey, now_ms: int) -> IssuedKey:
    ends_ms, cap_micro, ranges = key.expires_at_ms, key.credits_cap_micro, key.ip_ranges
    return IssuedKey(
        key_id=key.key_id,
        name=key.name,
        masked_authentication=key.masked_authentication,
        user_id=key.user_id,
        channel=key.channel,
        created_at=to_iso_ms(key.created_at_ms),
        expires_at=None if ends_ms is None else to_iso_ms(ends_ms),
        status=key.status(now_ms),
        rotated_from=key.rotated_from,
        family_id=key.family_id,
        log_type_slugs=slugs_of(reader, key),
        ip_ranges=None if ranges is None else [to_text(one) for one in ranges],
        credits_cap=None if cap_micro is None else to_number(cap_micro),
    )


def _without_secret(made: KeyMade) -> KeyMade:
    return msgspec.structs.replace(made, key=None)


COMMANDS = (
    Command("keys.create", KeyMake, create_key, _without_secret),
    Command("keys.change", KeyChange, change_key),
    Command("keys.rotate", KeyRotation, rotate_key, _without_secret),
    Command("keys.revoke", KeyRevoke, revoke_key),
)
