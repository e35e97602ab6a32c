"""The demo's past: a recorder whose clock stands at the last request that came.

So what the demo shows of former weeks came about as it does in earnest: credits are granted when a
period begins and expire at its end, and a period that is over has its statement. The recorder has a
process of its own, `python -m farebox.demo.past FILE MS`, and ends before the server starts.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from farebox.engine.entropy import SystemEntropy
from farebox.engine.messages import Message, Record, Reply
from farebox.engine.recorder import Recorder
from farebox.engine.recorder_loop import serve_recorder
from farebox.engine.spawn import RecorderProcess
from farebox.service.commands import COMMANDS
from farebox.store.database import Database, file_database

MODULE = "farebox.demo.past"


class PastClock:
    """A clock that stands still until it is told to go on."""

    def __init__(self, at_ms: int) -> None:
        self._at_ms = at_ms

    def now_ms(self) -> int:
        """UTC milliseconds."""
        return self._at_ms

    def not_before(self, high_water_ms: int) -> None:
        """Step ahead; never back."""
        self._at_ms = max(self._at_ms, high_water_ms)

    def begin_at(self, at_ms: int) -> None:
        """Go on from an instant."""
        self._at_ms = at_ms


class PastRecorder(Recorder):
    """Records each message by itself, at the instant of its last request."""

    def __init__(self, database: Database, clock: PastClock) -> None:
        super().__init__(database.open_writer, clock, SystemEntropy(), COMMANDS)
        self._past_clock = clock

    def handle(self, messages: Sequence[Message]) -> list[Reply]:
        """Replies to messages, in their order."""
        replies: list[Reply] = []
        for message in messages:
            if isinstance(message, Record):
                self._past_clock.not_before(max(row.time_ms for row in message.rows))
            replies += super().handle([message])
        return replies


def past_process(place: Path, start_ms: int) -> RecorderProcess:
    """The recorder of a new database, with a clock that stands at an instant."""
    return RecorderProcess([sys.executable, "-m", MODULE, str(place.resolve()), str(start_ms)])


def make_recorder(place: Path, start_ms: int) -> Recorder:
    """The recorder of a file, in its past."""
    database = file_database(place)
    database.prepare()
    return PastRecorder(database, PastClock(start_ms))


def main() -> int:
    """Serve until the world is made."""
    place, start_ms = Path(sys.argv[1]), int(sys.argv[2])
    serve_recorder(place, lambda: make_recorder(place, start_ms))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
