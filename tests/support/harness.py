"""All of Farebox below its faces, in one process: a recorder called directly, without sockets.

The clock stands still until a test moves it, and the entropy is seeded: a run can be repeated.
`call` and `record` go through the recorder as messages do in earnest, and refresh the directory.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self, cast, get_type_hints

import msgspec

from farebox.contract.decoding import decode
from farebox.core.identity import content_digest, pack_identity, query_log_id
from farebox.core.instant import MS_PER_HOUR, MS_PER_MINUTE
from farebox.core.request import Capture, Channel, MeteredRequest
from farebox.engine.clock import Clock
from farebox.engine.directory import Directory
from farebox.engine.link import failure
from farebox.engine.messages import Answered, Call, Failed, Record, Recorded
from farebox.engine.recorder import Recorder
from farebox.service.commands import COMMANDS
from tests.support.homes import Home, Look, SqliteHome

# 2026-05-05 12:00:00 UTC, in the middle of a month.
START_MS = 1_777_982_400_000
ACTOR = "test"


class HandClock:
    """A clock that a test sets; like the real one it never runs back."""

    def __init__(self, at_ms: int = START_MS) -> None:
        self._at_ms = at_ms

    def now_ms(self) -> int:
        """UTC milliseconds."""
        return self._at_ms

    def advance(self, milliseconds: int) -> None:
        """Let time pass."""
        assert milliseconds >= 0
        self._at_ms += milliseconds

    def not_before(self, high_water_ms: int) -> None:
        """Step ahead; never back."""
        self._at_ms = max(self._at_ms, high_water_ms)

    def begin_at(self, at_ms: int) -> None:
        """Begin anew at an instant, be it an earlier one."""
        self._at_ms = at_ms


class SeededEntropy:
    """Randomness that repeats itself; for tests only."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)

    def random_bytes(self, length: int) -> bytes:
        """Bytes."""
        return self._random.randbytes(length)

    def random_below(self, bound: int) -> int:
        """An integer from 0 to `bound - 1`."""
        return self._random.randrange(bound)


class Harness:
    """A database, by default SQLite's in a given folder, and what works on it. A context manager.

    `db` is a look into it, for statements of a test's own.
    """

    def __init__(self, home: Home | Path, *, seed: int = 0, now_ms: int = START_MS) -> None:
        self.home: Home = SqliteHome(home) if isinstance(home, Path) else home
        self.path = self.home.path
        self.clock = HandClock(now_ms)
        self.entropy = SeededEntropy(seed)
        self.recorder = self.new_recorder(self.clock)
        self.reader = self.home.open_reader()
        self.db: Look = self.home.open_look(self.reader)
        self.directory = Directory()
        self.directory.load(self.reader)
        self._ids = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the database."""
        self.recorder.close()
        self.reader.close()

    def new_recorder(self, clock: Clock) -> Recorder:
        """A recorder that has not opened the database yet."""
        return Recorder(self.home.open_writer, clock, self.entropy, COMMANDS, steady=clock.now_ms)

    @property
    def now_ms(self) -> int:
        """The instant that the clock stands at."""
        return self.clock.now_ms()

    def advance(
        self, milliseconds: int = 0, *, minutes: int = 0, hours: int = 0, days: int = 0
    ) -> None:
        """Let time pass, and do what it demands: periods roll, grants expire, days are built."""
        hours += 24 * days
        self.clock.advance(milliseconds + minutes * MS_PER_MINUTE + hours * MS_PER_HOUR)
        self.settle()

    def settle(self) -> None:
        """Let the recorder do what time demands, until it would wait."""
        while self.recorder.tick() == 0:
            pass
        self.directory.refresh(self.reader)

    def call(
        self,
        name: str,
        /,
        *,
        actor: str = ACTOR,
        idempotency_key: str | None = None,
        **fields: object,
    ) -> Any:  # noqa: ANN401 - each command has an answer type of its own
        """Run a command by its name with the fields of its form; its answer.

        Fields may be given as they stand in JSON: `credits=3`, `limits={"api": {"hour": 5}}`.

        Raises:
            FareboxError: why it was refused.
        """
        command = COMMANDS[name]
        form = decode(msgspec.json.encode(fields), command.arguments)
        packed = msgspec.msgpack.encode(form)
        (reply,) = self.recorder.handle([Call(0, name, packed, actor, idempotency_key)])
        self.directory.refresh(self.reader)
        if isinstance(reply, Failed):
            raise failure(reply)
        assert isinstance(reply, Answered)
        answer_type = get_type_hints(command.run)["return"]
        return msgspec.msgpack.decode(reply.answer, type=answer_type)

    def record(
        self,
        rows: Sequence[MeteredRequest],
        captures: Sequence[Capture] = (),
        *,
        is_import: bool = False,
    ) -> Recorded:
        """Record requests in one commit.

        Raises:
            FareboxError: nothing was recorded.
        """
        (reply,) = self.recorder.handle([Record(0, list(rows), list(captures), is_import)])
        if isinstance(reply, Failed):
            raise failure(reply)
        assert isinstance(reply, Recorded)
        return reply

    def row(
        self,
        profile_id: int,
        key_id: str,
        *,
        credits_micro: int = 0,
        log_type_id: int = 0,
        time_ms: int | None = None,
        channel: Channel = "api",
        request_id: str | None = None,
        method: str | None = "POST",
        path: str | None = "/people/search",
        status_code: int | None = 200,
        duration_ms: int | None = 120,
        response_size: int | None = 2048,
        ip: str | None = "192.0.2.1",
        authentication_type: str | None = "x-api-key",
    ) -> MeteredRequest:
        """A request that is ready to be recorded; by default one that was never seen before."""
        self._ids += 1
        request_id = f"request-{self._ids}" if request_id is None else request_id
        time_ms = self.now_ms if time_ms is None else time_ms
        content = f"{key_id} {log_type_id} {credits_micro} {time_ms} {method} {path} {status_code}"
        return MeteredRequest(
            profile_id,
            pack_identity("", request_id),
            content_digest(content.encode()),
            query_log_id(time_ms, self.entropy.random_bytes(10)),
            time_ms,
            key_id,
            log_type_id,
            channel,
            credits_micro,
            method,
            path,
            status_code,
            duration_ms,
            response_size,
            ip,
            authentication_type,
        )

    def workspace(self, *, plan: str = "basic", name: str = "Acme", **fields: Any) -> int:  # noqa: ANN401 - as `call`
        """A new workspace's profile_id; its plan is made first where there is none of this slug."""
        if plan not in {known.slug for known in self.directory.plans.values()}:
            self.call("plans.create", slug=plan, name=plan.title(), credits_per_month=1000)
        answer = self.call("workspaces.create", name=name, plan=plan, **fields)
        return cast("int", answer.profile_id)

    def log_type(self, slug: str = "people_search", *, credits: float = 3, **fields: Any) -> int:  # noqa: ANN401 - as `call`
        """A new log type's id."""
        answer = self.call("log_types.create", slug=slug, name=slug, credits=credits, **fields)
        return cast("int", answer.log_type_id)

    def key(self, profile_id: int, **fields: Any) -> str:  # noqa: ANN401 - as `call`
        """A new key's id."""
        answer = self.call("keys.create", profile_id=profile_id, **fields)
        return cast("str", answer.key_id)

    def select(self, statement: str, *values: str | int | bytes | None) -> list[tuple[Any, ...]]:
        """The rows of a statement of the test's own."""
        return list(self.db.execute(statement, values))
