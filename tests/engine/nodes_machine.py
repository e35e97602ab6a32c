"""Two nodes on one PostgreSQL, in any order: draws, returns, records, voids, partings, deaths.

A process here is a lease and what it knows to be free of it: it does what a gate does, and no
more. What is held is what its reservations took. After each step used, held and drawn exceed no
limit, what is held is drawn, and the accounts are the lots; in the end the audit agrees.
"""

from __future__ import annotations

import itertools
import sys
from collections import Counter
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from farebox.core.request import MeteredRequest
from farebox.engine.leases import SILENT_MS, TRUST_MS
from farebox.engine.messages import Draw, Drawn, Failed, Recorded, Reply, Void, Voided, Want
from farebox.service.audit import run_audit
from tests.engine.nodes_holds import PROFILE_IDS, Hold, Lot, Process
from tests.support.homes import Homes
from tests.support.nodes import HOLD_MS, RENEW_MS, Fleet, Node, call_ids, recording
from tests.support.truth import differences
from tests.support.worlds import MICRO

LIMITS = {"hour": 12, "month": 40}
CREDITS = 30
HOUR_MS = 3_600_000
AT = st.integers(0, 2)
PROFILE = st.sampled_from([1, 1, 2, 3])
NODE = st.integers(0, 1)
TICKING = st.sampled_from(["both", "both", "both", "first", "second"])


