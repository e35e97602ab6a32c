"""Zones: the versions of workspaces' timezones, as far as they are in use.

Each zone that a workspace had is a version with days of its own. Reports read one that is complete;
`built_quarter` is how far the days of a newer one have been built. Called inside transactions.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from farebox.core.calendar import ZoneSince, zone_of
from farebox.engine.known import json_ids
from farebox.engine.report_zone import ReportZone
from farebox.store.contract import Writer


class ZoneRow(NamedTuple):
    """A version; `built_quarter` is null when its days are complete."""

    profile_id: int
    zone_version: int
    from_ms: int
    timezone: str
    built_quarter: int | None
    is_read: int


class Zones:
    """Those of the workspaces in use."""

    def __init__(self, db: Writer) -> None:
        self._db = db
        self._rows: dict[int, list[ZoneRow]] = {}

    def forget(self, profile_id: int | None = None) -> None:
        """Drop what is in memory, of one workspace or of all."""
        if profile_id is None:
            self._rows.clear()
        else:
            self._rows.pop(profile_id, None)

    def know(self, rows: Iterable[ZoneRow]) -> None:
        """Take what was read."""
        for row in rows:
            self._rows.setdefault(row.profile_id, []).append(row)

    def of(self, profile_id: int) -> list[ZoneRow]:
        """All versions of a workspace, the oldest first; none of one that isn't there."""
        if profile_id not in self._rows:
            self.know(self._db.rows("zones_of", ZoneRow, profile_ids=json_ids([profile_id])))
        return self._rows.get(profile_id, [])

    def counted(self, profile_id: int) -> list[ZoneRow]:
        """The version that reports read, and those being built."""
        rows = self.of(profile_id)
        first = next(index for index, row in enumerate(rows) if row.is_read)
        return rows[first:]

    def read(self, profile_id: int) -> ReportZone:
        """The version that reports read."""
        row = self.counted(profile_id)[0]
        return ReportZone(row.zone_version, zone_of(row.timezone))

    def since(self, profile_id: int) -> tuple[ZoneSince, ...]:
        """From when on which zone was valid."""
        return tuple(ZoneSince(row.from_ms, row.timezone) for row in self.of(profile_id))
