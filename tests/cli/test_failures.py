"""Failures: each says why in one line on stderr, and ends with the status that tells them apart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from farebox.service.forms.plan import PlanCreate, PlanData
from farebox.service.forms.workspace import WorkspaceCreate, WorkspaceData
from farebox.store.sqlite.database import open_writer
from farebox.store.sqlite.migrate import migrate
from tests.cli.conftest import Cli, running


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder whose database has a workspace; what fails leaves it as it is."""
    folder = tmp_path_factory.mktemp("shared")
    with running(folder / "farebox.db") as link:
        plan = PlanCreate(slug="gold", name="Gold", credits_per_month=Decimal(2000))
        link.call("plans.create", plan, PlanData, actor="test")
        workspace = WorkspaceCreate(name="Acme", plan="gold")
        link.call("workspaces.create", workspace, WorkspaceData, actor="test")
        yield folder


@pytest.mark.parametrize(
    ("status", "arguments", "words"),
    [
        (2, ("plans", "create", "gold"), "--name"),
        (2, ("plans", "create", "g", "--name", "x", "--credits-per-month", "abc"), "abc"),
        (2, ("plans", "create", "g", "--name", "x", "--credits-per-month", "-1"), "credits"),
        (2, ("plans", "create", "A B", "--name", "x", "--credits-per-month", "1"), "slug"),
        (2, ("plans", "change", "gold", "--api-hour", "x"), "none"),
        (2, ("plans", "change", "gold", "--api-hour", "9" * 30), "limits.api.hour"),
        (2, ("plans", "change", "gold", "--api-hour", "9" * 18), "limits.api.hour"),
        (2, ("plans", "change", "gold", "--price", "search"), "SLUG=CREDITS"),
        (2, ("workspaces", "create", "A", "--plan", "gold", "--timezone", "Mars"), "timezone"),
        (2, ("workspaces", "create", "A", "--plan", "none"), "plan"),
        (2, ("workspaces", "show", "x"), "PROFILE_ID"),
        (2, ("workspaces", "show", "9" * 30), "PROFILE_ID"),
        (2, ("grants", "create", "1", "--credits", "1", "--priority", "9" * 30), "priority"),
        (2, ("keys", "create", "1", "--channel", "self"), "channel"),
        (2, ("nonsense",), "nonsense"),
        (2, ("tokens", "list", "--nonsense"), "nonsense"),
        (1, ("plans", "create", "gold", "--name", "x", "--credits-per-month", "1"), "exists"),
        (1, ("plans", "show", "none"), "no such plan"),
        (1, ("workspaces", "show", "9"), "no such workspace"),
        (1, ("users", "create", "1", "--nickname", "A", "--email", "a@b.cd"), "licences"),
        (1, ("tokens", "revoke", "tok_none"), "no such token"),
        (1, ("statement", "1", "--period", "2001-01"), "no such period"),
        (2, ("statement", "1", "--period", "may"), "period"),
    ],
)
def test_what_fails_says_why_on_stderr_and_ends_so(
    shared: Path,
    capsys: pytest.CaptureFixture[str],
    status: int,
    arguments: tuple[str, ...],
    words: str,
) -> None:
    ran = Cli(shared, capsys).run(*arguments)
    assert ran.status == status, ran
    assert ran.out == ""
    assert words.lower() in ran.err.lower()
    assert "Traceback" not in ran.err
    if status == 1:
        assert re.fullmatch(r"farebox: [^\n]+\n", ran.err)


def test_without_a_database_there_is_nothing_to_read(bare: Cli) -> None:
    ran = bare.run("plans", "list")
    assert ran.status == 1
    assert "no database" in ran.err
    assert not bare.path.exists()


@pytest.mark.parametrize(
    "arguments",
    [("statement", "1"), ("keys", "create", "1"), ("workspaces", "create", "A", "--plan", "gold")],
)
def test_only_what_a_database_begins_with_makes_one(bare: Cli, arguments: tuple[str, ...]) -> None:
    ran = bare.run(*arguments)
    assert ran.status == 1
    assert "no database" in ran.err
    assert list(bare.path.parent.iterdir()) == []


def test_a_folder_that_is_not_there_is_told(bare: Cli) -> None:
    ran = bare.run_bare(
        "tokens", "create", "x", "--scope", "meter", "--database", "sqlite:////none/farebox.db"
    )
    assert ran.status == 1
    assert "/none" in ran.err


def test_what_is_no_database_of_ours_is_told(bare: Cli) -> None:
    bare.path.write_text("This is a text, and a text is no database. " * 100)
    ran = bare.run("plans", "list")
    assert ran.status == 1
    assert re.fullmatch(r"farebox: [^\n]+\n", ran.err)
    assert str(bare.path) in ran.err


def test_a_database_of_a_newer_farebox_is_not_guessed_at(bare: Cli) -> None:
    writer = open_writer(bare.path)
    migrate(writer)
    writer.execute("schema_state_put", version=1000, oldest=1000, finished=0)
    writer.close()
    ran = bare.run("plans", "list")
    assert (ran.status, ran.out) == (1, "")
    assert f"{bare.path}: the database has schema 1000, of a newer Farebox" in ran.err
