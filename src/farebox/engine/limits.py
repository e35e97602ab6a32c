"""Limits: what a workspace's plan allows, as the database has it now.

The recorder decides by these, never by what a process believes. A limit of None is no limit. Where
quotas are shared the whole workspace has the plan's limits times its licences, else each user has
them once (seed: profile_usage).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from farebox.core.admission import WINDOW_NAMES, WindowName
from farebox.core.calendar import Window, ZoneSince, window_at
from farebox.core.plan import licensed
from farebox.engine.known import json_ids
from farebox.engine.zones import Zones
from farebox.store.contract import Writer


class LimitsRow(NamedTuple):
    """What a workspace's plan allows to one licence."""

    profile_id: int
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


class _Cap(NamedTuple):
    profile_id: int
    family_id: str
    cap_micro: int | None


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

    def __init__(self, db: Writer, zones: Zones) -> None:
        self._db = db
        self._zones = zones
        self._terms: dict[int, Terms] = {}
        self._caps_micro: dict[tuple[int, str], int | None] = {}

    def forget(self) -> None:
        """Drop what is in memory."""
        self._terms.clear()
        self._caps_micro.clear()

    def know(self, rows: Iterable[LimitsRow]) -> None:
        """Take what was read."""
        for row in rows:
            self._terms[row.profile_id] = _terms(row, self._zones.since(row.profile_id))

    def of(self, profile_id: int) -> Terms | None:
        """A workspace's terms; None for one that isn't there."""
        if profile_id not in self._terms:
            self.know(self._db.rows("limits_of", LimitsRow, profile_ids=json_ids([profile_id])))
        return self._terms.get(profile_id)

    def cap_micro(self, profile_id: int, family_id: str) -> int | None:
        """What the keys of a family may use in a period; None is no cap."""
        if (profile_id, family_id) not in self._caps_micro:
            self.read_caps([(profile_id, family_id)])
        return self._caps_micro[profile_id, family_id]

    def read_caps(self, families: Iterable[tuple[int, str]]) -> None:
        """Know the caps of families that will be asked for, as far as they aren't known yet."""
        missing = set(families) - self._caps_micro.keys()
        if missing:
            self._caps_micro.update(dict.fromkeys(missing))
            for cap in self._db.rows("key_caps", _Cap, families=json_ids(missing)):
                self._caps_micro[cap.profile_id, cap.family_id] = cap.cap_micro


def _terms(row: LimitsRow, zones: tuple[ZoneSince, ...]) -> Terms:
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
        zones,
    )
