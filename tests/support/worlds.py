"""Worlds: a harness that a test may break, with commands of its own and a disk that may fail.

Unless a test asks for full sync, commits here are not synced: what is tested then is the logic,
and a commit costs no wait. `reopen` gives a new recorder on the same file, as after a restart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, cast

import apsw
import msgspec

from farebox.core.identity import content_digest, pack_identity, query_log_id
from farebox.core.request import Channel, MeteredRequest
from farebox.engine.clock import Clock
from farebox.engine.link import failure
from farebox.engine.messages import Answered, Call, Failed, Message, Record, Recorded, Reply
from farebox.engine.recorder import Recorder
from farebox.engine.transaction import Command, Transaction
from farebox.service.commands import COMMANDS
from farebox.store.contract import Writer
from farebox.store.sqlite.database import SqliteDatabase, open_writer
from tests.support.harness import START_MS, Harness
from tests.support.homes import Home, SqliteHome

MICRO = 1_000_000


class Give(msgspec.Struct):
    """Credits for a workspace."""

    profile_id: int
    credits_micro: int
    expires_at_ms: int | None = None
    priority: int = 0


class Correct(msgspec.Struct):
    """A correction: above 0 it charges more, below 0 it gives back."""

    profile_id: int
    signed_micro: int


class Made(msgspec.Struct):
    """The number of what a command made, if it has one."""

    number: int = 0


def _give(tx: Transaction, give: Give) -> Made:
    grant_id = tx.books.grant(
        give.profile_id,
        "topup",
        give.credits_micro,
        tx.commit_id,
        tx.now_ms,
        expires_at_ms=give.expires_at_ms,
        priority=give.priority,
    )
    return Made(grant_id)


def _correct(tx: Transaction, correct: Correct) -> Made:
    tx.books.correct(correct.profile_id, correct.signed_micro, tx.commit_id, tx.now_ms)
    return Made()


TEST_COMMANDS = {
    command.name: command
    for command in (Command("test.give", Give, _give), Command("test.correct", Correct, _correct))
}


class People(NamedTuple):
    """Who is in a populated world: two workspaces, two keys of each, two log types."""

    profile_ids: tuple[int, int]
    key_ids: tuple[tuple[str, str], tuple[str, str]]
    log_type_ids: tuple[int, int]


class World(Harness):
    """A harness with what a fault needs."""

    def __init__(
        self,
        home: Home | Path,
        *,
        seed: int = 0,
        now_ms: int = START_MS,
        vfs: str | None = None,
        synchronous: str = "off",
        checkpoint_pages: int | None = None,
        commands: Mapping[str, Command] | None = None,
    ) -> None:
        self.vfs = vfs
        self.synchronous = synchronous
        self.checkpoint_pages = checkpoint_pages
        self.commands = {**COMMANDS, **TEST_COMMANDS, **(commands or {})}
        super().__init__(home, seed=seed, now_ms=now_ms)

    def open_store(self) -> Writer:
        """The writing connection of this world."""
        if not isinstance(self.home, SqliteHome):
            return self.home.open_writer()
        writer = open_writer(self.path, vfs=self.vfs)
        writer.connection.pragma("synchronous", self.synchronous)
        if self.checkpoint_pages is not None:
            writer.connection.pragma("wal_autocheckpoint", self.checkpoint_pages)
        return writer

    def new_recorder(self, clock: Clock) -> Recorder:
        """A recorder that has not opened the database yet."""
        return Recorder(self.open_store, clock, self.entropy, self.commands, steady=clock.now_ms)

    def reopen(self, clock: Clock | None = None) -> None:
        """Restart: the recorder is closed in good order, and a new one takes its place."""
        self.recorder.end()
        self.recorder = self.new_recorder(clock or self.clock)

    def handle(self, *messages: Message) -> list[Reply]:
        """The replies to one group of messages."""
        return self.recorder.handle(messages)

    def run(self, name: str, arguments: msgspec.Struct) -> int:
        """Run a command of tests; the number of what it made.

        Raises:
            FareboxError: why it was refused.
        """
        (reply,) = self.handle(Call(0, name, msgspec.msgpack.encode(arguments), "test"))
        if isinstance(reply, Failed):
            raise failure(reply)
        assert isinstance(reply, Answered)
        self.directory.refresh(self.reader)
        return msgspec.msgpack.decode(reply.answer, type=Made).number

    def give(
        self,
        profile_id: int,
        credits_micro: int,
        *,
        expires_at_ms: int | None = None,
        priority: int = 0,
    ) -> int:
        """Give a workspace credits; the grant's id."""
        return self.run("test.give", Give(profile_id, credits_micro, expires_at_ms, priority))

    def correct(self, profile_id: int, signed_micro: int) -> None:
        """Correct a workspace's charges."""
        self.run("test.correct", Correct(profile_id, signed_micro))

    def populate(self) -> People:
        """Make who the tests speak of."""
        first, second = self.workspace(), self.workspace(name="Bolt", timezone="Asia/Kathmandu")
        slugs = ("people_search", "company_search")
        return People(
            (first, second),
            ((self.key(first), self.key(first)), (self.key(second), self.key(second))),
            cast("tuple[int, int]", tuple(self.log_type(slug) for slug in slugs)),
        )

    def balance_micro(self, profile_id: int) -> int:
        """What a workspace has by the ledger: its grants, drawn or not, less its overdraft."""
        ((balance,),) = self.select(
            "select coalesce(sum(credits_micro - debits_micro), 0) from accounts"
            " where profile_id = ? and (account like 'grant:%' or account like 'drawn:%'"
            " or account = 'overdraft')",
            profile_id,
        )
        return cast("int", balance)

    def copy_to(self, folder: Path) -> None:
        """Copy the database as it is to another folder."""
        copy = apsw.Connection(str(folder / self.path.name))
        assert isinstance(self.reader, SqliteDatabase)
        with copy.backup("main", self.reader.connection, "main") as backup:
            backup.step()
        copy.close()


def record(*rows: MeteredRequest, call_id: int = 0, is_import: bool = False) -> Record:
    """A message with some requests."""
    return Record(call_id, list(rows), [], is_import)


def request(
    profile_id: int,
    request_id: str,
    *,
    key_id: str = "key",
    source: str = "",
    content: str = "",
    log_type_id: int = 0,
    channel: Channel = "api",
    credits_micro: int = 0,
    time_ms: int = START_MS,
    salt: bytes = b"",
    status_code: int | None = 200,
) -> MeteredRequest:
    """A request made of its id alone, so that a retry has the same content.

    `salt` stands for the chance in a retry's `query_log_id`.
    """
    chance = content_digest(f"{profile_id} {source} {request_id}".encode() + salt)
    return MeteredRequest(
        profile_id,
        pack_identity(source, request_id),
        content_digest(content.encode() or request_id.encode()),
        query_log_id(time_ms, chance[:10]),
        time_ms,
        key_id,
        log_type_id,
        channel,
        credits_micro,
        "GET",
        "/people",
        status_code,
        12,
        345,
        "192.0.2.1",
        "x-api-key",
    )


def counts(reply: Reply, rows: Sequence[MeteredRequest] | int) -> tuple[int, int, int, int]:
    """Of a record's reply: accepted, duplicates, conflicts, rejected."""
    assert isinstance(reply, Recorded), reply
    total = rows if isinstance(rows, int) else len(rows)
    others = (len(reply.duplicates), len(reply.conflicts), len(reply.rejected))
    return (total - sum(others), *others)
