"""The command audit: its exit status, its table and its JSON."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from farebox.service.forms.audit import AuditData
from tests.cli.conftest import Cli, running
from tests.support.recorders import nobody


def spoil(path: Path) -> None:
    connection = apsw.Connection(str(path))
    connection.execute("update accounts set debits_micro = debits_micro + 1 where account='issued'")
    connection.close()


def kept(path: Path) -> list[tuple[int, int]]:
    connection = apsw.Connection(str(path))
    rows = list(connection.execute("select requests, differences from audits"))
    connection.close()
    return rows


def test_books_that_agree_end_with_0(cli: Cli) -> None:
    cli.workspace()
    ran = cli.run("audit")
    assert (ran.status, ran.err) == (0, "")
    *table, last = ran.out.strip().splitlines()
    assert last.startswith("The books agree: 0 requests, 0 credits, ")
    assert [line.split()[1:] for line in table if line.split()[:1] == ["periods"]] == [["1", "0"]]
    assert kept(cli.path) == [(0, 0)]


def test_books_that_differ_end_with_1_and_are_named(cli: Cli) -> None:
    profile_id = cli.workspace()
    spoil(cli.path)
    ran = cli.run("audit", "--integrity")
    assert ran.status == 1
    assert (
        f"accounts: workspace {profile_id}: account issued: "
        "expected debits_micro 2000000000, credits_micro 0; "
        "found debits_micro 2000000001, credits_micro 0\n"
    ) in ran.out
    assert "The books differ in 2 places: " in ran.out
    assert kept(cli.path) == [(0, 2)]


def test_json_tells_the_same_to_programs(cli: Cli) -> None:
    profile_id = cli.workspace()
    told = cli.json("audit")
    assert told.keys() == set(AuditData.__struct_fields__)
    assert (told["agrees"], told["requests"], told["differences"]) == (True, 0, [])
    spoil(cli.path)
    ran = cli.run("audit", "--json", "--no-keep")
    assert ran.status == 1
    assert ran.out.count(f'"profile_id": {profile_id}') == 2
    assert kept(cli.path) == [(0, 0)]


def test_an_audit_that_cannot_be_kept_is_told_all_the_same(
    bare: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(bare.path):
        bare.workspace()
    monkeypatch.setattr("farebox.cli.session.recorder_process", lambda *_: nobody())
    ran = bare.run("audit")
    assert ran.status == 0
    assert "The books agree" in ran.out
    assert ran.err.startswith("farebox: the result could not be kept: ")
    # Without a wish to keep it, no recorder is asked for.
    ran = bare.run("audit", "--no-keep")
    assert (ran.status, ran.err) == (0, "")


def test_there_is_nothing_to_audit_without_a_database(bare: Cli) -> None:
    ran = bare.run("audit")
    assert ran.status == 1
    assert ran.err.startswith("farebox: there is no database at ")
