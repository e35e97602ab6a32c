"""A busy provider: every kind of movement that the books know, in random order, from a seed.

What matters to the tests of audit and backup: requests of all channels in many quarter hours,
repeats and conflicts, imports of former periods, grants that expire, corrections both ways, a
workspace that owes, periods that roll, plans and zones that change.
"""

from __future__ import annotations

import random
from typing import NamedTuple

from farebox.core.identity import format_uuid
from farebox.core.instant import MS_PER_DAY, MS_PER_HOUR, to_iso_seconds
from farebox.core.request import Channel, MeteredRequest
from tests.support.harness import Harness

MICRO = 1_000_000
CHANNELS: tuple[Channel, ...] = ("api", "portal", "self")
ZONES = ("Asia/Kathmandu", "America/New_York", "Australia/Lord_Howe", "UTC", "Europe/Berlin")


class Tenant(NamedTuple):
    """A workspace and its keys."""

    profile_id: int
    key_ids: tuple[str, ...]


class Busy:
    """Lets things happen in a harness."""

    def __init__(self, harness: Harness, seed: int) -> None:
        self.harness = harness
        self.random = random.Random(seed)
        self.rows: list[MeteredRequest] = []
        harness.call("plans.create", slug="basic", name="Basic", credits_per_month=40)
        harness.call("plans.create", slug="free", name="Free", credits_per_month=0)
        harness.call("plans.create", slug="gold", name="Gold", credits_per_month=90)
        self.log_type_ids = [0, *(harness.log_type(f"type_{n}") for n in range(3))]
        self.tenants = [
            self._tenant(plan, zone) for plan, zone in zip(("basic", "free"), ZONES, strict=False)
        ]

    def run(self, steps: int) -> None:
        """Let some things happen."""
        happenings = (
            *((self.record,) * 6),
            *((self.bring_in,) * 2),
            self.repeat,
            self.give,
            self.correct,
            self.change_plan,
            self.change_zone,
            self.pass_time,
            self.pass_time,
        )
        for _ in range(steps):
            self.random.choice(happenings)()

    def record(self) -> None:
        """Report requests of the last days, for one tenant or several."""
        self._record(self._rows(days_back=5), is_import=False)

    def bring_in(self) -> None:
        """Import requests, mostly of former periods."""
        self._record(self._rows(days_back=120), is_import=True)

    def repeat(self) -> None:
        """Send some again, some with another content, and some new."""
        if self.rows:
            old = self.random.choices(self.rows, k=3)
            conflict = old[0]._replace(content=bytes(16), credits_micro=99 * MICRO)
            self._record([*old, conflict, *self._rows(days_back=1)], is_import=False)

    def give(self) -> None:
        """Grant credits, some of which expire soon."""
        expires_ms = self.harness.now_ms + self.random.randrange(1, 40) * MS_PER_DAY
        fields = {"expires_at": to_iso_seconds(expires_ms)} if self.random.random() < 0.5 else {}
        self.harness.call(
            "grants.create",
            profile_id=self._any().profile_id,
            credits=self.random.randrange(1, 60),
            kind=self.random.choice(("topup", "promotion")),
            priority=self.random.randrange(3),
            **fields,
        )

    def correct(self) -> None:
        """Correct what a request cost, either way."""
        if self.rows:
            row = self.random.choice(self.rows)
            self.harness.call(
                "corrections.create",
                profile_id=row.profile_id,
                request_id=format_uuid(row.query_log_id),
                credits=self.random.choice((-7, -1, 2, 30)),
                reason="It was wrong.",
            )

    def change_plan(self) -> None:
        """Move a workspace to another plan, at once or from its next period on."""
        plan = self.random.choice(("basic", "free", "gold"))
        self.harness.call("workspaces.change", profile_id=self._any().profile_id, plan=plan)

    def change_zone(self, tenant: Tenant | None = None) -> None:
        """Move a workspace to another zone; its days are built when time passes."""
        profile_id = (tenant or self._any()).profile_id
        zone = self.random.choice(ZONES)
        self.harness.call("workspaces.change", profile_id=profile_id, timezone=zone)

    def pass_time(self) -> None:
        """Let hours or weeks pass."""
        hours = self.random.choice((1, 5, 30, 24 * 9))
        self.harness.advance(hours * MS_PER_HOUR + self.random.randrange(MS_PER_HOUR))

    def _tenant(self, plan: str, zone: str) -> Tenant:
        profile_id = self.harness.workspace(plan=plan, timezone=zone, name=f"On {plan}")
        return Tenant(profile_id, tuple(self.harness.key(profile_id) for _ in range(2)))

    def _any(self) -> Tenant:
        return self.random.choice(self.tenants)

    def _rows(self, days_back: int) -> list[MeteredRequest]:
        return [self._row(days_back) for _ in range(self.random.randrange(1, 9))]

    def _row(self, days_back: int) -> MeteredRequest:
        tenant = self._any()
        return self.harness.row(
            tenant.profile_id,
            self.random.choice(tenant.key_ids),
            credits_micro=self.random.choice((0, 1, MICRO, 3 * MICRO, 2_500_000)),
            log_type_id=self.random.choice(self.log_type_ids),
            time_ms=self.harness.now_ms - self.random.randrange(days_back * MS_PER_DAY),
            channel=self.random.choice(CHANNELS),
        )

    def _record(self, rows: list[MeteredRequest], *, is_import: bool) -> None:
        recorded = self.harness.record(rows, is_import=is_import)
        repeats = {*recorded.duplicates, *recorded.conflicts}
        assert not recorded.rejected
        self.rows += [row for index, row in enumerate(rows) if index not in repeats]
