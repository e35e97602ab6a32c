"""The command migrate: the schema of either engine, and a move as an operator makes it."""

from __future__ import annotations

import asyncio
from contextlib import closing
from pathlib import Path

from farebox.service.audit import run_audit
from tests.postgres.office import Office
from tests.support.cluster import PASSWORD
from tests.support.gates import GateWorld
from tests.support.harness import Harness

FILE_SECRET = "what a file beside the database holds"


def file_with_a_draw(folder: Path) -> str:
    """The URL of a file that somebody had drawn of."""
    with Harness(folder) as harness:
        key_id = harness.key(harness.workspace())
        harness.log_type()
        asyncio.run(GateWorld(harness).admitted(key_id, "people_search"))
    folder.joinpath("farebox.db.secret").write_text(FILE_SECRET)
    return f"sqlite:///{folder}/farebox.db"


def move(office: Office, source: str, **settings: str | None) -> tuple[int, str, str]:
    """Move by the command, with the password in the environment."""
    given = {"FAREBOX_DATABASE": source, "PGPASSWORD": PASSWORD, **settings}
    return office.run("migrate", "--to", str(office.database), **given)


def test_a_file_moves_and_its_secret_is_called_to_mind(office: Office, tmp_path: Path) -> None:
    source = file_with_a_draw(tmp_path)
    status, out, errors = move(office, source, FAREBOX_SECRET=None)
    assert status == 0, errors
    assert str(office.database) in out
    assert f"Set FAREBOX_SECRET to what {tmp_path}/farebox.db.secret holds" in errors
    assert "From here on, serve postgresql://" in errors
    assert not [text for text in (PASSWORD, FILE_SECRET) if text in out + errors]
    with closing(office.database.open_checked_reader()) as reader:
        assert run_audit(reader).agrees
    with office.server() as server:
        assert server.call("GET", "/readyz").is_success
    status, _, errors = move(office, source)
    assert status == 1
    assert "not empty" in errors


def test_nothing_but_a_file_moves_and_nowhere_but_to_a_server(
    office: Office, tmp_path: Path
) -> None:
    source = file_with_a_draw(tmp_path)
    ran = office.run("migrate", "--to", f"sqlite:///{tmp_path}/b.db", FAREBOX_DATABASE=source)
    assert ran.status == 1
    assert "is a file" in ran.err
    ran = office.run("migrate", "--to", str(office.database))
    assert ran.status == 1
    assert "only the database of a file can move" in ran.err
    ran = office.run("migrate", "--to", office.database.url.reveal(), FAREBOX_DATABASE=source)
    assert ran.status == 2
    assert "PGPASSWORD" in ran.err
    assert PASSWORD not in ran.err


def test_a_new_schema_is_made_once(office: Office) -> None:
    assert office.json("migrate")["steps"][0] == "0001_first"
    assert office.json("migrate")["steps"] == []
    assert office.json("migrate", "--finish")["steps"] == []
