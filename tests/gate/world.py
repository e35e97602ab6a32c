"""The world of the gate's model: a database, its recorder, and the processes that admit by it.

All that decides is real: recorder, SQLite, gatekeeper, admitter, settler. Made up are only the
wire between them, the machine's clocks, and the randomness, so that a run can be repeated.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, get_type_hints

import msgspec

from farebox.contract.decoding import decode
from farebox.core.instant import MS_PER_SECOND
from farebox.engine.clock import SteadyClock
from farebox.engine.directory import Directory
from farebox.engine.gatekeeper import Gatekeeper
from farebox.engine.link import failure
from farebox.engine.messages import Answered, Call, Failed, Message, Reply, decode_message, encode
from farebox.engine.recorder import Recorder
from farebox.engine.reservation import reservation_seal
from farebox.service.admit import Admitter
from farebox.service.commands import COMMANDS
from farebox.service.metrics import Metrics
from farebox.service.refusal_log import RefusalLog
from farebox.service.settle import Settler
from farebox.store.sqlite.database import SqliteDatabase, open_reader, open_writer
from tests.gate.broken_store import BrokenStore
from tests.gate.claim import Claim
from tests.gate.wire import Wire
from tests.support.harness import SeededEntropy

HOLD_MS = 60_000
TICK_MS = 400
# Further back a process would have to ask too often until the recorder has caught up with it.
BACK_MS_MAX = 20_000
SEAL = reservation_seal(lambda _purpose: b"a secret of the tests' own")
Result = TypeVar("Result")


@lru_cache(maxsize=1)
def _metrics() -> Metrics:
    return Metrics()


class Machine:
    """The clocks of the machine that all of it runs on."""

    def __init__(self, now_ms: int) -> None:
        self.steady_ms = 1_000_000
        self.wall_ahead_ms = now_ms - self.steady_ms

    def steady(self) -> int:
        """Milliseconds since boot."""
        return self.steady_ms

    def wall(self) -> int:
        """What the wall clock says."""
        return self.steady_ms + self.wall_ahead_ms


class Process:
    """One that admits: what a server has below its faces."""

    def __init__(self, number: int, world: World) -> None:
        self.number = number
        self.reader = open_reader(world.path)
        self.directory = Directory()
        self.directory.load(self.reader)
        high_water_ms = self.reader.integer("clock_high_water")
        machine = world.machine
        self.clock = SteadyClock(high_water_ms, wall=machine.wall, steady=machine.steady)
        self.wire = Wire(world.deliver, world.pass_time, world.hang_up)
        self.gatekeeper = Gatekeeper(
            self.wire,
            self.clock,
            world.entropy,
            hold_ms=HOLD_MS,
            pause=world.pause,
            part_times_max=1,
        )
        refusals = RefusalLog(self.wire, _metrics(), world.entropy)
        self.admitter = Admitter(self.directory, self.gatekeeper, refusals, world.entropy)
        self.settler = Settler(self.directory, world.entropy)
        self.followed_ms = machine.steady_ms
        self.pending: list[Pending] = []

    @property
    def lease_id(self) -> int:
        """The lease that it draws by now."""
        return self.gatekeeper._gate.lease_id

    def holds(self, claim: Claim) -> bool:
        """Whether a claim is a hold of this process that its present lease answers for."""
        hold = self.gatekeeper._gate.holds.of_number(claim.reservation.number)
        return hold is not None and hold.lease_id == claim.lease_id == self.lease_id

    def held_micro(self, profile_id: int) -> int:
        """What its open holds of its present lease have of a workspace's credits."""
        return sum(
            hold.ask.hold_micro
            for hold in self.gatekeeper._gate.holds._by_number.values()
            if hold.is_open
            and hold.wallet is not None
            and (hold.lease_id, hold.ask.profile_id) == (self.lease_id, profile_id)
        )


class Pending(NamedTuple):
    """An end that was sent and not answered yet."""

    claim: Claim
    task: asyncio.Task[object]
    was_held: bool
    finish: Callable[[object], None]


