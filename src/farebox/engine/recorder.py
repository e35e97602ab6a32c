"""The recorder: the only writer of a database. Messages in, replies out, nothing in between.

All records that wait are committed together (group commit): identity, log row, rollups, ledger and
commit in one transaction with full sync; replies follow the commit, never precede it. A call runs
alone in its own transaction.

Failures: a broken constraint rolls back, then the halves of the group are tried, and so on down
to single records and their rows one by one, so that a bad row is rejected and spoils no other.
After a failure of the store the outcome is unknown: everyone waiting is told 503, the connection
is closed and all memory dropped before the next commit.
"""

from __future__ import annotations

import heapq
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import NamedTuple

import msgspec

from farebox.core.errors import IDEMPOTENCY_MISMATCH, INTERNAL, STORE_UNAVAILABLE, FareboxError
from farebox.core.identity import content_digest
from farebox.core.phrase import Phrase
from farebox.engine.batch import Insert, insert_singly, insert_together, write_batch
from farebox.engine.books import Books
from farebox.engine.clock import Clock
from farebox.engine.days import Days
from farebox.engine.entropy import Entropy
from farebox.engine.messages import Answered, Call, Failed, Message, Record, Reply, Said
from farebox.engine.transaction import IDEMPOTENCY_KEPT_MS, Command, Transaction
from farebox.store.contract import ConstraintBrokenError, StoreFaultError, Writer

IDLE_MS_MAX = 1_000
# Many periods end at one midnight: what waits to be recorded gets its turn in between.
DUES_PER_COMMIT_MAX = 250
log = logging.getLogger("farebox.recorder")
RECORDER_ACTOR = "farebox"


class _Due(NamedTuple):
    profile_id: int
    due_ms: int


class _Idempotent(NamedTuple):
    fingerprint: bytes
    answer: str


class _Session:
    """An open database, and what is remembered of it; dropped whole after a fault."""

    def __init__(self, db: Writer) -> None:
        self.db = db
        self.books = Books(db)
        self.days = Days(db)
        self.last_commit_id = db.integer("commits_last")
        self.building = set(self.days.building())
        self.dues = [(row.due_ms, row.profile_id) for row in db.rows("dues", _Due)]
        heapq.heapify(self.dues)

    def forget(self) -> None:
        """After a rollback: memory may be ahead of the database."""
        self.books.forget()
        self.days.forget()


