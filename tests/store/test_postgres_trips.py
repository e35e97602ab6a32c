"""What a transaction costs on the way to PostgreSQL, and what is left when it breaks there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from farebox.core.errors import INVALID_REQUEST, FareboxError
from farebox.store.contract import ConstraintBrokenError, Locks, StoreFaultError
from farebox.store.postgres.database import COMMIT_IDS_TAKEN, PostgresDatabase
from tests.store.test_contract import CONTENT, change, request_row
from tests.support.stores import PostgresStore


class Seen(NamedTuple):
    """A row with one column."""

    value: int


@pytest.fixture
def other(postgres: PostgresStore) -> Iterator[PostgresDatabase]:
    """Another node's writer."""
    opened = postgres.open_writer()
    yield opened
    opened.close()


def put_all(database: PostgresDatabase, commit_id: int) -> None:
    """Send what a record's transaction sends."""
    number = commit_id * 10
    database.send("commits_insert", commit_id=commit_id, at_ms=0)
    database.send_many("requests_insert", [request_row(number), request_row(number + 1, 2**40)])
    database.send_many("quarters_add", [(1, 1, "k", 1, "api", 2, 10, 9)])
    database.send_many("accounts_add", [(1, "grant:1", 0, 5), (1, "spent", 0, 5)])


def test_a_transaction_that_reads_once_and_then_writes_goes_twice(
    database: PostgresDatabase,
) -> None:
    # The first has statements to prepare and months to make: that costs no way more.
    for number in range(3):
        before = database.round_trips
        database.begin(Locks(is_alone=False, exclusive=(1, 2), shared=(3,)))
        claimed = database.ask_many("identities_insert", [(1, b"i", CONTENT)])
        last = database.ask("grant_last", Seen, profile_id=1)
        assert database.rows("zones_building", Seen) == []
        assert len(last.rows()) == 1
        assert claimed.count() == (not number)
        put_all(database, database.commit_id())
        database.commit()
        assert database.round_trips - before == 2


def test_a_transaction_that_only_writes_goes_once_and_takes_its_id_with_the_last(
    database: PostgresDatabase,
) -> None:
    database.begin()
    put_all(database, database.commit_id())
    database.commit()
    before = database.round_trips
    database.begin()
    put_all(database, database.commit_id())
    database.commit()
    assert database.round_trips - before == 1


def test_ids_of_commits_come_in_blocks_and_no_other_node_has_them(
    database: PostgresDatabase, other: PostgresDatabase
) -> None:
    found: dict[int, list[int]] = {0: [], 1: []}
    for _ in range(COMMIT_IDS_TAKEN + 1):
        for index, writer in enumerate((database, other)):
            found[index].append(writer.commit_id())
    for ids in found.values():
        assert ids == sorted(ids)
    assert len({*found[0], *found[1]}) == 2 * (COMMIT_IDS_TAKEN + 1)
    assert database.round_trips - other.round_trips == 0


def test_ids_that_nobody_needed_are_not_taken_again_and_again(database: PostgresDatabase) -> None:
    for _ in range(5):
        database.begin()
        database.rollback()
    assert database.commit_id() == 1


def test_a_statement_that_fails_takes_those_after_it_with_it(database: PostgresDatabase) -> None:
    database.begin()
    database.send("commits_insert", commit_id=1, at_ms=0)
    database.send("commits_insert", commit_id=1, at_ms=0)
    # Prepared behind the failure, and so never prepared at all.
    database.send_many("identities_insert", [(1, b"a", CONTENT)])
    with pytest.raises(ConstraintBrokenError, match="23505 duplicate key value"):
        database.integer("commits_last")
    database.rollback()
    database.begin()
    assert database.execute_many("identities_insert", [(1, b"a", CONTENT)]) == 1
    database.commit()
    assert not database.has_failed


def test_a_commit_after_a_failure_is_never_taken_for_one(database: PostgresDatabase) -> None:
    database.begin()
    with pytest.raises(ConstraintBrokenError):
        database.execute("commits_insert", commit_id=1, at_ms=2**63)
    with pytest.raises(StoreFaultError, match="had failed before its commit"):
        database.commit()


def test_what_is_said_of_a_broken_rule_holds_nothing_of_the_row(database: PostgresDatabase) -> None:
    with pytest.raises(ConstraintBrokenError) as told:
        database.execute_many("identities_insert", [(1, b"secret", b"short")])
    assert "secret" not in str(told.value)
    assert "short" not in str(told.value)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ((1, b"i", "no bytes"), "not of its column"),
        ((1, b"i", 5), "not of its column"),
        (("1", b"i", CONTENT), "not of its column"),
        ((2**63, b"i", CONTENT), "not of its column"),
    ],
)
def test_a_value_of_another_kind_is_the_rows_fault(
    database: PostgresDatabase, row: tuple[int, bytes, bytes], words: str
) -> None:
    with pytest.raises(ConstraintBrokenError, match=words):
        database.send_many("identities_insert", [row])
    assert database.value("commits_last") is None


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_a_text_that_postgresql_cant_hold_is_the_rows_fault_and_whoever_sent_it_is_told(
    database: PostgresDatabase, text: str
) -> None:
    with pytest.raises(ConstraintBrokenError) as caught:
        database.execute("changes_insert", detail="{}", **{**change("a"), "actor": text})
    assert isinstance(caught.value, FareboxError)
    assert caught.value.kind is INVALID_REQUEST
    with pytest.raises(ConstraintBrokenError):
        database.execute_many("captures_insert", [(1, bytes(16), text, "", "")])
    assert database.value("changes_last") is None
    assert not database.has_failed
