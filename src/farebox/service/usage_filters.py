"""Usage filters: which keys and log types a report or a page of the log is about.

A filter by mask selects every key with that mask, of the caller's own workspace only. What is
unknown selects nothing; an empty list is no filter.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from farebox.core.request import UNKNOWN_SLUG, UNMAPPED
from farebox.engine.directory import Directory


class UsageFilters(NamedTuple):
    """What was selected; None is everything."""

    key_ids: frozenset[str] | None = None
    log_type_ids: frozenset[int] | None = None

    def takes_key(self, key_id: str) -> bool:
        """Whether a key is selected."""
        return self.key_ids is None or key_id in self.key_ids


def usage_filters(
    directory: Directory,
    profile_id: int,
    keys: Sequence[str] | None = None,
    slugs: Sequence[str] | None = None,
) -> UsageFilters:
    """The filters of masks or key ids, and of slugs."""
    return UsageFilters(
        selected_keys(directory, profile_id, keys), selected_log_types(directory, slugs)
    )


def selected_keys(
    directory: Directory, profile_id: int, keys: Sequence[str] | None
) -> frozenset[str] | None:
    """The ids of the keys that are named by id or by mask."""
    if not keys:
        return None
    named = set(keys)
    return frozenset(
        key.key_id
        for key in directory.keys_of(profile_id)
        if key.key_id in named or key.masked_authentication in named
    )


def selected_log_types(directory: Directory, slugs: Sequence[str] | None) -> frozenset[int] | None:
    """The ids of the log types with these slugs; `__unknown__` is the unmapped one."""
    if not slugs:
        return None
    named = set(slugs)
    known = directory.log_type_by_slug
    found = {known[slug].log_type_id for slug in named if slug in known}
    return frozenset(found | ({UNMAPPED} if UNKNOWN_SLUG in named else set()))
