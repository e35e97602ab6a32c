"""Spawning: a recorder is told all that it needs, and nobody else is told a password."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from farebox.core.database_url import read_database_url
from farebox.engine.spawn import DATABASE_VARIABLE, RecorderProcess, recorder_process
from farebox.recorder import database_of
from farebox.store.database import Database, file_database
from tests.support.recorders import until

PASSWORD = "kept-to-itself"
SHOWN = "postgresql://farebox@db.example/farebox"
URL = SHOWN.replace("@", f":{PASSWORD}@")
TELL = "import json, os, sys; json.dump(dict(os.environ), open(sys.argv[-1], 'w'))"


def started(process: RecorderProcess, folder: Path) -> dict[str, str]:
    """What a recorder of this process would find in its environment."""
    told = folder / "told"
    process._command = [sys.executable, "-c", TELL, str(told)]
    assert process.ensure() == ""
    until(lambda: told.exists() and told.read_text().endswith("}"))
    process.end(10)
    environment: dict[str, str] = json.loads(told.read_text())
    return environment


def test_the_password_goes_by_the_environment_and_by_no_command_line(tmp_path: Path) -> None:
    database = Database(read_database_url(URL))
    process = recorder_process(database, tmp_path / "place", {"LANG": "C", DATABASE_VARIABLE: "x"})
    assert process._command[-2:] == [str(tmp_path / "place"), SHOWN]
    assert PASSWORD not in " ".join(process._command)
    arguments = process._command[-2:]
    environment = started(process, tmp_path)
    assert environment["LANG"] == "C"
    assert database_of(arguments, environment).url.reveal() == URL


def test_the_recorder_of_a_file_is_told_the_file(tmp_path: Path) -> None:
    path = tmp_path / "farebox.db"
    process = recorder_process(file_database(path), path, {})
    assert process._command[-1:] == [str(path)]
    assert database_of(process._command[-1:], {}) == file_database(path)
