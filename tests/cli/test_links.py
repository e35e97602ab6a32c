"""`farebox links`: made with the server's secret, without a server, and printed once."""

from __future__ import annotations

from contextlib import closing

import pytest

from farebox.core.errors import REVOKED_LINK, FareboxError
from farebox.engine.clock import wall_ms
from farebox.engine.directory import Directory
from farebox.engine.entropy import SystemEntropy
from farebox.engine.paths import secret_path
from farebox.engine.secret import ProgramSecret
from farebox.service.links import link_seal, open_link, workspace_of_link
from farebox.store.sqlite.database import open_reader
from tests.cli.conftest import Cli

SECRET = "the secret that the server is given too"
PUBLIC = "https://usage.example.com"


def test_a_link_is_made_with_the_secret_and_the_address_of_the_server(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAREBOX_SECRET", SECRET)
    monkeypatch.setenv("FAREBOX_PUBLIC_URL", PUBLIC)
    workspace = cli.workspace()
    made = cli.json("links", "create", workspace, "--role", "manage", "--expires-in", "15m")
    page, _, token = made["url"].partition("#")
    assert page == f"{PUBLIC}/dashboard/link"
    seal = link_seal(ProgramSecret(SECRET, cli.path, SystemEntropy()).derive)
    told = open_link(seal, token, wall_ms())
    assert (told.link_id, told.profile_id, told.role) == (made["link_id"], int(workspace), "manage")
    assert told.expires_ms - told.made_ms == 15 * 60_000
    assert not secret_path(cli.path).exists()


def test_without_settings_the_file_beside_the_database_counts_and_both_are_said(
    cli: Cli,
) -> None:
    ran = cli.run("links", "create", cli.workspace(), "--role", "view")
    assert ran.status == 0
    token = next(word for word in ran.out.split() if "#lnk_" in word).partition("#")[2]
    seal = link_seal(ProgramSecret("", cli.path, SystemEntropy()).derive)
    assert open_link(seal, token, wall_ms()).role == "view"
    assert "http://127.0.0.1:8080" in ran.err
    assert str(secret_path(cli.path)) in ran.err
    assert "not shown again" in ran.err
    assert token not in ran.err


@pytest.mark.parametrize(("text", "seconds"), [("60s", 60), ("2h", 7_200), ("31d", 2_678_400)])
def test_a_duration_has_a_unit(cli: Cli, text: str, seconds: int) -> None:
    made = cli.json("links", "create", cli.workspace(), "--role", "view", "--expires-in", text)
    seal = link_seal(ProgramSecret("", cli.path, SystemEntropy()).derive)
    told = open_link(seal, made["url"].partition("#")[2], wall_ms())
    assert told.expires_ms - told.made_ms == seconds * 1000


@pytest.mark.parametrize("text", ["3600", "1 h", "1w", "-1h", "1.5h", "", "59s", "32d", "٣h"])
def test_a_wrong_duration_or_role_is_a_wrong_usage(cli: Cli, text: str) -> None:
    workspace = cli.workspace()
    ran = cli.run("links", "create", workspace, "--role", "view", f"--expires-in={text}")
    assert ran.status == 2
    assert "lnk_" not in ran.out
    assert cli.run("links", "create", workspace, "--role", "owner").status == 2


def test_all_links_of_a_workspace_are_revoked(cli: Cli) -> None:
    workspace = cli.workspace()
    made = cli.json("links", "create", workspace, "--role", "view")
    ran = cli.run("links", "revoke", workspace)
    assert (ran.status, ran.out) == (0, "")
    assert ran.err == f"All links and sign-ins of workspace {workspace} have ended.\n"
    directory = Directory()
    with closing(open_reader(cli.path)) as reader:
        directory.load(reader)
    seal = link_seal(ProgramSecret("", cli.path, SystemEntropy()).derive)
    told = open_link(seal, made["url"].partition("#")[2], wall_ms())
    with pytest.raises(FareboxError) as revoked:
        workspace_of_link(told, directory.workspaces)
    assert revoked.value.kind is REVOKED_LINK
    assert cli.run("links", "revoke", "999").status == 1
