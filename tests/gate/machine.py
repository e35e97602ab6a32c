"""The state machine: what callers, providers, machines and networks do to a gate, in any order."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from farebox.service.audit import run_audit
from farebox.service.settle import Outcome
from tests.gate.admin import Admin
from tests.gate.asking import Question
from tests.gate.claim import Claim, State
from tests.gate.driver import Driver
from tests.gate.reference import Key
from tests.gate.scene import LOG_TYPES, MICRO, PLAN, PLANS, ZONES
from tests.gate.wire import Fate
from tests.gate.world import HOLD_MS, TICK_MS, Process

SLUGS = [spec.slug for spec in LOG_TYPES]
MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
INDEX = st.integers(0, 15)
DRAW_FATES = st.sampled_from(
    [
        Fate.LOSE_REQUEST,
        Fate.LOSE_REPLY,
        Fate.SLOW_REQUEST,
        Fate.SLOW_REPLY,
        Fate.BREAK_BEFORE,
        Fate.BREAK_AFTER,
    ]
)
END_FATES = st.sampled_from(list(Fate))
TIMES = st.sampled_from(
    [1, 40, 249, 250, 500, 899, 1_000, 1_700, 5_000, 30_000, HOLD_MS, 70_000, HOUR_MS // 3, HOUR_MS]
)
# Which process, key or reservation: the first and the last ones most often.
AT = st.sampled_from([0, 0, 1])
KEY = st.sampled_from([0, 0, 0, 1, 2, 3, 4, 4, 5, 7, 8, 9])
SLUG = st.sampled_from(SLUGS)
WALL_STEPS = st.sampled_from([0, 0, 0, 5_000, -5_000, HOUR_MS, -HOUR_MS, 40 * DAY_MS, -40 * DAY_MS])
CLAIM = st.sampled_from([0, 0, 0, 1, 1, 2, 3, 5, 8])
HOW = st.sampled_from(["price", "price", "none", "half", "all", "above", "failed", "bad"])


def outcome_of(claim: Claim, how: str) -> Outcome:
    """How a call ended: at its price, at a told one, failed, or told in a way that is refused."""
    told = {
        "none": 0,
        "half": claim.held_micro // 2,
        "all": claim.held_micro,
        "above": claim.held_micro + 1,
    }
    return Outcome({"failed": 500, "bad": 999}.get(how, 200), told.get(how))


class GateMachine(RuleBasedStateMachine):
    """One run; `folder` is where its database lies."""

    folder: ClassVar[Path]
    runs: ClassVar[int] = 0
    steps: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        self.driver = Driver(self.folder / "gate.db")
        self.world = self.driver.world
        self.admin = Admin(self.driver)
        self.is_faulty = False
        self.focus = 0
        GateMachine.runs += 1

    @initialize(
        is_faulty=st.booleans(),
        focus=st.integers(0, 7),
        slug=st.sampled_from([plan.slug for plan in PLANS]),
    )
    def begin(self, is_faulty: bool, focus: int, slug: str) -> None:
        """In half of the runs nothing goes wrong: then every decision is exact."""
        self.is_faulty = is_faulty
        self.focus = focus
        for profile_id in (1, 2):
            self.admin.change_plan(self._process(0), profile_id, slug)

    def _process(self, at: int) -> Process:
        return self.world.processes[at % len(self.world.processes)]

    def _key(self, at: int) -> Key:
        keys = self.driver.reference.keys
        return keys[(self.focus + at) % len(keys)]

    def _claim(self, at: int) -> Claim | None:
        """A claim with a token: mostly one of the last."""
        claims = [c for c in self.driver.reference.claims if c.reservation.expires_ms]
        return claims[-1 - at % len(claims)] if claims else None

    @property
    def is_calm(self) -> bool:
        return not self.is_faulty

    # -- callers ---------------------------------------------------------------------------------

    @rule(at=AT, key=KEY, slug=SLUG)
    def authorize(self, at: int, key: int, slug: str) -> None:
        self.driver.authorize(self._process(at), Question(self._key(key), slug))

    @rule(at=AT, key=KEY, slug=SLUG, count=st.integers(2, 6))
    def authorize_many(self, at: int, key: int, slug: str, count: int) -> None:
        self.driver.authorize(self._process(at), Question(self._key(key), slug), count=count)

    @rule(slug=st.sampled_from(["cheap", "dear"]))
    def authorize_once_more(self, slug: str) -> None:
        self.driver.authorize(self._process(0), Question(self._key(0), slug))

    @rule(
        at=AT,
        key=KEY,
        slug=st.sampled_from([*SLUGS, "__unknown__"]),
        told=st.sampled_from([None, None, 0, 7 * MICRO, 2_500_000]),
        request_id=st.sampled_from([None, "a", "b"]),
    )
    def authorize_told(
        self, at: int, key: int, slug: str, told: int | None, request_id: str | None
    ) -> None:
        question = Question(self._key(key), slug, told, request_id)
        self.driver.authorize(self._process(at), question)

    @rule(at=AT, claim=CLAIM, how=HOW)
    def settle(self, at: int, claim: int, how: str) -> None:
        if found := self._claim(claim):
            self.driver.settle(self._process(at), found, outcome_of(found, how))

    @rule(claim=CLAIM)
    def settle_here(self, claim: int) -> None:
        if found := self._claim(claim):
            self.driver.settle(self._process(0), found, Outcome(200))

    @rule(at=AT, claim=CLAIM)
    def void(self, at: int, claim: int) -> None:
        if found := self._claim(claim):
            self.driver.void(self._process(at), found)

    @rule(at=AT, key=KEY, slug=SLUG)
    def serve(self, at: int, key: int, slug: str) -> None:
        self.driver.serve(self._process(at), Question(self._key(key), slug))

    @precondition(lambda self: self.driver.served)
    @rule(
        at=INDEX, credits_micro=st.sampled_from([None, None, -1, 0, MICRO, 8 * MICRO, 50 * MICRO])
    )
    def served(self, at: int, credits_micro: int | None) -> None:
        if credits_micro == -1:
            self.driver.served_never(at)
        else:
            self.driver.served_done(at, credits_micro, None)

    # -- time ------------------------------------------------------------------------------------

    @rule(ms=TIMES, renews=st.booleans())
    def pass_time(self, ms: int, renews: bool) -> None:
        self.world.pass_time(ms)
        if renews:
            for process in list(self.world.processes):
                self.driver.renew(process)

    @rule(
        to=st.sampled_from(["second", "minute", "hour", "day", "month", "period", "hold", "grant"]),
        profile_id=st.integers(1, 2),
        more_ms=st.sampled_from([-1, 0, 1]),
    )
    def pass_to(self, to: str, profile_id: int, more_ms: int) -> None:
        """To the end of something, or to just before it."""
        now_ms = self.world.recorder_clock.now_ms()
        ends = [end for end in self._ends(to, profile_id, now_ms) if end + more_ms > now_ms]
        if ends:
            self.world.pass_time(min(ends) + more_ms - now_ms)

    def _ends(self, to: str, profile_id: int, now_ms: int) -> list[int]:
        reference = self.driver.reference
        match to:
            case "second" | "minute" | "hour" | "day" | "month":
                return [reference.window(profile_id, to, now_ms).end_ms]
            case "period":
                return [reference.workspaces[profile_id].period.end_ms]
            case "hold":
                return [c.reservation.expires_ms for c in reference.claims if c.is_held]
            case _:
                grants = self.driver.books().grants[profile_id]
                return [g.expires_at_ms for g in grants if g.expires_at_ms is not None]

    @rule(at=AT, wall_ms=WALL_STEPS)
    def let_go(self, at: int, wall_ms: int) -> None:
        """What a process does every ten seconds; and a step of the wall clock, which is nothing."""
        self.world.machine.wall_ahead_ms += wall_ms
        process = self._process(at)
        process.gatekeeper._gate.room.let_go(process.clock.now_ms())
        self.driver.renew(process)

    @rule()
    def tell_credits(self) -> None:
        """All processes are asked what is left, once what they hold has been told."""
        self.driver.agree()

    # -- the provider ----------------------------------------------------------------------------

    @rule(
        at=AT,
        profile_id=st.integers(1, 2),
        credits=st.sampled_from([1, 4, 15]),
        ends_in_ms=st.sampled_from([None, 30_000, HOUR_MS]),
        priority=st.integers(0, 1),
    )
    def grant(
        self, at: int, profile_id: int, credits: int, ends_in_ms: int | None, priority: int
    ) -> None:
        self.admin.grant(self._process(at), profile_id, credits, ends_in_ms, priority)

    @rule(
        at=AT,
        profile_id=st.integers(1, 2),
        what=st.sampled_from(["sharing", "suspended", "licences", *ZONES, *PLAN, *PLAN]),
    )
    def change_workspace(self, at: int, profile_id: int, what: str) -> None:
        if what in PLAN:
            self.admin.change_plan(self._process(at), profile_id, what)
        elif what in ZONES:
            self.admin.change_zone(self._process(at), profile_id, what)
        else:
            self.admin.change_terms(self._process(at), profile_id, what)

    @rule(
        at=AT,
        key=KEY,
        what=st.sampled_from(["nothing", "rotate", "overlap", "revoke", None, 0, 6, 30]),
    )
    def change_key(self, at: int, key: int, what: str | int | None) -> None:
        process, found = self._process(at), self._key(key)
        match what:
            case "nothing":
                self.admin.refused()
            case "rotate":
                self.admin.rotate(process, found, 0)
            case "overlap":
                self.admin.rotate(process, found, 20)
            case "revoke":
                self.admin.revoke(process, found)
            case _:
                self.admin.cap(process, found, None if what is None else int(what))

    # -- faults ----------------------------------------------------------------------------------

    @precondition(lambda self: self.is_faulty)
    @rule(at=AT, key=KEY, slug=SLUG, fate=DRAW_FATES, ms=TIMES)
    def authorize_badly(self, at: int, key: int, slug: str, fate: Fate, ms: int) -> None:
        process = self._process(at)
        process.wire.slow_ms = ms
        self.driver.authorize(process, Question(self._key(key), slug), fate=fate)

    @precondition(lambda self: self.is_faulty)
    @rule(
        at=AT,
        claim=CLAIM,
        how=st.sampled_from(["price", "half", "bad", "void", "served"]),
        fate=END_FATES,
        ms=TIMES,
    )
    def end_badly(self, at: int, claim: int, how: str, fate: Fate, ms: int) -> None:
        found, process = self._claim(claim), self._process(at)
        process.wire.slow_ms = ms
        if how == "served":
            if self.driver.served and fate not in (Fate.HOLD_REQUEST, Fate.HOLD_REPLY):
                self.driver.served_done(at, None, fate)
        elif found and how == "void":
            self.driver.void(process, found, fate)
        elif found:
            self.driver.settle(process, found, outcome_of(found, how), fate)

    @precondition(lambda self: any(p.wire.held for p in self.world.processes))
    @rule(at=INDEX, is_cancelled=st.booleans())
    def answer(self, at: int, is_cancelled: bool) -> None:
        waiting = [p for p in self.world.processes if p.wire.held]
        self.driver.answer(waiting[at % len(waiting)], is_cancelled=is_cancelled)

    @precondition(lambda self: self.is_faulty)
    @rule(
        at=AT,
        what=st.sampled_from(["start", "start", "close", "crash", "vanish", "renew"]),
        fate=DRAW_FATES,
    )
    def change_process(self, at: int, what: str, fate: Fate) -> None:
        """Start another process, or end one, or let a renewal of it go wrong."""
        process = self._process(at)
        if what == "renew":
            self.driver.renew(process, fate=fate)
        elif what == "start" and len(self.world.processes) < 2:
            self.world.start()
        elif what == "close" and not process.pending:
            self.driver.close(process)
        elif what in ("crash", "vanish"):
            self.driver.crash(process, is_noticed=what == "crash")
        if not self.world.processes:
            self.world.start()

    @precondition(lambda self: self.is_faulty)
    @rule(wall_ms=WALL_STEPS, is_whole=st.sampled_from([False, False, True]))
    def restart(self, wall_ms: int, is_whole: bool) -> None:
        """Restart the recorder, or the whole machine, with a wall clock that may be wrong."""
        self.world.machine.wall_ahead_ms += wall_ms
        if is_whole:
            for process in list(self.world.processes):
                self.driver.crash(process)
            self.world.machine.steady_ms = 1_000
        self.world.restart_recorder()
        self.world.tick()
        if is_whole:
            self.world.start()

    @precondition(lambda self: self.is_faulty)
    @rule(at=AT, ms=st.sampled_from([1_200, 2_600, 62_500, 80_000]))
    def stop_for_a_while(self, at: int, ms: int) -> None:
        """A process is stopped in full work, and goes on later as if nothing had been."""
        stopped, question = self._process(at), Question(self._key(0), "cheap")
        self.driver.authorize(stopped, question, count=3)
        for _ in range(ms // TICK_MS):
            self.world.pass_time(TICK_MS)
            for process in self.world.processes:
                if process is not stopped:
                    self.driver.renew(process)
        self.driver.authorize(stopped, question, count=2)

    # -- what must hold --------------------------------------------------------------------------

    @invariant()
    def the_books_agree(self) -> None:
        GateMachine.steps += 1
        self.driver.check()

    def teardown(self) -> None:
        """At the end all that was drawn of credits is back, and the audit agrees."""
        try:
            if sys.exc_info()[0] is None:
                self._end()
        finally:
            self.world.close()

    def _end(self) -> None:
        driver = self.driver
        for process in list(self.world.processes):
            driver.crash(process)
        self.world.start()
        # Where the recorder's clock had stepped ahead, silence is noticed later by as much.
        for _ in range(200):
            if not driver.books().live_leases:
                break
            self.world.pass_time(TICK_MS)
        self.world.pass_time(HOLD_MS + 2_000)
        driver.check()
        books = driver.books()
        left = [lot for lot in books.lots.values() if lot.name in ("credits", "key_credits")]
        assert not left, f"never came back: {left}"
        assert all(claim.state is not State.OPEN for claim in driver.reference.claims)
        audit = run_audit(self.world.reader)
        assert audit.agrees, audit.differences
