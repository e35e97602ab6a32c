"""Audit: it agrees with every history that the recorder writes, and names every planted fault."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farebox.core.calendar import QUARTER_MS
from farebox.core.instant import MS_PER_DAY, parse_rfc3339
from farebox.core.invariants import Difference
from farebox.service.audit import (
    AUDITS_KEPT,
    AuditResult,
    audit_data,
    audit_keep,
    run_audit,
)
from farebox.service.audit_findings import DIFFERENCES_SHOWN_MAX
from farebox.service.forms.audit import AuditData
from farebox.store.contract import QueryTimeoutError
from tests.service import audited
from tests.service.faults import FAULTS, Fault
from tests.support import truth
from tests.support.busy import Busy
from tests.support.harness import Harness
from tests.support.homes import ENGINE_DRAWN, ENGINES, Home, Homes, SqliteHome
from tests.support.worlds import World

CHECKS = {
    "commits",
    "workspaces",
    "log",
    "captures",
    "identities",
    "quarters",
    "names",
    "zones",
    "days",
    "day_log_types",
    "day_keys",
    "times",
    "by_commit",
    "charges",
    "history",
    "corrections",
    "transfers",
    "conservation",
    "accounts",
    "grants",
    "overdraft",
    "draws",
    "periods",
}


@pytest.fixture(scope="module", params=ENGINES)
def books(request: pytest.FixtureRequest, homes: Homes) -> Home:
    """A database with one of everything."""
    home = homes.new(request.param)
    with World(home) as world:
        audited.fill(world)
    return home


@pytest.fixture
def copy(books: Home) -> Iterator[Home]:
    """A copy of it that may be spoilt."""
    made = books.copy()
    yield made
    made.close()


def audit(home: Home, *, integrity: bool = False) -> AuditResult:
    reader = home.open_reader()
    try:
        return run_audit(reader, integrity=integrity)
    finally:
        reader.close()


@settings(max_examples=40)
@given(engine=ENGINE_DRAWN, seed=st.integers(0, 2**32))
def test_the_audit_agrees_with_whatever_the_recorder_writes(
    homes: Homes, engine: str, seed: int
) -> None:
    with homes.one(engine) as home, World(home, seed=seed) as world:
        busy = Busy(world, seed)
        for _ in range(3):
            busy.run(25)
            # A zone that has just changed: nothing of its days is built yet, or a part.
            busy.change_zone()
            result = run_audit(world.reader, integrity=True)
            assert result.differences == ()
            world.recorder.tick()
            assert run_audit(world.reader).agrees
            assert truth.differences(world.db) == []


@pytest.mark.parametrize(
    ("timezone", "around"),
    [
        ("Pacific/Apia", "2011-12-30T00:00:00Z"),  # a day that never was
        ("America/St_Johns", "2010-11-07T03:00:00Z"),  # midnight comes twice
        ("Australia/Lord_Howe", "2026-04-04T15:00:00Z"),  # half an hour comes twice
    ],
)
def test_odd_days_are_audited_as_they_are_counted(
    harness: Harness, timezone: str, around: str
) -> None:
    profile_id = harness.workspace(timezone=timezone)
    key_id = harness.key(profile_id)
    around_ms = parse_rfc3339(around)
    quarters = range(around_ms - MS_PER_DAY, around_ms + MS_PER_DAY, QUARTER_MS)
    rows = [harness.row(profile_id, key_id, time_ms=time_ms) for time_ms in quarters]
    harness.record(rows, is_import=True)
    result = run_audit(harness.reader)
    assert (result.agrees, result.requests) == (True, len(rows))
    (days,) = [check.rows for check in result.checks if check.check == "days"]
    assert days in {2, 3}


def test_an_empty_database_agrees(harness: Harness) -> None:
    result = run_audit(harness.reader, integrity=True)
    assert (result.agrees, result.requests, result.credits_micro) == (True, 0, 0)


def test_the_audit_says_what_it_compared(books: Home) -> None:
    result = audit(books)
    assert result.agrees
    reader = books.open_reader()
    look = books.open_look(reader)
    ((requests, credits_micro),) = look.execute("select count(*), sum(credits_micro) from requests")
    assert (result.requests, result.credits_micro) == (requests, credits_micro)
    rows = {check.check: check.rows for check in result.checks}
    assert rows.keys() == CHECKS
    for table in ("quarters", "days", "day_log_types", "day_keys", "accounts", "grants"):
        assert [(rows[table],)] == list(look.execute(f"select count(*) from {table}")), table
    reader.close()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.change)
def test_a_planted_fault_is_named_with_its_workspace(copy: Home, fault: Fault) -> None:
    copy.plant(fault.change)
    result = audit(copy)
    assert not result.agrees
    assert {d.check for d in result.differences} == set(fault.checks.split())
    assert {d.profile_id for d in result.differences} == set(fault.whose)
    assert all(d.expected != d.found and d.where for d in result.differences)
    assert result.differing == len(result.differences)


def test_every_check_is_the_first_to_find_some_fault(books: Home) -> None:
    order = [check.check for check in audit(books).checks]
    first = {min(fault.checks.split(), key=order.index) for fault in FAULTS}
    assert first == CHECKS


def test_a_difference_names_the_row_and_what_it_should_say(copy: Home) -> None:
    copy.plant(
        "update quarters set requests = 7 where profile_id = 1 and channel = 'portal';"
        "update accounts set debits_micro = 1 where profile_id = 1 and account = 'history'",
    )
    differences = {d.check: d for d in audit(copy).differences}
    assert differences["quarters"] == Difference(
        "quarters",
        1,
        "quarter 1975537 (2026-05-05T12:15:00Z), log_type_id 0, key_id key_Fpz9pYS55KuW,"
        " channel portal",
        "requests 1",
        "requests 7",
    )
    assert differences["accounts"] == Difference(
        "accounts",
        1,
        "account history",
        "debits_micro 9000000, credits_micro 0",
        "debits_micro 1, credits_micro 0",
    )


@pytest.mark.parametrize("books", ["sqlite"], indirect=True)
def test_the_file_itself_is_checked_only_when_asked(copy: Home) -> None:
    assert isinstance(copy, SqliteHome)
    copy.plant("delete from users where profile_id = 1")
    with copy.path.open("r+b") as file:
        file.seek(36)  # the header's count of free pages
        file.write((3).to_bytes(4, "big"))
    assert audit(copy).agrees
    differences = audit(copy, integrity=True).differences
    assert {d.check for d in differences} == {"integrity"}
    messages = "\n".join(d.found for d in differences)
    assert "Freelist" in messages
    assert "a row of keys names no row of users" in messages


@pytest.mark.parametrize("books", ["postgres"], indirect=True)
def test_what_the_server_knows_to_be_wrong_is_told_when_asked(copy: Home) -> None:
    assert audit(copy, integrity=True).agrees
    copy.plant(
        "update pg_index set indisvalid = false where indexrelid = 'keys_family_id'::regclass;"
        "alter table charges add constraint odd check (requests > 1) not valid"
    )
    assert audit(copy).agrees
    told = {d.found for d in audit(copy, integrity=True).differences}
    assert told == {
        "the index keys_family_id of keys is not valid",
        "the rule odd of charges was never checked",
    }


def test_a_flood_of_differences_is_counted_and_cut(harness: Harness) -> None:
    profile_id = harness.workspace()
    key_id = harness.key(profile_id)
    count = DIFFERENCES_SHOWN_MAX + 17
    rows = [harness.row(profile_id, key_id) for _ in range(count)]
    spread = [row._replace(time_ms=row.time_ms - 900_000 * n) for n, row in enumerate(rows)]
    harness.record(spread)
    result = run_audit(harness.reader)
    # Each id still carries the time that it had before.
    (check,) = [check for check in result.checks if check.differences]
    assert (check.check, check.differences) == ("log", count - 1)
    assert len(result.differences) == DIFFERENCES_SHOWN_MAX
    assert result.differing == count - 1


def test_the_audit_sees_one_moment_while_others_write(harness: Harness) -> None:
    profile_id = harness.workspace()
    key_id = harness.key(profile_id)
    harness.record([harness.row(profile_id, key_id, credits_micro=5)])

    def write(done: int, total: int) -> None:
        assert 0 <= done <= total == 1
        harness.record([harness.row(profile_id, key_id, credits_micro=7)])

    result = run_audit(harness.reader, on_progress=write)
    assert result.agrees
    assert (result.requests, result.credits_micro) == (1, 5)
    assert run_audit(harness.reader).requests == 3


def test_an_audit_can_be_stopped_and_leaves_no_snapshot_open(harness: Harness) -> None:
    harness.workspace()

    def stop(_done: int, _total: int) -> None:
        raise QueryTimeoutError

    with pytest.raises(QueryTimeoutError):
        run_audit(harness.reader, on_progress=stop)
    harness.workspace()
    (check,) = [c for c in run_audit(harness.reader).checks if c.check == "workspaces"]
    assert check.rows == 2


def test_an_audit_is_kept_with_what_it_found(harness: Harness, copy: Home) -> None:
    copy.plant("update accounts set debits_micro = debits_micro + 1 where profile_id = 1")
    result = audit(copy)
    keep = audit_keep(result)
    harness.call("audits.keep", **msgspec.structs.asdict(keep))
    ((started_ms, ended_ms, requests, differences, detail),) = harness.select(
        "select started_at_ms, ended_at_ms, requests, differences, detail from audits"
    )
    assert (ended_ms, ended_ms - started_ms) == (harness.now_ms, result.took_ms)
    assert (requests, differences) == (result.requests, result.differing)
    assert msgspec.json.decode(detail, type=AuditData) == audit_data(result)


def test_of_kept_audits_the_newest_stay(harness: Harness) -> None:
    keep = msgspec.structs.asdict(audit_keep(run_audit(harness.reader)))
    for _ in range(3):
        harness.call("audits.keep", **keep)
    writer = harness.recorder._opened().db
    writer.begin()
    writer.execute("audits_forget", kept=2)
    writer.commit()
    assert harness.select("select audit_id from audits") == [(2,), (3,)]
    assert AUDITS_KEPT >= 24 * 30, "at one an hour they cover a month"
