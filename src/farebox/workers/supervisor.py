"""The supervisor: starts the workers, replaces one that ends unasked, and stops them together.

It serves nothing itself and holds no secret. The first worker begins alone, so that what prevents
a start is told once. A replacement comes at once, and the next ones of it after longer and longer
waits; meanwhile the others serve. If the supervisor is killed, its workers see their lines end and
stop in good order.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import Callable, Mapping

from farebox.server import take_port
from farebox.settings import Settings
from farebox.workers.hub import Hub
from farebox.workers.member import Member
from farebox.workers.messages import FromWorker, Gather, Told, Total

WORKER_MODULE = "farebox.workers.worker"
# A worker that served for so long has had an accident; one that didn't may have a fault.
STEADY_SECONDS = 10.0
AGAIN_SECONDS = 0.25
AGAIN_SECONDS_MAX = 10.0
TELL_SECONDS_MAX = 1.0
STOP_SECONDS_MAX = 60.0
log = logging.getLogger("farebox.supervisor")


class Supervisor:
    """Of `workers` processes with one environment, each of which runs `module`.

    `on_ready` gets the URL when all listen.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        workers: int,
        on_ready: Callable[[str], None],
        module: str = WORKER_MODULE,
    ) -> None:
        self._module = module
        self._environment = environment
        self._workers = workers
        self._on_ready = on_ready
        self._hub = Hub()
        self._members: dict[int, Member] = {}
        self._last_id = 0
        self._stopping = asyncio.Event()
        self._answering: set[asyncio.Task[None]] = set()

    async def run(self) -> int:
        """Serve until told to stop; the exit status."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop, number)
        first = await self._start()
        began = await first.begun()
        others = [await self._start() for _ in range(self._workers - 1)] if began else []
        began = began and all(await asyncio.gather(*(other.begun() for other in others)))
        if began and not self._stopping.is_set():
            self._on_ready(first.url)
        elif not began:
            self._stop(signal.SIGTERM)
        seats = [asyncio.create_task(self._keep(member)) for member in (first, *others)]
        await self._stopping.wait()
        done, late = await asyncio.wait(seats, timeout=STOP_SECONDS_MAX)
        for member in self._members.values():
            member.signal(signal.SIGKILL)
        await asyncio.gather(*late)
        is_well = began and not late and all(seat.result() for seat in done)
        if began:
            log.info("farebox has stopped")
        return 0 if is_well else 1

    async def _keep(self, member: Member) -> bool:
        """Have a worker, and another when it ends, until all are to stop; whether it ended well."""
        accidents = 0
        while True:
            began = time.monotonic()
            status = await member.end()
            del self._members[member.worker_id]
            is_stopping = self._stopping.is_set()
            self._hub.leave(member.worker_id, is_replaced=not is_stopping)
            if is_stopping:
                # One that had not begun yet may be ended by the signal itself.
                return status == 0 or not member.is_ready
            log.error("worker %d ended with status %d", member.pid, status)
            is_steady = member.is_ready and time.monotonic() - began > STEADY_SECONDS
            accidents = 0 if is_steady else accidents + 1
            another = await self._replace(accidents)
            if another is None:
                return True
            member = another

    async def _replace(self, accidents: int) -> Member | None:
        """Another worker after so many accidents in a row; None when all are to stop."""
        stopping = asyncio.create_task(self._stopping.wait())
        while True:
            wait_seconds = AGAIN_SECONDS * 2 ** min(accidents, 10) if accidents > 1 else 0
            await asyncio.wait([stopping], timeout=min(wait_seconds, AGAIN_SECONDS_MAX))
            if stopping.done():
                return None
            try:
                member = await self._start()
            except OSError as error:
                log.error("no worker could be started: %s", error)  # noqa: TRY400
                accidents += 1
            else:
                stopping.cancel()
                return member

    async def _start(self) -> Member:
        self._last_id += 1
        member = await Member.start(self._last_id, self._module, self._environment, self._hear)
        self._members[member.worker_id] = member
        if self._stopping.is_set():
            member.signal(signal.SIGTERM)
        return member

    def _stop(self, number: signal.Signals) -> None:
        """Have all stop; a second interrupt hurries them."""
        is_first = not self._stopping.is_set()
        self._stopping.set()
        if is_first or number is signal.SIGINT:
            for member in self._members.values():
                member.signal(signal.SIGTERM if is_first else signal.SIGINT)

    def _hear(self, member: Member, message: FromWorker) -> None:
        if isinstance(message, Told):
            self._hub.tell(member.worker_id, message.numbers)
        elif isinstance(message, Gather):
            task = asyncio.create_task(self._answer(member))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)

    async def _answer(self, asking: Member) -> None:
        """The numbers of all; of one that doesn't answer, what it said last."""
        telling = [member.tell() for member in self._members.values() if member.is_ready]
        if telling:
            await asyncio.wait(telling, timeout=TELL_SECONDS_MAX)
        asking.say(Total(self._hub.total()))


def serve_together(
    settings: Settings,
    environment: Mapping[str, str],
    on_ready: Callable[[str], None],
    module: str = WORKER_MODULE,
) -> int:
    """Hold the port, which workers share, and look after them; the exit status.

    Their settings are `environment`, but for the port.

    Raises:
        CliError: the port can't be taken.
    """
    # Whoever has a port that can be shared would share it with a stranger, too.
    with take_port(settings.host, settings.port) as free:
        port = free.getsockname()[1]
    theirs = {**environment, "FAREBOX_PORT": str(port)}

    async def run() -> int:
        return await Supervisor(theirs, settings.workers, on_ready, module).run()

    with take_port(settings.host, port, is_shared=True):
        return asyncio.run(run())
