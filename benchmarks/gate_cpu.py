"""What one decision and its settlement cost a process in processor time, beside all I/O.

The way of a request through the middleware: the decision over a key with five limits and credits,
the request that it becomes, what it takes of what was drawn, and the end of its hold. The recorder
is called directly, and its time, which is another process's in earnest, doesn't count.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from statistics import median
from typing import cast

from benchmarks.gate import made
from benchmarks.table import Row
from farebox.core.admission import Denial
from farebox.core.workspace import ApiKey
from farebox.engine.clock import SteadyClock
from farebox.engine.directory import Directory
from farebox.engine.entropy import SystemEntropy
from farebox.engine.gate import Gate
from farebox.engine.gatekeeper import Gatekeeper
from farebox.engine.holds import Ask, Hold
from farebox.engine.messages import Draw, Drawn
from farebox.engine.recorder import Recorder
from farebox.engine.reservation import Reservation
from farebox.service.admit import Admitter, Attempt
from farebox.service.commands import COMMANDS
from farebox.service.refusal_log import RefusalLog
from farebox.service.settle import Outcome, Settler
from farebox.store.sqlite.database import open_reader, open_writer

ROUNDS = 7
DECISIONS = 20_000
MICROSECONDS_MAX = 15.0
HOLD_MS = 60_000
OUTCOME = Outcome(200, None, "POST", "/search", 12, 3_456, "192.0.2.1", "x-api-key")


class Keeper:
    """A gate whose draws go to a recorder in the same process."""

    def __init__(self, recorder: Recorder, clock: SteadyClock) -> None:
        self.gate = Gate(1)
        self.drawing_seconds = 0.0
        self._recorder = recorder
        self._clock = clock

    def decide_now(self, ask: Ask, now_ms: int) -> Hold | Denial | None:
        """The decision; what it takes to draw is kept apart."""
        decision = self.gate.decide(ask, now_ms)
        if decision is None or self.gate.room.has_demand:
            began = time.process_time()
            while decision is None:
                self._draw()
                decision = self.gate.decide(ask, self._clock.now_ms())
            self._draw()
            self.drawing_seconds += time.process_time() - began
        return decision

    def _draw(self) -> None:
        began_ms = self._clock.now_ms()
        asked, returns = self.gate.wants(began_ms)
        wants = [one.want for one in asked]
        draw = Draw(1, self.gate.lease_id, began_ms, HOLD_MS, wants, returns)
        (drawn,) = self._recorder.handle([draw])
        assert isinstance(drawn, Drawn)
        self._clock.not_before(drawn.now_ms)
        self.gate.supplied(asked, drawn, began_ms, self._clock.now_ms())


def measure() -> Row:
    """The median of some rounds, in microseconds."""
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "farebox.db"
        made(database, 1)
        clock, entropy = SteadyClock(), SystemEntropy()
        directory = Directory()
        reader = open_reader(database)
        directory.load(reader)
        reader.close()
        recorder = Recorder(lambda: open_writer(database), clock, entropy, COMMANDS)
        keeper = Keeper(recorder, clock)
        admitter = Admitter(
            directory, cast("Gatekeeper", keeper), cast("RefusalLog", None), entropy
        )
        settler = Settler(directory, entropy)
        (key,) = directory.keys.values()
        found = [_round(admitter, settler, keeper, clock, key) for _ in range(ROUNDS + 1)][1:]
        recorder.close()
    microseconds = median(found)
    return Row(
        "processor time of one decision and its settlement, against its target",
        f"{microseconds:.1f} of {MICROSECONDS_MAX:.0f} µs",
        microseconds / MICROSECONDS_MAX,
        "<= 1",
        microseconds <= MICROSECONDS_MAX,
    )


def _round(
    admitter: Admitter, settler: Settler, keeper: Keeper, clock: SteadyClock, key: ApiKey
) -> float:
    """Microseconds of one of many."""
    keeper.drawing_seconds = 0.0
    began = time.process_time()
    for _ in range(DECISIONS):
        attempt = Attempt(key, None, "POST", "/search", ip="192.0.2.1")
        hold = admitter.decide_now(attempt, clock.now_ms())
        assert isinstance(hold, Hold)
        row = settler.request_of_hold(hold, OUTCOME)
        Reservation.of(hold).spend(row.credits_micro, row.query_log_id)
        hold.ending += 1
        keeper.gate.settled(hold, row.credits_micro, clock.now_ms())
    seconds = time.process_time() - began - keeper.drawing_seconds
    return seconds / DECISIONS * 1_000_000
