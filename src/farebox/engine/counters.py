"""Counters: what was used of open windows and caps, loaded from the rollups at first use.

From then on every record adds to them what it adds to the rollups, so that a draw looks nothing
up. After a rollback they are dropped and loaded again.
"""

from __future__ import annotations

from typing import NamedTuple

from farebox.core.calendar import QUARTER_MS, Window
from farebox.core.instant import MS_PER_DAY
from farebox.core.rollup import QuarterKey, Usage
from farebox.engine.report_zone import report_zone
from farebox.engine.usage import Counts, Whose, count_window
from farebox.store.contract import SqlValue, Writer

_OF_ALL = ""


class _KeyScopes(NamedTuple):
    user_id: str
    family_id: str


class Counters:
    """Those of the workspaces in use. Called inside the recorder's transactions."""

    def __init__(self, db: Writer) -> None:
        self._db = db
        # By workspace and scope, then by window.
        self._counts: dict[tuple[int, str], dict[Window, Counts]] = {}
        self._scopes: dict[str, tuple[str, str, str]] = {}
        self._profiles: set[int] = set()

    def forget(self) -> None:
        """Drop what was counted."""
        self._counts.clear()
        self._profiles.clear()

    def of_user(self, profile_id: int, user_id: str, window: Window) -> Counts:
        """What a user's keys used in a window; with an empty id, all keys of the workspace."""
        scope = _user(user_id) if user_id else _OF_ALL
        found = self._counts.get((profile_id, scope), {}).get(window)
        if found is None:
            keys = None
            if user_id:
                keys = self._db.value("keys_of_user", profile_id=profile_id, user_id=user_id)
            found = self._load(profile_id, scope, keys, window)
        return found

    def of_family(self, profile_id: int, family_id: str, window: Window) -> Counts:
        """What the keys of a family used in a window."""
        scope = _family(family_id)
        found = self._counts.get((profile_id, scope), {}).get(window)
        if found is None:
            keys = self._db.value("keys_of_family", profile_id=profile_id, family_id=family_id)
            found = self._load(profile_id, scope, keys, window)
        return found

    def add(self, quarters: dict[QuarterKey, Usage]) -> None:
        """Count what was recorded."""
        for (profile_id, quarter, key_id, _, channel), usage in quarters.items():
            if profile_id not in self._profiles:
                continue
            at_ms = quarter * QUARTER_MS
            more = Counts(
                usage.requests if channel == "api" else 0,
                usage.requests if channel == "portal" else 0,
                usage.credits_micro,
            )
            for scope in self._scopes_of(key_id):
                counts = self._counts.get((profile_id, scope), {})
                for window, found in counts.items():
                    if window.start_ms <= at_ms < window.end_ms:
                        counts[window] = found.plus(more)

    def _load(self, profile_id: int, scope: str, keys: SqlValue, window: Window) -> Counts:
        counts = self._counts.setdefault((profile_id, scope), {})
        for old in [w for w in counts if w.end_ms + MS_PER_DAY < window.start_ms]:
            del counts[old]
        assert keys is None or isinstance(keys, str)
        zone = report_zone(self._db, profile_id)
        found = counts[window] = count_window(self._db, Whose(profile_id, keys), zone, window)
        self._profiles.add(profile_id)
        return found

    def _scopes_of(self, key_id: str) -> tuple[str, str, str]:
        """Whatever counts a key: its whole workspace, its user, its family. They never change."""
        scopes = self._scopes.get(key_id)
        if scopes is None:
            row = self._db.one("key_scopes", _KeyScopes, key_id=key_id)
            assert row is not None  # a recorded request has a key
            scopes = (_OF_ALL, _user(row.user_id), _family(row.family_id))
            self._scopes[key_id] = scopes
        return scopes


def _user(user_id: str) -> str:
    return f"user:{user_id}"


def _family(family_id: str) -> str:
    return f"family:{family_id}"
