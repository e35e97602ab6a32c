"""Counters: what was used of open windows and caps, loaded from the rollups at first use.

From then on every record adds to them what it adds to the rollups, so that a draw looks nothing
up. After a rollback they are dropped and loaded again; where others write, after every transaction.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from farebox.core.calendar import QUARTER_MS, Window
from farebox.core.instant import MS_PER_DAY
from farebox.core.rollup import QuarterKey, Usage
from farebox.engine.usage import Counts, Wanted, Whose, count_windows
from farebox.engine.zones import Zones
from farebox.store.contract import Writer

_OF_ALL = ""


class _KeyScopes(NamedTuple):
    user_id: str
    family_id: str


class Counters:
    """Those of the workspaces in use. Called inside the recorder's transactions."""

    def __init__(self, db: Writer, zones: Zones) -> None:
        self._db = db
        self._zones = zones
        # By workspace and scope, then by window.
        self._counts: dict[tuple[int, str], dict[Window, Counts]] = {}
        self._scopes: dict[str, tuple[str, str, str]] = {}
        self._profiles: set[int] = set()

    def forget(self) -> None:
        """Drop what was counted."""
        self._counts.clear()
        self._profiles.clear()

    def of(self, whose: Whose, window: Window) -> Counts:
        """What was used of a window."""
        found = self._counts.get((whose.profile_id, _scope(whose)), {}).get(window)
        if found is None:
            self.read_ahead([(whose, window)])
            found = self._counts[whose.profile_id, _scope(whose)][window]
        return found

    def read_ahead(self, wanted: Iterable[tuple[Whose, Window]]) -> None:
        """Count windows that will be asked for, all at once, as far as they aren't counted yet."""
        missing = [
            (whose, window)
            for whose, window in dict.fromkeys(wanted)
            if window not in self._counts.get((whose.profile_id, _scope(whose)), {})
        ]
        found = count_windows(
            self._db,
            [
                Wanted(whose, self._zones.read(whose.profile_id), window)
                for whose, window in missing
            ],
        )
        for (whose, window), counts in zip(missing, found, strict=True):
            kept = self._counts.setdefault((whose.profile_id, _scope(whose)), {})
            for old in [w for w in kept if w.end_ms + MS_PER_DAY < window.start_ms]:
                del kept[old]
            kept[window] = counts
            self._profiles.add(whose.profile_id)

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

    def _scopes_of(self, key_id: str) -> tuple[str, str, str]:
        """Whatever counts a key: its whole workspace, its user, its family. They never change."""
        scopes = self._scopes.get(key_id)
        if scopes is None:
            row = self._db.one("key_scopes", _KeyScopes, key_id=key_id)
            assert row is not None  # a recorded request has a key
            scopes = (_OF_ALL, _user(row.user_id), _family(row.family_id))
            self._scopes[key_id] = scopes
        return scopes


def _scope(whose: Whose) -> str:
    if whose.user_id is not None:
        return _user(whose.user_id)
    return _OF_ALL if whose.family_id is None else _family(whose.family_id)


def _user(user_id: str) -> str:
    return f"user:{user_id}"


def _family(family_id: str) -> str:
    return f"family:{family_id}"
