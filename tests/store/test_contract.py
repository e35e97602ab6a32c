"""What every engine promises: errors told apart, one snapshot, bounded queries, whole rows."""

from __future__ import annotations

import threading
from typing import NamedTuple

import pytest

from farebox.engine.claims import Identity
from farebox.engine.known import json_identities
from farebox.store.contract import ConstraintBrokenError, QueryTimeoutError, StoreFaultError
from tests.support.recorders import until
from tests.support.stores import Opened, Store

ENDLESS = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n"
CONTENT = b"c" * 16


class Commit(NamedTuple):
    """A row of commits."""

    commit_id: int


class Change(NamedTuple):
    """A row of changes."""

    change_id: int
    kind: str
    ref: str
    profile_id: int | None


def add_commit(database: Opened, commit_id: int) -> None:
    database.begin()
    database.execute("commits_insert", commit_id=commit_id, at_ms=0)
    database.commit()


def change(ref: str) -> dict[str, str | int | None]:
    """The parameters of a change, less its detail."""
    return {
        "at_ms": 1,
        "actor": "a",
        "action": "b",
        "kind": "c",
        "ref": ref,
        "profile_id": None,
    }


def request_row(number: int, time_ms: int = 0) -> tuple[str | int | bytes | None, ...]:
    """A row of the log, with nulls, as the recorder writes it."""
    query_log_id = time_ms.to_bytes(6) + number.to_bytes(10)
    row = (1, query_log_id, time_ms, "k", 1, "api", 5, "GET", "/a%b", None, 7, None, None, None)
    return (*row, 1)


def test_a_broken_constraint_is_the_rows_fault(writer: Opened) -> None:
    add_commit(writer, 1)
    writer.begin()
    with pytest.raises(ConstraintBrokenError):
        writer.execute("commits_insert", commit_id=1, at_ms=0)
    writer.rollback()
    assert not writer.has_failed
    add_commit(writer, 2)
    assert writer.integer("commits_last") == 2


@pytest.mark.parametrize("too_large", [2**63, -(2**63) - 1, 2**80])
def test_a_number_beyond_64_bits_is_the_rows_fault(writer: Opened, too_large: int) -> None:
    writer.begin()
    with pytest.raises(ConstraintBrokenError):
        writer.execute("commits_insert", commit_id=1, at_ms=too_large)
    writer.rollback()
    writer.begin()
    with pytest.raises(ConstraintBrokenError):
        writer.execute_many("transfers_insert", [(1, 1, 1, too_large, "grant", "a", "b", 1)])
    writer.rollback()
    add_commit(writer, 1)


def test_text_that_should_be_json_and_isnt_is_the_rows_fault(writer: Opened) -> None:
    writer.begin()
    with pytest.raises(ConstraintBrokenError):
        writer.execute("changes_insert", detail="{", **change("a"))
    writer.rollback()
    writer.begin()
    writer.execute("changes_insert", detail="{}", **change("a"))
    writer.commit()


def test_what_is_sent_fails_with_the_commit_at_the_latest(writer: Opened) -> None:
    add_commit(writer, 1)
    writer.begin()
    with pytest.raises(ConstraintBrokenError):  # noqa: PT012 - either may tell
        writer.send("commits_insert", commit_id=2, at_ms=0)
        writer.send("commits_insert", commit_id=1, at_ms=0)
        writer.commit()
    writer.rollback()
    assert writer.integer("commits_last") == 1
    add_commit(writer, 3)


def test_an_account_never_loses_more_than_it_has(writer: Opened) -> None:
    """The rule holds for its sum, not for what a commit adds: that may be below zero."""
    for added in ([(1, "grant:1", 2, 5), (1, "spent", 0, 2)], [(1, "grant:1", 3, 0)]):
        writer.begin()
        writer.send_many("accounts_add", added)
        writer.commit()
    for added in ([(1, "grant:1", 1, 0)], [(1, "grant:2", 1, 0)], [(1, "spent", 2**63 - 1, 0)] * 2):
        writer.begin()
        with pytest.raises(ConstraintBrokenError):  # noqa: PT012 - either may tell
            for row in added:
                writer.send_many("accounts_add", [row])
            writer.commit()
        writer.rollback()


