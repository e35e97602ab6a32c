"""The command migrate, over a file."""

from __future__ import annotations

from tests.cli.conftest import Cli, running


def test_the_schema_of_a_file_is_brought_up_to_date_while_nobody_serves_it(bare: Cli) -> None:
    with running(bare.path):
        ran = bare.run("migrate")
        assert (ran.status, ran.out) == (1, "")
        assert "is being served" in ran.err
    told = bare.json("migrate", "--finish")
    assert told == {"database": str(bare.path), "steps": []}
    assert bare.run_bare("migrate", "--database", "sqlite:///none.db").status == 1