class World:
    """One run's. Its methods are called between the steps of the processes."""

    def __init__(self, path: Path, now_ms: int) -> None:
        self.path = path
        self.machine = Machine(now_ms)
        self.entropy = SeededEntropy(1)
        self.loop = _StandingLoop()
        self.reader = open_reader(path)
        self.processes: list[Process] = []
        self.hung_up: set[int] = set()
        self._started = 0
        self.on_handled: Callable[[Message, Reply, Sequence[Claim]], None] = _ignore
        self.on_time: Callable[[], object] = bool
        self.recorder, self.recorder_clock = self._new_recorder()

    def _new_recorder(self) -> tuple[Recorder, SteadyClock]:
        high_water_ms = self.reader.integer("clock_high_water")
        latest_ms = max((p.clock.now_ms() for p in self.processes), default=0)
        clock = SteadyClock(
            max(high_water_ms, latest_ms - BACK_MS_MAX),
            wall=self.machine.wall,
            steady=self.machine.steady,
        )
        recorder = Recorder(self._open_writer, clock, self.entropy, COMMANDS)
        return recorder, clock

    def _open_writer(self) -> SqliteDatabase:
        return BrokenStore(open_writer(self.path).connection)

    def restart_recorder(self) -> None:
        """End the recorder, and start another on the same file."""
        self.recorder.close()
        self.recorder, self.recorder_clock = self._new_recorder()

    def start(self) -> Process:
        """Start a process."""
        self._started += 1
        process = Process(self._started, self)
        self.processes.append(process)
        return process

    def crash(self, process: Process) -> None:
        """Kill a process: nothing that it has is heard of any more."""
        process.wire.is_cut = True
        for pending in process.pending:
            pending.task.cancel()
        self.run_out()
        process.reader.close()
        self.processes.remove(process)

    def deliver(self, message: Message, about: Sequence[Claim]) -> Reply:
        """Hand a message to the recorder, as its bytes; and tell what came of it."""
        (reply,) = self.recorder.handle([decode_message(encode(message)[4:])])
        BrokenStore.fails = None
        self.on_handled(message, reply, about)
        self.tick()
        return reply

    def hang_up(self, lease_id: int) -> None:
        """Have the recorder notice that the process of a lease has gone."""
        self.recorder.hang_up(lease_id)
        if self.recorder._session is not None:
            self.hung_up.add(lease_id)

    def call(self, name: str, fields: dict[str, object]) -> Any:  # noqa: ANN401 - each command has an answer of its own
        """Run a command.

        Raises:
            FareboxError: why it was refused.
        """
        command = COMMANDS[name]
        form = decode(msgspec.json.encode(fields), command.arguments)
        reply = self.deliver(Call(0, name, msgspec.msgpack.encode(form), "test"), ())
        if isinstance(reply, Failed):
            raise failure(reply)
        assert isinstance(reply, Answered)
        return msgspec.msgpack.decode(reply.answer, type=get_type_hints(command.run)["return"])

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run something on the loop, and all that follows from it."""
        result = self.loop.run_until_complete(work)
        self.run_out()
        return result

    def run_out(self) -> None:
        """Let everything happen that needs no more than a turn of the loop."""
        self.loop.run_until_complete(_turns())

    def pass_time(self, milliseconds: int) -> None:
        """Let time pass at once, and have the recorder do what it demands."""
        self.machine.steady_ms += milliseconds
        self.tick()

    async def pause(self, seconds: float) -> None:
        """Let time pass for whoever waits."""
        self.pass_time(round(seconds * MS_PER_SECOND))
        await asyncio.sleep(0)

    def tick(self) -> None:
        """Have the recorder do what time demands."""
        for _ in range(50):
            if self.recorder.tick():
                break
        self.on_time()

    def close(self) -> None:
        """End all of it."""
        for process in list(self.processes):
            self.crash(process)
        self.recorder.close()
        self.reader.close()
        self.loop.close()


class _StandingLoop(asyncio.SelectorEventLoop):
    """No real time passes on it, so that a slow machine makes nobody give up."""

    def time(self) -> float:
        return 0.0


async def _turns() -> None:
    for _ in range(6):
        await asyncio.sleep(0)


def _ignore(_message: Message, _reply: Reply, _about: Sequence[Claim]) -> None:
    pass
