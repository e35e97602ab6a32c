"""The commands backup and restore."""

from __future__ import annotations

import json
from pathlib import Path

import apsw
import pytest

from farebox.service.forms.copy import BackupData, RestoreData
from tests.cli.conftest import Cli, running


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Where backups go."""
    return tmp_path / "farebox.backup"


def test_a_backup_beside_a_recorder_comes_back_after_it_has_ended(bare: Cli, target: Path) -> None:
    with running(bare.path):
        bare.workspace()
        told = bare.json("backup", str(target))
        assert told.keys() == set(BackupData.__struct_fields__)
        assert told["file"] == str(target)
        bare.json("workspaces", "create", "Later", "--plan", "gold")
        refused = bare.run("restore", str(target), "--force")
        assert (refused.status, refused.out) == (1, "")
        assert "is being served; stop the server" in refused.err
    refused = bare.run("restore", str(target))
    assert (refused.status, "--force" in refused.err) == (1, True)
    ran = bare.run("restore", str(target), "--force", "--json")
    assert ran.status == 0
    restored = json.loads(ran.out)
    assert restored.keys() == set(RestoreData.__struct_fields__)
    assert restored["commit_id"] == told["commit_id"]
    assert ran.err == f"The former database is kept as {bare.path}.before-restore.\n"
    with running(bare.path):
        assert [w["name"] for w in bare.json("workspaces", "list")] == ["Acme"]


def test_a_backup_is_not_written_over_a_file(cli: Cli, target: Path) -> None:
    cli.workspace()
    target.write_text("precious")
    ran = cli.run("backup", str(target))
    assert (ran.status, ran.out) == (1, "")
    assert ran.err == f"farebox: {target} exists already; --force replaces it\n"
    assert cli.run("backup", str(target), "--force").status == 0


def test_there_is_nothing_to_back_up_without_a_database(bare: Cli, target: Path) -> None:
    assert bare.run("backup", str(target)).status == 1
    assert not target.exists()


def test_a_backup_whose_books_differ_is_refused_with_the_reason(bare: Cli, target: Path) -> None:
    with running(bare.path):
        bare.workspace()
        bare.json("backup", str(target))
    connection = apsw.Connection(str(target))
    connection.execute("update periods set granted_micro = 1")
    connection.close()
    ran = bare.run("restore", str(target), "--force")
    assert ran.status == 1
    assert "periods: workspace 1: " in ran.out
    assert ran.err == (
        "farebox: the books of the backup differ; --no-audit restores it all the same\n"
    )
    told = json.loads(bare.run("restore", str(target), "--force", "--json").out)
    assert told["agrees"] is False
    assert bare.run("restore", str(target), "--force", "--no-audit").status == 0
