"""The recorder: the only writer of a database. Messages in, replies out, nothing in between.

All records that wait are committed together (group commit): identity, log row, rollups, ledger and
commit in one transaction with full sync; replies follow the commit, never precede it. A call runs
alone in its own transaction.

Failures: a broken constraint rolls back, then the halves of the group are tried, and so on down
to single records and their rows, so that a bad row is rejected and spoils no other.
After a failure of the store the outcome is unknown: everyone waiting is told 503, the connection
is closed and all memory dropped before the next commit.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from itertools import groupby

import msgspec

from farebox.core.errors import (
    INTERNAL,
    ROW_REFUSED,
    STORE_UNAVAILABLE,
    FareboxError,
)
from farebox.core.phrase import Phrase
from farebox.engine.batch import (
    halves,
    joined,
    write_batch,
)
from farebox.engine.clock import Ahead, Clock, boot_ms
from farebox.engine.entropy import Entropy
from farebox.engine.messages import (
    Answered,
    Call,
    Draw,
    Drawn,
    Failed,
    Message,
    NodeTold,
    Record,
    Recorded,
    Reply,
    Said,
    Void,
    Voided,
)
from farebox.engine.node_mark import NodeMark
from farebox.engine.nodes import LEFT, RENEW_MS
from farebox.engine.read_ahead import Scope
from farebox.engine.scopes import in_order, scope_of_moves, scope_of_records
from farebox.engine.session import Session
from farebox.engine.transaction import Command, Transaction
from farebox.store.contract import ConstraintBrokenError, StoreFaultError, Writer

IDLE_MS_MAX = 1_000
# A process may trust its memory by a renewal of its node that began so long ago: others wait longer
# than this and the trust together.
RENEWED_MS_MAX = 1_000
log = logging.getLogger("farebox.recorder")


class Recorder:
    """Handles messages one group at a time. Not to be shared between threads."""

    def __init__(
        self,
        open_writer: Callable[[], Writer],
        clock: Clock,
        entropy: Entropy,
        commands: Mapping[str, Command],
        *,
        steady: Callable[[], int] = boot_ms,
        mark: NodeMark | None = None,
    ) -> None:
        self._open_writer = open_writer
        self._clock = clock
        self._entropy = entropy
        self._commands = commands
        self._steady = steady
        self._ahead = Ahead(clock)
        self._session: Session | None = None
        # The node that the session is, or the last one was.
        self._node_id = mark.read() if mark else 0
        self._mark = mark
        self._renewed_ms = 0
        # Without the round trips of the session that is open.
        self._told = NodeTold(0, 0, 0, 0)

    def handle(self, messages: Sequence[Message]) -> list[Reply]:
        """Replies to messages, in their order; all of it is durable when they are returned."""
        replies: list[Reply] = []
        for _, group in groupby(messages, key=_kind):
            records: list[Record] = []
            moves: list[Draw | Void] = []
            for message in group:
                if isinstance(message, Record):
                    records.append(message)
                elif isinstance(message, Call):
                    replies.extend(self._failing([message], partial(self._call, message)))
                else:
                    moves.append(message)
            if records:
                replies.extend(self._failing(records, partial(self._record, records)))
            if moves:
                moved = self._failing(moves, partial(self._move, moves))
                replies.extend(map(self._telling, moves, moved))
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

    def hang_up(self, lease_id: int) -> None:
        """Note that the process of a lease has gone."""
        if self._session is not None:
            self._session.leases.hang_up(lease_id)

    def end(self) -> None:
        """Close the database for good."""
        if self._session is not None and not self._session.db.is_alone:
            with suppress(StoreFaultError):
                self._session.nodes.leave()
        self.close()

    def close(self) -> None:
        """Close the database; the next message opens it again."""
        session, self._session = self._session, None
        if session is not None:
            self._told = _with_trips(self._told, session)
            session.db.close()

    def _record(self, records: list[Record]) -> list[Reply]:
        try:
            return list(self._commit(records))
        except StoreFaultError:
            raise
        except Exception as error:
            if len(records) == 1 and not isinstance(error, ConstraintBrokenError):
                raise
            self._undo()
        if len(records) == 1:
            return [self._record_halves(records[0])]
        half = len(records) // 2
        return [
            reply
            for part in (records[:half], records[half:])
            for reply in self._failing(part, partial(self._record, part))
        ]

    def _record_halves(self, record: Record) -> Recorded:
        """Half by half, down to the rows that break a rule."""
        if len(record.rows) == 1:
            return Recorded(record.call_id, 0, [], [], [(0, ROW_REFUSED.code)])
        first, second = halves(record)
        return joined(self._record_one(first), self._record_one(second), len(first.rows))

    def _record_one(self, record: Record) -> Recorded:
        try:
            (outcome,) = self._commit([record])
        except ConstraintBrokenError:
            self._undo()
            return self._record_halves(record)
        return outcome

    def _commit(self, records: list[Record]) -> list[Recorded]:
        session = self._opened()
        now_ms = self._clock.now_ms()

        def work(commit_id: int) -> list[Recorded]:
            outcomes = write_batch(session, records, commit_id, now_ms)
            session.commit(commit_id, now_ms)
            return outcomes

        scope = Scope() if session.db.is_alone else scope_of_records(records)
        return session.run(scope, work)

    def _move(self, moves: list[Draw | Void]) -> list[Reply]:
        """What the gates of all processes ask for, in one commit."""
        session = self._opened()
        # A process must not be ahead of the recorder: what it asks for is decided at its instant.
        self._ahead.follow(max((m.now_ms for m in moves if isinstance(m, Draw)), default=0))
        if not session.db.is_alone and self._steady() - self._renewed_ms > RENEWED_MS_MAX:
            # They trust their memory by this: so this node must be one still, and they must hear
            # what others have ended of theirs.
            self._renew(session)
        now_ms = self._clock.now_ms()
        if all(isinstance(m, Draw) and session.is_idle(m) for m in moves):
            return [session.teller.renewed(m, now_ms) for m in moves if isinstance(m, Draw)]
        if session.db.is_alone:
            self._pass_dues(session, now_ms)

        def work(commit_id: int) -> list[Reply]:
            wants = [w for m in moves if isinstance(m, Draw) for w in m.wants]
            if not session.db.is_alone:
                session.supplier.read_ahead(wants, commit_id, now_ms)
            replies = {id(m): self._moved(session, m, commit_id, now_ms) for m in in_order(moves)}
            session.db.send("commits_insert", commit_id=commit_id, at_ms=now_ms)
            session.commit(commit_id, now_ms)
            return [replies[id(move)] for move in moves]

        scope = Scope() if session.db.is_alone else scope_of_moves(moves, session.draws)
        return session.run(scope, work)

    def _moved(
        self, session: Session, move: Draw | Void, commit_id: int, now_ms: int
    ) -> Drawn | Voided:
        if isinstance(move, Void):
            return session.teller.void(move, commit_id, now_ms)
        if session.teller.is_idle(move):
            return session.teller.renewed(move, now_ms)
        return session.teller.draw(move, commit_id, now_ms)

    def _call(self, call: Call) -> list[Reply]:
        command = self._commands[call.name]
        arguments = msgspec.msgpack.decode(call.arguments, type=command.arguments)
        session = self._opened()
        now_ms = self._clock.now_ms()
        if command.passes_dues and not session.db.is_alone:
            session.read_dues(now_ms)
        if command.passes_dues or session.db.is_alone:
            self._pass_dues(session, now_ms)
        commit_id = session.begin_alone()
        tx = Transaction(
            session.db, session.books, session.zones, self._entropy, now_ms, call.actor, commit_id
        )
        answer = session.answers.first(call)
        if answer is None:
            result = command.run(tx, arguments)
            answer = msgspec.msgpack.encode(result)
            kept = command.without_secret(result) if command.without_secret else result
            session.answers.keep(call, kept, now_ms)
            session.db.send("commits_insert", commit_id=commit_id, at_ms=now_ms)
            session.changed()
            session.commit(commit_id, now_ms)
            if tx.rezoned:
                session.read_building()
        else:
            session.db.rollback()
        return [Answered(call.call_id, answer, session.db.integer("changes_last"))]

    def _pass_dues(self, session: Session, now_ms: int) -> None:
        """Let end what has ended by now: by the terms that were valid then, not by new ones."""
        try:
            while session.has_due(now_ms):
                session.pass_dues(now_ms)
        except Exception:
            # What was due is no longer remembered; a new session reads it again.
            self.close()
            raise

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
            self._session.undo()
        except StoreFaultError:
            self.close()

    def _opened(self) -> Session:
        if self._session is None:
            db = self._open_writer()
            try:
                self._session = Session(db, self._entropy, self._clock.now_ms(), self._node_id)
                self._node_id = self._session.nodes.node_id
                if self._mark:
                    self._mark.write(self._node_id)
            except BaseException:
                db.close()
                raise
        return self._session

    def _tick(self) -> int:
        session = self._opened()
        now_ms = self._clock.now_ms()
        if not session.db.is_alone and self._steady() - self._renewed_ms >= RENEW_MS:
            self._renew(session)
        session.recalls.forget_old(now_ms)
        session.tally.forget_old(now_ms)
        due = session.leases.due(now_ms, self._ahead.by_itself_ms)
        if due.silent or due.over:
            session.pass_leases(due, now_ms)
            return 0
        if heard := session.ends.to_forget(now_ms):
            session.forget_ends(heard, now_ms)
        litter = session.leases.litter(now_ms)
        if litter.closed or litter.empty:
            session.sweep(litter, now_ms)
            return 0
        return self._do_for_all(session, now_ms)

    def _do_for_all(self, session: Session, now_ms: int) -> int:
        """What one node of all does; milliseconds until it is so again."""
        idle_ms = IDLE_MS_MAX if session.db.is_alone else RENEW_MS
        if not session.nodes.is_first:
            return idle_ms
        if session.has_due(now_ms):
            session.pass_dues(now_ms)
            return 0
        if session.building:
            session.build_days(now_ms)
            return 0
        return idle_ms if session.due_ms is None else min(idle_ms, session.due_ms - now_ms)

    def _renew(self, session: Session) -> None:
        """Tell the other nodes that this one is there, and take what they tell."""
        began_ms = self._steady()
        now_ms = self._clock.now_ms()
        renewal = session.nodes.renew(now_ms, began_ms, session.tally.tell_nodes())
        self._renewed_ms = began_ms
        self._ahead.follow(renewal.ahead_ms)
        session.recalls.note(renewal.recalled, now_ms)
        session.ends.note(renewal.ended)
        self._told = self._told._replace(renewals=self._told.renewals + 1)
        for gone in renewal.silent:
            if session.adopt(gone, now_ms) and gone.renewals != LEFT:
                log.warning("node %d is silent, its leases are over", gone.node_id)
                self._told = self._told._replace(nodes_ended=self._told.nodes_ended + 1)

    def _telling(self, message: Message, reply: Reply) -> Reply:
        """A reply to a process that renews: with what reservations elsewhere hold by now.

        And with what this node has done, for its metrics.
        """
        session = self._session
        if session is None or not isinstance(message, Draw) or not isinstance(reply, Drawn):
            return reply
        node = None if session.db.is_alone else _with_trips(self._told, session)
        if reply.is_ended:
            return msgspec.structs.replace(reply, node=node)
        session.tally.hear(message.lease_id, message.holdings)
        holdings, are_first = session.tally.tell(message.lease_id, reply.now_ms)
        return msgspec.structs.replace(reply, node=node, holdings=holdings, are_first=are_first)


def _with_trips(told: NodeTold, session: Session) -> NodeTold:
    trips = told.round_trips + session.db.round_trips
    return told._replace(node_id=session.nodes.node_id, round_trips=trips)


def _kind(message: Message) -> type[Message]:
    """Draws and voids are handled together."""
    return Draw if isinstance(message, Void) else type(message)


def _said(value: object) -> str | int | Said | None:
    if isinstance(value, Phrase):
        params = {k: v if isinstance(v, int) else str(v) for k, v in value.params.items()}
        return Said(value.msgid, params)
    return value if isinstance(value, str | int | None) else str(value)
