"""`farebox webhooks`: made with the server's secret, which is told once."""

from __future__ import annotations

import pytest

from farebox.engine.entropy import SystemEntropy
from farebox.engine.paths import secret_path
from farebox.engine.secret import ProgramSecret
from farebox.service.webhooks import signing_secret
from tests.cli.conftest import Cli

URL = "https://example.com/hook"
SECRET = "the secret that the server is given too"


def test_a_webhook_is_made_with_the_secret_of_the_server(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAREBOX_SECRET", SECRET)
    made = cli.json("webhooks", "create", URL, "--event", "alert.fired")
    servers = ProgramSecret(SECRET, cli.path, SystemEntropy())
    assert made["secret"] == signing_secret(servers, made["webhook_id"])
    assert made["event_types"] == ["alert.fired"]
    assert not secret_path(cli.path).exists()
    (listed,) = cli.json("webhooks", "list")
    assert listed == {name: value for name, value in made.items() if name != "secret"}


def test_without_a_setting_the_file_beside_the_database_counts(cli: Cli) -> None:
    workspace = cli.workspace()
    made = cli.json("webhooks", "create", URL, "--workspace", workspace)
    assert made["profile_id"] == int(workspace)
    servers = ProgramSecret("", cli.path, SystemEntropy())
    assert made["secret"] == signing_secret(servers, made["webhook_id"])


def test_the_secret_is_to_be_kept_and_where_it_comes_from_is_said(cli: Cli) -> None:
    cli.workspace()
    ran = cli.run("webhooks", "create", URL)
    assert ran.status == 0
    assert "whsec_" in ran.out
    assert "not shown again" in ran.err
    assert str(secret_path(cli.path)) in ran.err
    assert "whsec_" not in cli.run("webhooks", "list").out


def test_deliveries_are_listed_and_a_webhook_is_deleted(cli: Cli) -> None:
    webhook_id = cli.json("webhooks", "create", URL)["webhook_id"]
    assert cli.json("webhooks", "deliveries", webhook_id) == []
    ran = cli.run("webhooks", "delete", webhook_id)
    assert (ran.status, ran.err) == (0, f"{webhook_id} is deleted.\n")
    assert cli.run("webhooks", "deliveries", webhook_id).status == 1
    assert cli.json("webhooks", "list") == []


def test_a_wrong_url_is_a_wrong_usage(cli: Cli) -> None:
    cli.workspace()
    ran = cli.run("webhooks", "create", "http://example.com/")
    assert ran.status == 2
    assert "url" in ran.err
