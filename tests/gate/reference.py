"""The reference: what a gate must do, said plainly and without a line of the gate's own code.

It keeps every admitted request in a list and counts anew each time. Only the calendar is shared:
which window an instant lies in is another test's matter. Which grant paid is read from the ledger,
since the rules leave that open where processes hold what they have drawn.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from farebox.core.admission import WINDOW_NAMES, WindowName
from farebox.core.calendar import Window, ZoneSince, bridge, natural_window, window_at, zone_of
from farebox.core.request import Channel
from tests.gate.claim import Claim, State
from tests.gate.scene import LOG_TYPES, MICRO, PLAN, START_MS, WORKSPACES, KeySpec, PlanSpec
from tests.gate.view import Books, GrantRow, Lot


@dataclass
class Key:
    """A key: `family_id` is its first, `cap_micro` the family's."""

    key_id: str
    profile_id: int
    user_id: str
    channel: Channel
    family_id: str
    cap_micro: int | None
    expires_ms: int | None = None
    is_revoked: bool = False


@dataclass
class Workspace:
    """A workspace; `given_micro` is what its plan has given in the period."""

    profile_id: int
    plan: PlanSpec
    zones: tuple[ZoneSince, ...]
    licences: int
    is_sharing: bool
    anchor_day: int
    period: Window
    given_micro: int
    granted_micro: int
    next_plan: PlanSpec | None = None
    is_suspended: bool = False
    charged_micro: int = 0

    @property
    def is_pooled(self) -> bool:
        """Whether its users share one quota."""
        return self.is_sharing and self.plan.is_sharing

    def limit(self, name: str, channel: Channel) -> int | None:
        """A limit as it counts for one scope."""
        limit = self.plan.limits(channel)[name]
        return None if limit is None else limit * (self.licences if self.is_pooled else 1)

    def change_plan(self, plan: PlanSpec) -> None:
        """A plan with as many credits or more counts at once and gives the rest."""
        if plan.credits < self.plan.credits:
            self.next_plan = plan
            return
        self.next_plan = None
        if plan is not self.plan:
            self.plan = plan
            missing_micro = max(0, plan.credits * MICRO - self.given_micro)
            self.given_micro += missing_micro
            self.granted_micro += missing_micro

    def pass_time(self, now_ms: int) -> None:
        """Begin the periods that have begun."""
        while now_ms >= self.period.end_ms:
            zone = zone_of(self.zones[-1].timezone)
            self.period = bridge("month", self.period.end_ms, zone, anchor_day=self.anchor_day)
            self.plan, self.next_plan = self.next_plan or self.plan, None
            self.given_micro = self.plan.credits * MICRO
            self.granted_micro += self.given_micro


class Level(NamedTuple):
    """What is left of a limit at most. `sure` is what the asker can surely have of it.

    Between the two lies what is drawn and idle where the asker can't know of it; and usage of a
    capped key that was reported beyond what was held, while something of the cap is drawn.
    """

    name: str
    cost: int
    left: int
    sure: int


class End(NamedTuple):
    """How an identity ended: settled with a content, or voided."""

    content: bytes | None


