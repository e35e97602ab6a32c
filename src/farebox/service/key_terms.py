"""The terms of keys: which log types a key may call, from where, and how much it may use.

None is no such term, which an empty list is not: a key that may call nothing is one to revoke. The
cap is its family's: the keys that were rotated one from another have one cap, and change it
together.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from farebox.core.errors import UNKNOWN_LOG_TYPE, FareboxError
from farebox.core.ip_range import EXPECTED, IpRange, parse_ranges
from farebox.core.key import strike_out
from farebox.core.phrase import Phrase
from farebox.core.workspace import ApiKey
from farebox.engine.transaction import Transaction
from farebox.service import fields
from farebox.store.contract import Reader

_SOME_SLUGS = Phrase("the slugs of one or more log types, or null for all")
_SOME_RANGES = Phrase("one or more addresses or CIDR ranges, or null for any")


class _Slug(NamedTuple):
    slug: str


class _KeyId(NamedTuple):
    key_id: str


def log_type_ids_of(reader: Reader, slugs: Iterable[str] | None) -> frozenset[int] | None:
    """The log types with these slugs.

    Raises:
        FareboxError: 422, there are none, or one is not known.
    """
    if slugs is None:
        return None
    found = set()
    for slug in slugs:
        log_type_id = reader.integer("log_type_id_of_slug", slug=slug)
        if not log_type_id:
            raise FareboxError(UNKNOWN_LOG_TYPE, field="log_type_slugs", slug=strike_out(slug))
        found.add(log_type_id)
    if not found:
        raise fields.refuse(field="log_type_slugs", expected=_SOME_SLUGS)
    return frozenset(found)


def ip_ranges_of(texts: Iterable[str] | None) -> tuple[IpRange, ...] | None:
    """The ranges in their one form.

    Raises:
        FareboxError: 422, there are none, or one is no range.
    """
    if texts is None:
        return None
    try:
        ranges = parse_ranges(texts)
    except ValueError as error:
        raise fields.refuse(field="ip_ranges", expected=EXPECTED) from error
    if not ranges:
        raise fields.refuse(field="ip_ranges", expected=_SOME_RANGES)
    return ranges


def credits_cap_micro_of(credits: Decimal | None) -> int | None:
    """The cap in micro-credits.

    Raises:
        FareboxError: 422, it is no amount of credits.
    """
    return None if credits is None else fields.credits("credits_cap", credits)


def slugs_of(reader: Reader, key: ApiKey) -> list[str] | None:
    """The slugs of the log types that a key may call, in their order; None is all."""
    if key.log_type_ids is None:
        return None
    rows = reader.rows("key_log_type_slugs", _Slug, profile_id=key.profile_id, key_id=key.key_id)
    return [row.slug for row in rows]


def put_log_types(tx: Transaction, key: ApiKey) -> None:
    """Store what a key may call, in the place of what it might before."""
    tx.db.execute("key_log_types_delete", profile_id=key.profile_id, key_id=key.key_id)
    for log_type_id in sorted(key.log_type_ids or ()):
        tx.db.execute(
            "key_log_type_insert",
            profile_id=key.profile_id,
            key_id=key.key_id,
            log_type_id=log_type_id,
        )


def put_cap(tx: Transaction, key: ApiKey, sent: Decimal | None) -> None:
    """Store a key's cap for its whole family, and announce the others: the key itself changes."""
    tx.db.execute(
        "key_cap_update",
        profile_id=key.profile_id,
        family_id=key.family_id,
        credits_cap_micro=key.credits_cap_micro,
    )
    family = tx.db.rows("key_family", _KeyId, profile_id=key.profile_id, family_id=key.family_id)
    for one in family:
        if one.key_id != key.key_id:
            tx.change(
                "change",
                "key",
                one.key_id,
                profile_id=key.profile_id,
                detail={"credits_cap": sent, "changed_with": key.key_id},
            )
