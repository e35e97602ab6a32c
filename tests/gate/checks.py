"""What must hold after every step, whatever happened: the database against the reference."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple, cast

from farebox.core.admission import WindowName
from farebox.core.request import Channel
from tests.gate.claim import FINE, Claim, State
from tests.gate.reference import Reference, is_closed, pieces_of
from tests.gate.view import Books, Lot

LimitKey = tuple[int, str, str, str, int]


class Recorded(NamedTuple):
    """A request that was recorded in this step, and whether its units were moved for it."""

    claim: Claim
    is_taken: bool


class Checks:
    """The checks of one run; it remembers how full each window was."""

    def __init__(self, reference: Reference) -> None:
        self._reference = reference
        self._full: dict[LimitKey, int] = {}

    def all(self, books: Books, now_ms: int, recorded: Iterable[Recorded]) -> None:
        """Every check, after a step."""
        self.windows(books, now_ms, list(recorded))
        self.held_is_drawn(books, now_ms)
        self.credits(books, now_ms)
        self.log(books)

    def windows(self, books: Books, now_ms: int, recorded: list[Recorded]) -> None:
        """Used and drawn exceed no limit, and where it was lowered, they don't grow.

        What was admitted under other terms, or by a lease that another process has, counts only
        when it is recorded.
        """
        units: dict[LimitKey, int] = defaultdict(int)
        ends: dict[LimitKey, int] = {}
        for lot in books.lots.values():
            if lot.name not in ("credits", "key_credits") and not is_closed(lot, now_ms):
                for scope in self._scopes(lot):
                    key = (lot.profile_id, lot.name, scope, lot.channel, lot.start_ms)
                    units[key] += lot.units
                    ends[key] = lot.end_ms or 0
        full: dict[LimitKey, int] = {}
        for key, drawn in units.items():
            profile_id, name, scope, channel, start_ms = key
            workspace = self._reference.workspaces[profile_id]
            limit = workspace.limit(cast("WindowName", name), cast("Channel", channel))
            used = 0
            if name not in FINE:
                used = sum(
                    start_ms <= row.time_ms < ends[key]
                    for row in books.used
                    if row.profile_id == profile_id
                    and row.channel == channel
                    and scope in ("", row.user_id)
                )
            full[key] = used + drawn
            if limit is None or workspace.is_pooled != (scope == ""):
                continue
            late = sum(
                not (one.is_taken and one.claim.has_unit(name, scope))
                for one in recorded
                if one.claim.profile_id == profile_id and one.claim.channel == channel
            )
            most = max(limit, self._full.get(key, 0)) + late
            assert full[key] <= most, f"{key}: {used} used, {drawn} drawn, {most} allowed"
        self._full = full

    def _scopes(self, lot: Lot) -> set[str]:
        """The scopes that a lot counts to: its own, all of the workspace, or of each user."""
        if lot.scope:
            return {lot.scope, ""}
        users = {k.user_id for k in self._reference.keys if k.profile_id == lot.profile_id}
        return {"", *users}

    def held_is_drawn(self, books: Books, now_ms: int) -> None:
        """What open reservations hold is drawn for them: so it was handed out once."""
        held: dict[tuple[int, int], int] = defaultdict(int)
        for claim in self._reference.claims:
            for lot_id, units in pieces_of(claim):
                if claim.lots_until_ms[lot_id] > now_ms:
                    held[claim.lease_id, lot_id] += units
        for place, units in held.items():
            lot = books.lots.get(place)
            assert lot is not None, f"lot {place} is gone, {units} of it are held"
            assert units <= lot.units, f"{units} held of {lot}"

    def credits(self, books: Books, now_ms: int) -> None:
        """The ledger: granted once, charged as told, expired in time, drawn as the lots say."""
        drawn: dict[tuple[int, str], int] = defaultdict(int)
        for lot in books.lots.values():
            if lot.name == "credits":
                drawn[lot.profile_id, f"drawn:{lot.scope}"] += lot.units
        accounts = {key: n for key, n in books.accounts.items() if key[1].startswith("drawn:")}
        assert {k: n for k, n in drawn.items() if n} == {k: n for k, n in accounts.items() if n}
        for profile_id, workspace in self._reference.workspaces.items():
            grants = books.grants[profile_id]
            granted = sum(g.credits_micro for g in grants)
            assert granted == workspace.granted_micro, f"{granted} granted to {workspace}"
            spent = books.accounts.get((profile_id, "spent"), 0)
            assert spent == workspace.charged_micro, f"{spent} spent, {workspace.charged_micro}"
            for grant in grants:
                assert grant.is_live(now_ms) or not grant.left_micro, f"{grant} should have ended"
            owed = books.owed_micro(profile_id)
            live = sum(g.left_micro for g in grants)
            assert owed == 0 or live == 0, f"{owed} owed while {live} is left"

    def log(self, books: Books) -> None:
        """The log has what was settled, once, at its cost."""
        settled = [c for c in self._reference.claims if c.state is State.SETTLED]
        told = sorted(
            (c.profile_id, c.user_id, c.channel, c.time_ms, c.charged_micro) for c in settled
        )
        assert sorted(books.used) == told, "the log"