@dataclass
class Reference:
    """All workspaces, keys, and whatever was admitted."""

    workspaces: dict[int, Workspace]
    keys: list[Key]
    claims: list[Claim] = field(default_factory=list)
    ends: dict[tuple[int, bytes], End] = field(default_factory=dict)

    def denied(self, key: Key, log_type: str, now_ms: int) -> str | None:
        """Who or what as such refuses a call."""
        workspace = self.workspaces[key.profile_id]
        if key.is_revoked or (key.expires_ms is not None and key.expires_ms <= now_ms):
            return "key"
        if workspace.is_suspended:
            return "workspace"
        if key.channel == "api" and not workspace.plan.is_api:
            return "plan"
        return "unmapped" if log_type == "__unknown__" else None

    def scope(self, key: Key) -> str:
        """Whose requests count together with a key's."""
        return "" if self.workspaces[key.profile_id].is_pooled else key.user_id

    def window(self, profile_id: int, name: WindowName, at_ms: int) -> Window:
        """The window of a workspace that an instant lies in."""
        return _window(name, at_ms, self.workspaces[profile_id].zones)

    def levels(
        self, key: Key, hold_micro: int, now_ms: int, lease_id: int, books: Books
    ) -> list[Level]:
        """All limits of a call, in the order in which they refuse."""
        levels = [
            self._window_level(name, limit, key, now_ms, lease_id, books)
            for name in WINDOW_NAMES
            if (limit := self.workspaces[key.profile_id].limit(name, key.channel)) is not None
        ]
        if hold_micro:
            if key.cap_micro is not None:
                levels.append(self._cap_level(key, hold_micro, lease_id, books))
            levels.append(self._credits_level(key, hold_micro, now_ms, lease_id, books))
        return levels

    def admitted(self, profile_id: int, name: str, scope: str, channel: str, window: Window) -> int:
        """How many requests surely count against a window."""
        return sum(
            c.counts(name, scope)
            for c in self.claims
            if c.profile_id == profile_id
            and c.channel == channel
            and window.start_ms <= c.time_ms < window.end_ms
        )

    def _window_level(
        self, name: WindowName, limit: int, key: Key, now_ms: int, lease_id: int, books: Books
    ) -> Level:
        scope = self.scope(key)
        window = self.window(key.profile_id, name, now_ms)
        left = limit - self.admitted(key.profile_id, name, scope, key.channel, window)
        lots = [
            lot
            for lot in books.lots.values()
            if lot.lease_id != lease_id
            and (not scope or lot.scope in ("", scope))
            and (lot.profile_id, lot.name, lot.channel, lot.start_ms)
            == (key.profile_id, name, key.channel, window.start_ms)
        ]
        idle = sum(lot.units for lot in lots)
        for claim in self.claims:
            if (
                claim.profile_id == key.profile_id
                and claim.channel == key.channel
                and window.start_ms <= claim.time_ms < window.end_ms
            ):
                if claim.lease_id != lease_id:
                    idle -= claim.is_drawn(name, scope)
                else:
                    idle += claim.is_limbo and claim.has_unit(name, scope)
        return Level(name, 1, left, left - idle)

    def _cap_level(self, key: Key, hold_micro: int, lease_id: int, books: Books) -> Level:
        assert key.cap_micro is not None
        start_ms, end_ms = self.workspaces[key.profile_id].period
        left = key.cap_micro
        idle = sum(
            lot.units
            for lot in books.lots.values()
            if lot.lease_id != lease_id
            and (lot.name, lot.scope, lot.start_ms) == ("key_credits", key.family_id, start_ms)
        )
        for claim in self.claims:
            if claim.family_id != key.family_id or not start_ms <= claim.time_ms < end_ms:
                continue
            if claim.state is State.SETTLED:
                left -= claim.charged_micro - claim.reported_micro
                idle += claim.reported_micro
            if claim.is_capped:
                held_micro = claim.held_micro if claim.is_held else 0
                left -= held_micro
                if claim.lease_id != lease_id:
                    idle -= held_micro
                elif claim.is_limbo:
                    idle += claim.held_micro
        return Level("key_credits", hold_micro, left, left - idle)

    def _credits_level(
        self, key: Key, hold_micro: int, now_ms: int, lease_id: int, books: Books
    ) -> Level:
        profile_id = key.profile_id
        left = books.balance_micro(profile_id, now_ms)
        grants = {g.grant_id for g in books.grants[profile_id] if g.is_live(now_ms)}
        idle = sum(
            lot.units
            for lot in books.lots.values()
            if lot.lease_id != lease_id
            and (lot.profile_id, lot.name) == (profile_id, "credits")
            and int(lot.scope) in grants
        )
        for claim in self.claims:
            if claim.profile_id != profile_id:
                continue
            pieces = sum(micro for grant, micro in claim.grants.items() if grant in grants)
            if claim.is_held:
                left -= pieces
                if claim.lease_id != lease_id:
                    idle -= pieces
            elif claim.is_limbo and claim.lease_id == lease_id:
                idle += pieces
        return Level("credits", hold_micro, left, left - idle)


@lru_cache(maxsize=65536)
def _window(name: WindowName, at_ms: int, zones: tuple[ZoneSince, ...]) -> Window:
    return window_at(name, at_ms, zones)


def spending_order(grant: GrantRow) -> tuple[bool, int, int, int, int]:
    """What expires first, then the higher priority, then the older."""
    ends_ms = grant.expires_at_ms
    return (ends_ms is None, ends_ms or 0, -grant.priority, grant.created_at_ms, grant.grant_id)


def pieces_of(claim: Claim) -> list[tuple[int, int]]:
    """The (lot_id, units) that a claim must still find drawn."""
    if claim.is_limbo or claim.state is State.GONE:
        return []
    reservation = claim.reservation
    pieces = [(lot_id, 1) for lot_id in reservation.fine]
    if claim.state is not State.SETTLED:
        pieces += [(lot_id, 1) for lot_id in reservation.windows]
    if claim.is_held:
        pieces += reservation.grants
        if reservation.cap_lot_id:
            pieces.append((reservation.cap_lot_id, reservation.held_micro))
    return pieces


def is_closed(lot: Lot, now_ms: int) -> bool:
    """Whether a lot's window is over."""
    return lot.end_ms is not None and lot.end_ms <= now_ms


def prices(log_type: str) -> tuple[int, int]:
    """What a call of a log type costs and what is held for it, in micro-credits."""
    for spec in LOG_TYPES:
        if spec.slug == log_type:
            return spec.credits * MICRO, spec.hold * MICRO
    return 0, 0


def first_reference(keys: tuple[KeySpec, ...]) -> Reference:
    """That of the scene."""
    workspaces = {}
    for profile_id, spec in enumerate(WORKSPACES, 1):
        plan = PLAN[spec.plan]
        zone = zone_of(spec.timezone)
        workspaces[profile_id] = Workspace(
            profile_id,
            plan,
            (ZoneSince(START_MS, spec.timezone),),
            spec.licences,
            spec.is_sharing,
            spec.anchor_day,
            natural_window("month", START_MS, zone, anchor_day=spec.anchor_day),
            plan.credits * MICRO,
            plan.credits * MICRO,
        )
    known = [
        Key(
            key.key_id,
            key.profile_id,
            key.user_id,
            key.channel,
            key.key_id,
            None if key.cap is None else key.cap * MICRO,
        )
        for key in keys
    ]
    return Reference(workspaces, known)