def test_a_savepoint_undoes_what_came_after_it(writer: Opened) -> None:
    writer.begin()
    writer.execute("commits_insert", commit_id=1, at_ms=0)
    writer.savepoint()
    writer.execute("commits_insert", commit_id=2, at_ms=0)
    writer.rollback_to_savepoint()
    assert writer.integer("commits_last") == 1
    writer.savepoint()
    writer.execute("commits_insert", commit_id=3, at_ms=0)
    writer.release_savepoint()
    writer.commit()
    assert writer.integer("commits_last") == 3


def test_a_savepoint_survives_a_broken_constraint(writer: Opened) -> None:
    writer.begin()
    writer.send("commits_insert", commit_id=1, at_ms=0)
    writer.savepoint()
    with pytest.raises(ConstraintBrokenError):
        writer.execute("commits_insert", commit_id=1, at_ms=0)
    writer.rollback_to_savepoint()
    writer.send("commits_insert", commit_id=2, at_ms=0)
    writer.commit()
    assert writer.integer("commits_last") == 2


def test_rolling_back_nothing_is_nothing(writer: Opened) -> None:
    writer.rollback()
    writer.begin()
    writer.rollback()
    writer.rollback()
    assert writer.value("commits_last") is None


def test_what_was_sent_and_rolled_back_never_was(writer: Opened) -> None:
    writer.begin()
    writer.send("commits_insert", commit_id=1, at_ms=0)
    writer.send_many("requests_insert", [request_row(1)])
    writer.rollback()
    assert writer.value("commits_last") is None


def test_what_changed_is_counted(writer: Opened) -> None:
    writer.begin()
    rows = [(1, b"a", CONTENT), (1, b"b", CONTENT), (1, b"a", b"d" * 16)]
    assert writer.execute_many("identities_insert", rows) == 2
    again = writer.ask_many("identities_insert", [*rows, (1, b"c", CONTENT)])
    assert writer.execute_many("identities_insert", rows) == 0
    assert writer.execute_many("identities_insert", []) == 0
    assert [again.count(), again.count()] == [1, 1]
    assert writer.ask_many("identities_insert", []).count() == 0
    assert writer.execute("terms_take_next_plan", profile_id=1) == 0
    asked = json_identities([(1, b"a"), (1, b"x")])
    assert writer.rows("identities_stored", Identity, identities=asked) == [(1, b"a", CONTENT)]
    writer.rollback()


def test_many_rows_keep_their_values_and_nulls(writer: Opened) -> None:
    writer.begin()
    writer.send_many("requests_insert", [])
    writer.send_many("requests_insert", iter([request_row(1), request_row(2)]))
    refused = (1, 2, 3, "k", 429, 5, "hour", 6, "api")
    rows = [
        (*refused, "GET", '/ü%s{"\\,}', None, "[]", None, 0),
        (2, *refused[1:], None, None, "::1", "[]", 2**62, 1),
    ]
    writer.send_many("refusal_log_add", rows)
    writer.commit()

    class Refusal(NamedTuple):
        refusal_id: int
        time_ms: int
        profile_id: int
        key_id: str
        mask: str | None
        status: int
        code: int
        denied_by: str
        log_type_id: int
        slug: str | None
        channel: str
        method: str | None
        path: str | None
        ip: str | None
        limits: str
        retry_at_ms: int | None
        is_shadow: int

    found = writer.rows("refusal_rows", Refusal, refusal_ids="[1, 2]")
    assert [(*row[:1], row.profile_id, *row[11:]) for row in found] == [
        (2, 2, None, None, "::1", "[]", 2**62, 1),
        (1, 2, "GET", '/ü%s{"\\,}', None, "[]", None, 0),
    ]