class NodesMachine(RuleBasedStateMachine):
    """Three processes on two nodes."""

    homes: ClassVar[Homes]

    def __init__(self) -> None:
        super().__init__()
        self.numbers = itertools.count(1_000)
        self.fleet = Fleet(self.homes, 2)
        self.keys = self.fleet.stock(**LIMITS, credits=CREDITS)
        self.processes = [Process(self.fleet.nodes[n % 2], next(self.numbers)) for n in range(3)]
        self.holds: list[Hold] = []
        self.reported: list[MeteredRequest] = []

    # -- what a process does ----------------------------------------------------------------------

    def _draw(self, process: Process, *wants: Want, is_lost: bool = False) -> None:
        began_ms = process.now_ms
        returns, process.returns = process.returns, Counter()
        reply = process.node.ask(self._message(process, list(wants), returns))
        if not isinstance(reply, Drawn) or reply.is_ended or is_lost:
            self._begin_anew(process)
            return
        process.telling.hear(reply.holdings, is_first=reply.are_first)
        process.is_old = process.is_old or bool(wants)
        for want, supply in zip(wants, reply.supplies, strict=True):
            for w in supply.windows:
                lot = Lot(want.profile_id, w.lot_id, w.name, w.start_ms, w.end_ms)
                process.free[lot] += w.added
            for g in supply.grants:
                lot = Lot(want.profile_id, g.lot_id, "credits", 0, g.expires_at_ms)
                process.free[lot] += g.added_micro
        self._hear(process, reply.ended)
        process.trusted_until_ms = began_ms + TRUST_MS

    def _message(
        self, process: Process, wants: list[Want], returns: Counter[int], *, is_last: bool = False
    ) -> Draw:
        back = sorted((lot_id, units) for lot_id, units in returns.items() if units)
        return Draw(
            next(call_ids),
            process.lease_id,
            process.now_ms,
            HOLD_MS,
            wants,
            back,
            is_last,
            is_last or process.is_old,
            [] if is_last else process.holdings(self.holds),
        )

    def _hear(self, process: Process, ended: list[tuple[int, int]]) -> None:
        """Others have ended what this one holds; what they didn't take of its credits is free."""
        for number, taken_micro in ended:
            (hold,) = (h for h in self.holds if h.number == number)
            assert not hold.is_open
            assert hold.lease_id == process.lease_id
            rest = hold.micro - taken_micro if taken_micro >= 0 else 0
            for lot, units in hold.taken if rest else []:
                process.free[lot] += units if lot.name == "credits" else 0

    def _begin_anew(self, process: Process, *, is_told: bool = True) -> None:
        """Give the lease up; what is free of it is told, unless it was killed."""
        left = process.returns
        for lot, units in process.free.items():
            left[lot.lot_id] += units
        last = self._message(process, [], left, is_last=True)
        process.lease_id, process.is_old = next(self.numbers), False
        process.trusted_until_ms = 0
        process.free, process.returns = Counter(), Counter()
        # Until it is heard; here the first answer may have been lost.
        for _ in range(2 if is_told else 0):
            process.node.ask(last)

    @rule(
        at=AT,
        profile_id=PROFILE,
        units=st.integers(1, 6),
        credits=st.sampled_from([0, 0, 1, 3, 9]),
        is_lost=st.sampled_from([False] * 9 + [True]),
    )
    def draw(self, at: int, profile_id: int, units: int, credits: int, *, is_lost: bool) -> None:
        """Ask for more; the reply may never arrive."""
        micro = credits * MICRO
        want = Want(profile_id, "u", "api", (0, 0, units, 0, units), micro, min(micro, MICRO))
        self._draw(self.processes[at], want, is_lost=is_lost)

    @rule(at=AT, gives_back=st.booleans())
    def renew(self, at: int, *, gives_back: bool) -> None:
        """Renew the lease; what lies idle may go back."""
        process = self.processes[at]
        if gives_back:
            for lot, units in process.free.items():
                process.returns[lot.lot_id] += units
            process.free.clear()
        self._draw(process)

    @rule(
        at=AT,
        profile_id=PROFILE,
        cost=st.sampled_from([0, 1, 1, 2]),
        count=st.integers(1, 3),
        units=st.integers(1, 4),
    )
    def admit(self, at: int, profile_id: int, cost: int, count: int, units: int) -> None:
        """Let requests through; where there isn't enough, more is asked for once."""
        process, micro = self.processes[at], cost * MICRO
        for _ in range(count):
            if not self._admitted(process, profile_id, micro):
                wanted = (0, 0, units, 0, units)
                self._draw(process, Want(profile_id, "u", "api", wanted, units * micro, micro))
                self._admitted(process, profile_id, micro)

    def _admitted(self, process: Process, profile_id: int, micro: int) -> bool:
        """Take what a request needs, or nothing."""
        now_ms, rest = process.now_ms, micro
        lots = [
            lot
            for lot, units in process.free.items()
            if units and lot.profile_id == profile_id and lot.is_open(now_ms)
        ]
        taken: list[tuple[Lot, int]] = []
        names = LIMITS if profile_id != 3 else {}
        for name in names:
            taken += [(lot, 1) for lot in lots if lot.name == name][:1]
        is_enough = len(taken) == len(names)
        for lot in lots:
            if lot.name == "credits" and rest:
                taken.append((lot, min(rest, process.free[lot])))
                rest -= taken[-1][1]
        if now_ms >= process.trusted_until_ms or rest or not is_enough:
            return False
        process.free.subtract(dict(taken))
        number, key_id = next(self.numbers), self.keys[profile_id - 1]
        row = process.node.row(profile_id, key_id, credits_micro=micro, request_id=str(number))
        self.holds.append(Hold(number, process.lease_id, row, taken))
        return True

    @rule()
    def tell(self) -> None:
        """All are asked what is left, once what they hold has been told for long enough."""
        for _ in range(2 * SILENT_MS // RENEW_MS):
            self.fleet.pass_renewals(1)
            for process in self.processes:
                self._draw(process)
        ended = dict(
            self.fleet.select(
                "select profile_id, sum(units) from draws d join leases l using (lease_id)"
                " where d.name = 'credits' and ended_at_ms is not null group by 1"
            )
        )
        own = [dict(process.holdings(self.holds)) for process in self.processes]
        for profile_id in PROFILE_IDS:
            held = sum(micro[profile_id] for micro in own) + ended.get(profile_id, 0)
            left = self.fleet.nodes[0].balance_micro(profile_id) - held
            for process, micro in zip(self.processes, own, strict=True):
                assert process.left(profile_id, micro[profile_id]) == left

    def _one_of_the_last(self, which: int) -> Hold | None:
        still_open = [hold for hold in self.holds if hold.is_open]
        return still_open[-1 - which % len(still_open)] if still_open else None

    @rule(at=AT, profile_id=PROFILE, cost=st.sampled_from([0, 1, 2]), to=AT)
    def serve(self, at: int, profile_id: int, cost: int, to: int) -> None:
        """Let a request through, and record it."""
        self.admit(at, profile_id, cost, 1, 2)
        self.end(to, 0, "settle")

    @rule(
        at=AT,
        which=st.integers(0, 5),
        how=st.sampled_from(["settle", "settle", "settle twice", "void"]),
    )
    def end(self, at: int, which: int, how: str) -> None:
        """End a reservation at any process; what is recorded may be so again at another."""
        hold = self._one_of_the_last(which)
        if hold is None:
            return
        if how == "void":
            self._void(hold, self.processes[at])
            return
        for turn in range(2 if how == "settle twice" else 1):
            process = self.processes[(at + turn) % 3]
            reply = process.node.ask(
                recording(hold.row, lease_id=process.lease_id, spends=[hold.spend()])
            )
            if not isinstance(reply, Recorded):
                self._failed(process, reply)
                continue
            assert reply.duplicates == ([] if hold.is_open else [0])
            assert not reply.conflicts
            hold.is_open, hold.is_settled = False, True

    def _void(self, hold: Hold, process: Process) -> None:
        row = hold.row
        message = Void(next(call_ids), process.lease_id, row.profile_id, row.identity, hold.spend())
        reply = process.node.ask(message)
        if not isinstance(reply, Voided):
            self._failed(process, reply)
            return
        assert not reply.was_settled
        assert not reply.was_voided
        hold.is_open = False
        if hold.lease_id != process.lease_id:
            return
        if reply.is_returned:
            self._begin_anew(process)
            return
        for lot, units in hold.taken:
            process.free[lot] += units

    def _failed(self, process: Process, reply: Reply) -> None:
        """What became of it is unknown."""
        assert isinstance(reply, Failed)
        self._begin_anew(process)

    @rule(at=AT, is_told=st.booleans(), moves=st.booleans())
    def start_anew(self, at: int, *, is_told: bool, moves: bool) -> None:
        """A process gives its lease up, or is killed; it may come back at the other node."""
        process = self.processes[at]
        if not is_told:
            process.node.recorder.hang_up(process.lease_id)
        self._begin_anew(process, is_told=is_told)
        if moves:
            process.node = self.fleet.nodes[1 - self.fleet.nodes.index(process.node)]

    @rule(profile_id=PROFILE, which=NODE, count=st.integers(1, 2))
    def report(self, profile_id: int, which: int, count: int) -> None:
        """Usage that nobody admitted."""
        node = self.fleet.nodes[which]
        key_id = self.keys[profile_id - 1]
        rows = [
            node.row(profile_id, key_id, credits_micro=MICRO, request_id=str(next(self.numbers)))
            for _ in range(count)
        ]
        if isinstance(node.ask(recording(*rows)), Recorded):
            self.reported += rows

    # -- time and faults --------------------------------------------------------------------------

    def _ticking(self, ticking: str) -> list[Node]:
        first, second = self.fleet.nodes
        return {"both": [first, second], "first": [first], "second": [second]}[ticking]

    @rule(ms=st.sampled_from([1, 100, 250, 400]), ticking=TICKING)
    def pass_time(self, ms: int, ticking: str) -> None:
        """One of the recorders may be stopped meanwhile."""
        self.fleet.pass_time(ms, ticking=self._ticking(ticking))

    @rule(ms=st.sampled_from([2_500, 61_000, HOUR_MS // 2, HOUR_MS]), ticking=TICKING)
    def pass_long(self, ms: int, ticking: str) -> None:
        """Leases end, and what they held expires; windows close."""
        self.fleet.pass_time(ms, ticking=self._ticking(ticking))
        self.fleet.pass_renewals(10, ticking=self._ticking(ticking))

    @rule(which=NODE, ms=st.sampled_from([10, 300, 3_000]))
    def step_ahead(self, which: int, ms: int) -> None:
        """One machine's clock is not the other's."""
        self.fleet.nodes[which].clock.advance(ms)

    @rule(which=NODE, is_killed=st.booleans())
    def restart(self, which: int, *, is_killed: bool) -> None:
        """Its processes notice nothing, unless they are told that their leases are over."""
        node = self.fleet.nodes[which]
        if is_killed:
            node.kill()
            node.recorder.tick()
        else:
            node.recorder.end()

    # -- what must hold ---------------------------------------------------------------------------

    @property
    def now_ms(self) -> int:
        """The instant that is reached anywhere."""
        return max(node.now_ms for node in self.fleet.nodes)

    @invariant()
    def no_limit_is_passed(self) -> None:
        """Used and drawn together are no more than the limit, but for what nobody admitted."""
        look = (
            "select profile_id, name, start_ms, end_ms, sum(units) from draws group by 1, 2, 3, 4"
        )
        for profile_id, name, start_ms, end_ms, drawn in self.fleet.select(look):
            if name in LIMITS and end_ms > self.now_ms:
                times = [
                    hold.row.time_ms
                    for hold in self.holds
                    if hold.is_settled and hold.row.profile_id == profile_id
                ]
                used = sum(start_ms <= time_ms < end_ms for time_ms in times)
                assert used + drawn <= LIMITS[name], f"{name} of {profile_id}: {used} and {drawn}"

    @invariant()
    def what_is_held_is_drawn(self) -> None:
        """Whatever a process holds, or believes to be free, is in its lots."""
        look = "select lease_id, lot_id, name, units from draws"
        rows = self.fleet.select(look)
        lots = {(lease_id, lot_id): units for lease_id, lot_id, _, units in rows}
        assert len(lots) == len(rows), "one number, two lots"
        held: Counter[tuple[int, int]] = Counter()
        for hold in self.holds:
            if hold.is_open and hold.expires_ms > self.now_ms:
                held.update(self._places(hold.lease_id, hold.taken))
        for process in self.processes:
            # Beyond its trust it asks first, and is told that its lease is over.
            if process.now_ms < process.trusted_until_ms:
                held.update(self._places(process.lease_id, list(process.free.items())))
        for place, units in held.items():
            assert units <= lots.get(place, 0), f"{units} held of {place}"

    def _places(self, lease_id: int, taken: list[tuple[Lot, int]]) -> dict[tuple[int, int], int]:
        """Units by lots, but for those of windows that have closed."""
        return {
            (lease_id, lot.lot_id): units
            for lot, units in taken
            if units and (lot.end_ms is None or lot.end_ms > self.now_ms)
        }

    @invariant()
    def what_was_done_is_charged(self) -> None:
        """Each request once, to what was drawn for it or to the purse."""
        settled = [hold for hold in self.holds if hold.is_settled]
        ((count,),) = self.fleet.select("select count(*) from requests")
        assert count == len(settled) + len(self.reported)
        spent = "select sum(credits_micro - debits_micro) from accounts where account = 'spent'"
        told = sum(hold.row.credits_micro for hold in settled) + len(self.reported) * MICRO
        assert (self.fleet.select(spent)[0][0] or 0) == told
        drawn = self.fleet.select(
            "select profile_id, account, sum(credits_micro - debits_micro) from accounts"
            " where account like 'drawn:%' group by 1, 2"
        )
        lots = self.fleet.select(
            "select profile_id, 'drawn:' || scope, sum(units) from draws"
            " where name = 'credits' group by 1, 2"
        )
        assert {row for row in drawn if row[2]} == {row for row in lots if row[2]}

    def teardown(self) -> None:
        """In the end all that was drawn of credits is back, and the audit agrees."""
        with self.fleet:
            if sys.exc_info()[0] is not None:
                return
            for process in self.processes:
                process.node.recorder.hang_up(process.lease_id)
            self.fleet.pass_renewals(10)
            for _ in range(3):
                self.fleet.pass_time(HOLD_MS + TRUST_MS + RENEW_MS)
            assert not self.fleet.select("select * from draws where name = 'credits'")
            first = self.fleet.nodes[0]
            assert not differences(first.db)
            audit = run_audit(first.reader)
            assert audit.agrees, audit.differences
