"""Limits: what a workspace's plan allows, as the database has it now.

The recorder decides by these, never by what a process believes. A limit of None is no limit. Where
quotas are shared the whole workspace has the plan's limits times its licences, else each user has
them once (seed: profile_usage).
"""

from __future__ import annotations

from typing import NamedTuple

from farebox.core.admission import WINDOW_NAMES, WindowName
from farebox.core.calendar import Window, ZoneSince, window_at
from farebox.core.plan import licensed
from farebox.store.contract import Writer


class _Row(NamedTuple):
    licences: int
    is_shared: int
    requests_per_second: int | None
    requests_per_minute: int | None
    api_hour: int | None
    api_day: int | None
    api_month: int | None
    portal_hour: int | None
    portal_day: int | None
    portal_month: int | None


class _Zone(NamedTuple):
    zone_version: int
    from_ms: int
    timezone: str
    built_quarter: int | None


class Terms(NamedTuple):
    """A workspace's limits by channel, in the order of `WINDOW_NAMES`, and its zones."""

    is_shared: bool
    limits: dict[str, tuple[int | None, ...]]
    zones: tuple[ZoneSince, ...]

    def windows(self, channel: str, now_ms: int) -> list[tuple[WindowName, int, Window]]:
        """The windows that are limited and open: their limits and their bounds."""
        return [
            (name, limit, window_at(name, now_ms, self.zones))
            for name, limit in zip(WINDOW_NAMES, self.limits[channel], strict=True)
            if limit is not None
        ]


class Limits:
    """Those of the workspaces in use. To be forgotten after any change of terms."""

    def __init__(self, db: Writer) -> None:
        self._db = db
        self._terms: dict[int, Terms] = {}
        self._caps_micro: dict[tuple[int, str], int | None] = {}

    def forget(self) -> None:
        """Drop what is in memory."""
        self._terms.clear()
        self._caps_micro.clear()

    def of(self, profile_id: int) -> Terms | None:
        """A workspace's terms; None for one that isn't there."""
        terms = self._terms.get(profile_id)
        if terms is None:
            row = self._db.one("limits_get", _Row, profile_id=profile_id)
            if row is None:
                return None
            zones = self._db.rows("zones_of", _Zone, profile_id=profile_id)
            terms = self._terms[profile_id] = _terms(row, zones)
        return terms

    def cap_micro(self, profile_id: int, family_id: str) -> int | None:
        """What the keys of a family may use in a period; None is no cap."""
        key = (profile_id, family_id)
        if key not in self._caps_micro:
            cap = self._db.value("key_cap", profile_id=profile_id, family_id=family_id)
            self._caps_micro[key] = cap if isinstance(cap, int) else None
        return self._caps_micro[key]


def _terms(row: _Row, zones: list[_Zone]) -> Terms:
    times = row.licences if row.is_shared else 1
    often = (row.requests_per_second, row.requests_per_minute)
    api = (*often, row.api_hour, row.api_day, row.api_month)
    portal = (*often, row.portal_hour, row.portal_day, row.portal_month)
    return Terms(
        bool(row.is_shared),
        {
            "api": tuple(licensed(limit, times) for limit in api),
            "portal": tuple(licensed(limit, times) for limit in portal),
        },
        tuple(ZoneSince(zone.from_ms, zone.timezone) for zone in zones),
    )