def test_sums_are_added_to(writer: Opened) -> None:
    class Quarter(NamedTuple):
        quarter: int
        key_id: str
        log_type_id: int
        channel: str
        requests: int
        credits_micro: int
        last_ms: int

    for last_ms in (9, 3):
        writer.begin()
        writer.send_many("quarters_add", [(1, 1, "k", 1, "api", 2, 10, last_ms)])
        writer.commit()
    found = writer.rows("quarters_from", Quarter, profile_id=1, first_quarter=0, end_quarter=9)
    assert found == [Quarter(1, "k", 1, "api", 4, 20, 9)]


def test_one_snapshot_sees_nothing_new(store: Store, writer: Opened) -> None:
    add_commit(writer, 1)
    reader = store.open_reader()
    reader.begin_read()
    assert reader.integer("commits_last") == 1
    add_commit(writer, 2)
    assert reader.integer("commits_last") == 1
    reader.end_read()
    assert reader.integer("commits_last") == 2
    reader.close()


def test_a_reader_writes_nothing(store: Store, writer: Opened) -> None:
    reader = store.open_reader()
    with pytest.raises(StoreFaultError):
        reader.execute("commits_insert", commit_id=1, at_ms=0)
    reader.close()
    with pytest.raises(StoreFaultError, match=r"(?i)closed"):
        reader.integer("commits_last")
    assert writer.value("commits_last") is None


def test_nothing_is_zero_or_none(writer: Opened) -> None:
    assert writer.integer("commits_last") == 0
    assert writer.value("commits_last") is None
    assert writer.one("commits_last", Commit) == Commit(None)  # type: ignore[arg-type] # no rows
    assert writer.one("changes_since", Change, change_id=0) is None
    assert writer.rows("zones_building", Commit) == []


def test_commits_have_ids_of_their_own_that_ascend(writer: Opened) -> None:
    ids = []
    for _ in range(3):
        writer.begin()
        ids.append(writer.commit_id())
        writer.send("commits_insert", commit_id=ids[-1], at_ms=0)
        writer.commit()
    assert ids == sorted(set(ids))
    assert writer.integer("commits_last") == ids[-1]


def test_changes_are_numbered_one_after_the_other(writer: Opened) -> None:
    for ref in "abc":
        writer.begin()
        writer.send("changes_insert", detail="{}", **change(ref))
        writer.rollback() if ref == "b" else writer.commit()
    assert writer.rows("changes_since", Change, change_id=0) == [
        Change(1, "c", "a", None),
        Change(2, "c", "c", None),
    ]


def test_texts_are_in_the_order_of_their_bytes(writer: Opened) -> None:
    for number, slug in enumerate(("b", "a", "Z", "é", "-"), 1):
        writer.script(token_sql(writer, slug, number))

    class Token(NamedTuple):
        token_id: str
        name: str
        scope: str
        digest: bytes
        created_at_ms: int
        revoked_at_ms: int | None

    found = [row.token_id for row in writer.rows("directory_tokens", Token)]
    assert found == ["-", "Z", "a", "b", "é"]


def token_sql(writer: Opened, token_id: str, number: int) -> str:
    """A token; blobs are written in two ways."""
    digest = f"{number:064}"
    blob = f"x'{digest}'" if writer.is_alone else f"'\\x{digest}'"
    return f"insert into tokens values ('{token_id}', 'n', 'meter', {blob}, 0, null)"


def test_a_query_past_its_budget_is_stopped_and_the_next_one_runs(writer: Opened) -> None:
    with pytest.raises(QueryTimeoutError), writer.budget(1):
        writer.script(ENDLESS)
    assert writer.integer("commits_last") == 0
    assert not writer.has_failed


def test_a_query_can_be_stopped_from_another_thread(store: Store, writer: Opened) -> None:
    reader = store.open_reader()
    is_over = threading.Event()

    def stop() -> None:
        # One that comes between two queries is lost.
        while not is_over.wait(0.05):
            reader.interrupt()

    stopping = threading.Thread(target=stop)
    stopping.start()
    with pytest.raises(QueryTimeoutError):
        reader.script(ENDLESS)
    is_over.set()
    stopping.join()
    until(lambda: reader.integer("commits_last") == writer.integer("commits_last"))
    reader.close()
