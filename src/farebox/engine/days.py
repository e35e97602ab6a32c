"""Workspace days: which days a quarter hour counts to, and their rebuilding after a change of zone.

Each zone a workspace had is a version. Reports read one complete version; while the days of a
newer one are being built, in small steps from the quarters, a record counts to both: to the newer
only where the building has passed already. When it is complete, reports switch and the older
version's days are dropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeVar, cast

from farebox.core.calendar import day_of_quarter, zone_of
from farebox.core.rollup import QuarterKey, Tally, Usage, tally_days
from farebox.engine.zones import ZoneRow, Zones
from farebox.store.contract import Writer

# Whoever records waits for a step: about 30 ms for so many rows.
QUARTERS_PER_STEP = 4 * 24 * 7
ROWS_PER_STEP = 5_000
DAYS_REMEMBERED_MAX = 100_000

K = TypeVar("K", bound=tuple[int | str, ...])


class QuarterRow(NamedTuple):
    """A row of the rollup by quarter hour."""

    quarter: int
    key_id: str
    log_type_id: int
    channel: str
    requests: int
    credits_micro: int
    last_ms: int


class Days:
    """Those of one database. Called inside the recorder's transactions."""

    def __init__(self, db: Writer, zones: Zones) -> None:
        self._db = db
        self._zones = zones
        self._days: dict[tuple[str, int], int] = {}

    def days_of(self, profile_id: int, quarter: int) -> list[tuple[int, int]]:
        """The (version, day) pairs that a quarter counts to."""
        return [
            (zone.zone_version, self._day(zone.timezone, quarter))
            for zone in self._zones.counted(profile_id)
            if zone.built_quarter is None or quarter < zone.built_quarter
        ]

    def add(self, quarters: dict[QuarterKey, Usage]) -> None:
        """Write quarter sums and the days that follow from them."""
        tally = tally_days(quarters, self.days_of)
        self._db.send_many("quarters_add", _rows(tally.quarters))
        self._add_days(tally)

    def building(self) -> list[int]:
        """The workspaces whose days are being built."""
        return [row.profile_id for row in self._db.rows("zones_building", _Building)]

    def step(self, profile_id: int) -> bool:
        """Build on at a workspace's oldest unbuilt version; whether reports switched."""
        self._zones.forget(profile_id)
        versions = self._zones.counted(profile_id)
        zone = next((z for z in versions if z.built_quarter is not None), None)
        if zone is None:
            return False  # another node has built it meanwhile
        built = cast("int", zone.built_quarter)
        first = self._db.value("quarter_next", profile_id=profile_id, quarter=built)
        if isinstance(first, int):
            end = self._step_end(profile_id, first)
            self._build(profile_id, zone, first, end)
            self._set_built(profile_id, zone, end)
            return False
        self._set_built(profile_id, zone, None)
        self._db.execute("zone_switch", profile_id=profile_id, zone_version=zone.zone_version)
        for name in ("days_forget", "day_log_types_forget", "day_keys_forget"):
            self._db.execute(name, profile_id=profile_id, zone_version=zone.zone_version)
        return True

    def _step_end(self, profile_id: int, first: int) -> int:
        """A week on, or where so many rows are reached; one quarter hour at least."""
        reached = self._db.value(
            "quarter_after_rows", profile_id=profile_id, quarter=first, rows=ROWS_PER_STEP
        )
        end = first + QUARTERS_PER_STEP
        return max(first + 1, min(end, reached)) if isinstance(reached, int) else end

    def _build(self, profile_id: int, zone: ZoneRow, first: int, end: int) -> None:
        rows = self._db.rows(
            "quarters_from",
            QuarterRow,
            profile_id=profile_id,
            first_quarter=first,
            end_quarter=end,
        )
        quarters: dict[QuarterKey, Usage] = {
            (profile_id, r.quarter, r.key_id, r.log_type_id, r.channel): Usage(
                r.requests, r.credits_micro, r.last_ms
            )
            for r in rows
        }

        def only_this(_: int, quarter: int) -> Iterable[tuple[int, int]]:
            return ((zone.zone_version, self._day(zone.timezone, quarter)),)

        self._add_days(tally_days(quarters, only_this))

    def _add_days(self, tally: Tally) -> None:
        self._db.send_many("days_add", _rows(tally.days))
        self._db.send_many("day_log_types_add", _rows(tally.day_log_types))
        self._db.send_many("day_keys_add", _rows(tally.day_keys))

    def _set_built(self, profile_id: int, zone: ZoneRow, built_quarter: int | None) -> None:
        self._db.execute(
            "zone_built",
            profile_id=profile_id,
            zone_version=zone.zone_version,
            built_quarter=built_quarter,
        )
        self._zones.forget(profile_id)

    def _day(self, timezone: str, quarter: int) -> int:
        key = (timezone, quarter)
        day = self._days.get(key)
        if day is None:
            if len(self._days) >= DAYS_REMEMBERED_MAX:
                self._days.clear()
            day = self._days[key] = day_of_quarter(quarter, zone_of(timezone))
        return day


class _Building(NamedTuple):
    profile_id: int


def _rows(sums: Mapping[K, Usage]) -> list[tuple[int | str, ...]]:
    """Rows in the order of the primary key: neighbours land on the same page."""
    return [(*key, *sums[key]) for key in sorted(sums)]