class Recorder:
    """Handles messages one group at a time. Not to be shared between threads."""

    def __init__(
        self,
        open_writer: Callable[[], Writer],
        clock: Clock,
        entropy: Entropy,
        commands: Mapping[str, Command],
    ) -> None:
        self._open_writer = open_writer
        self._clock = clock
        self._entropy = entropy
        self._commands = commands
        self._session: _Session | None = None

    def handle(self, messages: Sequence[Message]) -> list[Reply]:
        """Replies to messages, in their order; all of it is durable when they are returned."""
        replies: list[Reply] = []
        for _, group in groupby(messages, key=type):
            records: list[Record] = []
            for message in group:
                if isinstance(message, Record):
                    records.append(message)
                else:
                    replies.extend(self._failing([message], partial(self._call, message)))
            if records:
                replies.extend(self._failing(records, partial(self._record, records)))
        return replies

    def tick(self) -> int:
        """Do what time alone demands; milliseconds until that is so again."""
        try:
            return self._tick()
        except StoreFaultError as error:
            log.error("the store failed, everything open is dropped: %s", error)  # noqa: TRY400
        except Exception:
            # It must not end the process: whoever records has nothing to do with it.
            log.exception("what time demanded could not be done")
        self.close()
        return IDLE_MS_MAX

    def close(self) -> None:
        """Close the database; the next message opens it again."""
        session, self._session = self._session, None
        if session is not None:
            session.db.close()

    def _record(self, records: list[Record]) -> list[Reply]:
        try:
            return self._commit(records, insert_together)
        except StoreFaultError:
            raise
        except Exception as error:
            if len(records) == 1 and not isinstance(error, ConstraintBrokenError):
                raise
            self._undo()
        if len(records) == 1:
            return self._commit(records, insert_singly)
        half = len(records) // 2
        return [
            reply
            for part in (records[:half], records[half:])
            for reply in self._failing(part, partial(self._record, part))
        ]

    def _commit(self, records: list[Record], insert: Insert) -> list[Reply]:
        session = self._opened()
        now_ms = self._clock.now_ms()
        commit_id = session.last_commit_id + 1
        session.db.begin()
        outcomes = write_batch(
            session.db,
            session.books,
            session.days,
            records,
            commit_id,
            now_ms,
            insert=insert,
        )
        self._finish(session, commit_id, now_ms)
        return list(outcomes)

    def _call(self, call: Call) -> list[Reply]:
        command = self._commands[call.name]
        arguments = msgspec.msgpack.decode(call.arguments, type=command.arguments)
        session = self._opened()
        now_ms = self._clock.now_ms()
        commit_id = session.last_commit_id + 1
        session.db.begin()
        session.books.start_commit()
        tx = Transaction(
            session.db, session.books, session.days, self._entropy, now_ms, call.actor, commit_id
        )
        fingerprint = content_digest(call.name.encode() + b"\0" + call.arguments)
        answer = _repeated(session.db, call, fingerprint)
        if answer is None:
            result = command.run(tx, arguments)
            answer = msgspec.msgpack.encode(result)
            kept = command.without_secret(result) if command.without_secret else result
            _remember(session.db, call, fingerprint, kept, now_ms)
            session.db.execute("commits_insert", commit_id=commit_id, at_ms=now_ms)
            self._finish(session, commit_id, now_ms)
            if tx.rezoned:
                session.days.forget()
                session.building = set(session.days.building())
        else:
            session.db.rollback()
        return [Answered(call.call_id, answer, session.db.integer("changes_last"))]

    def _finish(self, session: _Session, commit_id: int, now_ms: int) -> None:
        """Announce plans that changed with their period, commit, and note what is due next."""
        for profile_id in sorted(session.books.replanned):
            _announce(session.db, "take_next_plan", "workspace", profile_id, now_ms)
        session.db.commit()
        session.last_commit_id = commit_id
        session.books.replanned.clear()
        for due in session.books.take_dues():
            heapq.heappush(session.dues, due)

    def _failing(self, messages: Sequence[Message], work: Callable[[], list[Reply]]) -> list[Reply]:
        """The replies of some work, or why it failed, to everyone who waits for it."""
        try:
            return work()
        except FareboxError as error:
            self._undo()
            params = {name: _said(value) for name, value in error.params.items()}
            return [Failed(m.call_id, error.kind.code, params, error.internal) for m in messages]
        except StoreFaultError as error:
            log.error("the store failed, everything open is dropped: %s", error)  # noqa: TRY400
            self.close()
            return [Failed(m.call_id, STORE_UNAVAILABLE.code, {}, str(error)) for m in messages]
        except Exception as error:
            # Whatever it was, nobody may wait for ever.
            log.exception("a message failed")
            self._undo()
            internal = f"{type(error).__name__}: {error}"
            return [Failed(m.call_id, INTERNAL.code, {}, internal) for m in messages]

    def _undo(self) -> None:
        """Roll back; if even that fails, drop the connection."""
        if self._session is None:
            return
        try:
            self._session.db.rollback()
            self._session.forget()
        except StoreFaultError:
            self.close()

    def _opened(self) -> _Session:
        if self._session is None:
            db = self._open_writer()
            try:
                self._session = _Session(db)
            except BaseException:
                db.close()
                raise
        return self._session

    def _tick(self) -> int:
        session = self._opened()
        now_ms = self._clock.now_ms()
        if session.dues and session.dues[0][0] <= now_ms:
            self._pass_dues(session, now_ms)
            return 0
        if session.building:
            self._build_days(session, min(session.building), now_ms)
            return 0
        if not session.dues:
            return IDLE_MS_MAX
        return max(0, min(IDLE_MS_MAX, session.dues[0][0] - now_ms))

    def _pass_dues(self, session: _Session, now_ms: int) -> None:
        commit_id = session.last_commit_id + 1
        session.db.begin()
        session.books.start_commit()
        for _ in range(DUES_PER_COMMIT_MAX):
            if not session.dues or session.dues[0][0] > now_ms:
                break
            _, profile_id = heapq.heappop(session.dues)
            session.books.pass_dues(profile_id, commit_id, now_ms)
        session.db.execute("commits_insert", commit_id=commit_id, at_ms=now_ms)
        self._finish(session, commit_id, now_ms)

    def _build_days(self, session: _Session, profile_id: int, now_ms: int) -> None:
        session.db.begin()
        if session.days.step(profile_id):
            _announce(session.db, "switch_zone", "workspace", profile_id, now_ms)
        session.db.commit()
        session.building = set(session.days.building())


def _repeated(db: Writer, call: Call, fingerprint: bytes) -> bytes | None:
    """The first answer to a call with this Idempotency-Key, if there was one."""
    if call.idempotency_key is None:
        return None
    found = db.one(
        "idempotency_get",
        _Idempotent,
        actor=call.actor,
        idempotency_key=call.idempotency_key,
    )
    if found is None:
        return None
    if found.fingerprint != fingerprint:
        raise FareboxError(IDEMPOTENCY_MISMATCH)
    return msgspec.msgpack.encode(msgspec.json.decode(found.answer))


def _remember(
    db: Writer, call: Call, fingerprint: bytes, answer: msgspec.Struct, now_ms: int
) -> None:
    if call.idempotency_key is not None:
        db.execute("idempotency_forget", before_ms=now_ms - IDEMPOTENCY_KEPT_MS)
        db.execute(
            "idempotency_insert",
            actor=call.actor,
            idempotency_key=call.idempotency_key,
            fingerprint=fingerprint,
            answer=msgspec.json.encode(answer).decode(),
            at_ms=now_ms,
        )


def _announce(db: Writer, action: str, kind: str, profile_id: int, now_ms: int) -> None:
    db.execute(
        "changes_insert",
        at_ms=now_ms,
        actor=RECORDER_ACTOR,
        action=action,
        kind=kind,
        ref=str(profile_id),
        profile_id=profile_id,
        detail="{}",
    )


def _said(value: object) -> str | int | Said | None:
    if isinstance(value, Phrase):
        params = {k: v if isinstance(v, int) else str(v) for k, v in value.params.items()}
        return Said(value.msgid, params)
    return value if isinstance(value, str | int | None) else str(value)
