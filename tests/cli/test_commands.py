"""Commands: what they print, where they print it, and how they end."""

from __future__ import annotations

import fcntl
import io
import json
import re
import subprocess
import sys

import pytest

from farebox.core.key import is_plausible
from farebox.engine.paths import lock_path
from farebox.engine.spawn import RecorderProcess
from farebox.engine.sync_link import SyncLink
from farebox.service.forms.key import TokenCreate, TokenMade
from tests.cli.conftest import Cli

GROUPS = (
    "plans",
    "log-types",
    "workspaces",
    "users",
    "keys",
    "grants",
    "corrections",
    "tokens",
)


def test_a_provider_sets_up_everything_from_the_command_line(cli: Cli) -> None:
    made = cli.json("log-types", "create", "search", "--name", "Search", "--credits", "2.5")
    assert (made["credits"], made["hold_credits"]) == (2.5, 2.5)
    profile_id = cli.workspace()
    changed = cli.json(
        "plans", "change", "gold", "--price", "search=1.5", "--api-day", "9", "--api-hour", "0"
    )
    assert changed["prices"] == {"search": 1.5}
    assert changed["limits"]["api"] == {"hour": 0, "day": 9, "month": None}
    changed = cli.json("plans", "change", "gold", "--api-day", "none")
    assert changed["limits"]["api"] == {"hour": 0, "day": None, "month": None}
    assert cli.json("workspaces", "change", profile_id, "--licences", "2")["licences"] == 2
    user = cli.json("users", "create", profile_id, "--nickname", "A", "--email", "a@b.cd")
    key = cli.json("keys", "create", profile_id, "--name", "N", "--user-id", user["user_id"])
    assert is_plausible(key["key"])
    new = cli.json("keys", "rotate", profile_id, key["key_id"], "--overlap-seconds", "9")
    assert new["rotated_from"] == key["key_id"]
    assert cli.run("keys", "revoke", profile_id, new["key_id"]).status == 0
    listed = cli.json("keys", "list", profile_id)
    assert [(k["key_id"], k["status"]) for k in listed] == [
        (key["key_id"], "active"),
        (new["key_id"], "revoked"),
    ]
    grant = cli.json("grants", "create", profile_id, "--credits", "500.5", "--priority", "-1")
    assert (grant["kind"], grant["credits_left"]) == ("topup", 500.5)
    assert [g["kind"] for g in cli.json("grants", "list", profile_id)] == ["plan", "topup"]
    assert cli.json("statement", profile_id)["closing_balance"] == 2500.5
    token = cli.json("tokens", "create", "gateway", "--scope", "meter")
    assert cli.run("tokens", "revoke", token["token_id"]).status == 0
    assert cli.json("tokens", "list")[0]["revoked_at"] is not None
    assert cli.json("corrections", "list", profile_id) == []


def test_the_terms_of_a_key_are_given_changed_and_taken_away(cli: Cli) -> None:
    profile_id = cli.workspace()
    for slug in ("search", "redeem"):
        cli.json("log-types", "create", slug, "--name", slug, "--credits", "1")
    given = ("--log-type", "search", "--log-type", "redeem", "--ip-range", "192.0.2.9/24")
    made = cli.json("keys", "create", profile_id, *given, "--credits-cap", "2.5")
    key_id = made["key_id"]
    terms = ("log_type_slugs", "ip_ranges", "credits_cap")
    assert [made[name] for name in terms] == [["redeem", "search"], ["192.0.2.0/24"], 2.5]
    listed = cli.run("keys", "list", profile_id)
    assert re.search(r'\["redeem","search"\] +\["192\.0\.2\.0/24"\] +2\.5', listed.out)
    change = ("keys", "change", profile_id, key_id)
    assert cli.json(*change, "--name", "N")["credits_cap"] == 2.5
    changed = cli.json(*change, "--log-type", "search", "--ip-range", "::1", "--credits-cap", "0")
    assert [changed[name] for name in terms] == [["search"], ["::1"], 0]
    changed = cli.json(*change, "--all-log-types", "--any-ip", "--credits-cap", "none")
    assert [changed[name] for name in terms] == [None, None, None]
    ran = cli.run(*change, "--all-log-types", "--log-type", "search")
    assert (ran.status, "--all-log-types" in ran.err) == (2, True)
    ran = cli.run(*change, "--log-type", "none")
    assert (ran.status, "'none'" in ran.err) == (2, True)
    assert cli.run(*change, "--credits-cap", "many").status == 2


def test_shadow_mode_and_auto_top_up_are_switched(cli: Cli) -> None:
    profile_id = cli.workspace()
    assert cli.json("plans", "show", "gold")["is_shadow"] is False
    assert cli.json("plans", "change", "gold", "--shadow")["is_shadow"] is True
    assert cli.json("plans", "change", "gold", "--name", "G")["is_shadow"] is True
    assert cli.json("plans", "change", "gold", "--no-shadow")["is_shadow"] is False
    silver = ("plans", "create", "silver", "--name", "S", "--credits-per-month", "1", "--shadow")
    assert cli.json(*silver)["is_shadow"] is True
    amounts = ("--auto-top-up-credit", "5.5", "--auto-top-up-balance-fall-below", "2")
    made = cli.json("workspaces", "create", "B", "--plan", "gold", "--auto-top-up", *amounts)
    terms = [name for name in made if "auto_top_up" in name]
    assert [made[name] for name in terms] == [True, 5.5, 2, False]
    change = ("workspaces", "change", str(made["profile_id"]))
    granted = cli.json(*change, "--auto-top-up-granted")
    assert [granted[name] for name in terms] == [True, 5.5, 2, True]
    ran = cli.run(*change, "--auto-top-up-credit", "none")
    assert (ran.status, "auto_top_up_credit" in ran.err) == (2, True)
    ended = cli.json(*change, "--no-auto-top-up", "--auto-top-up-credit", "none")
    assert [ended[name] for name in terms] == [False, None, 2, True]
    assert cli.run("workspaces", "change", profile_id, "--auto-top-up").status == 2


def test_a_table_shows_what_the_json_tells(cli: Cli) -> None:
    cli.workspace()
    ran = cli.run("workspaces", "list")
    assert ran.status == 0
    assert "profile_id" in ran.out
    assert re.search(r"1 +Acme +gold +- +UTC +1 +active", ran.out)
    shown = cli.run("workspaces", "show", "1").out
    assert re.search(r"^is_quota_sharing_enabled +no *$", shown, re.MULTILINE)


def test_a_name_is_no_markup(cli: Cli) -> None:
    cli.workspace()
    cli.run("workspaces", "change", "1", "--name", "[red]Acme[/red]")
    assert "[red]Acme[/red]" in cli.run("workspaces", "list").out


def test_a_secret_is_printed_once_and_the_warning_beside_it(cli: Cli) -> None:
    profile_id = cli.workspace()
    ran = cli.run("keys", "create", profile_id)
    (secret,) = re.findall(r"fbx_[0-9A-Za-z]{38}", ran.out)
    assert "not shown again" in ran.err
    assert secret not in ran.err
    for again in (
        cli.run("keys", "list", profile_id),
        cli.run("keys", "list", profile_id, "--json"),
    ):
        assert secret not in again.out + again.err


def test_a_key_is_imported_from_standard_input(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    profile_id = cli.workspace()
    monkeypatch.setattr("sys.stdin", io.StringIO("an-old-key-of-ours\n"))
    made = cli.json("keys", "create", profile_id, "--import")
    assert made["masked_authentication"] == "a" + "•" * 16 + "urs"


def test_who_acted_is_kept(cli: Cli) -> None:
    cli.workspace()
    data = cli.path.read_bytes() + cli.path.with_name("farebox.db-wal").read_bytes()
    assert re.search(rb"cli:[a-z0-9_.-]+", data)


def test_a_list_goes_beyond_a_page(cli: Cli) -> None:
    with SyncLink(cli.path, RecorderProcess(["false"])) as link:
        for number in range(103):
            form = TokenCreate(name=f"t{number}", scope="meter")
            link.call("tokens.create", form, TokenMade, actor="test")
    assert len(cli.json("tokens", "list")) == 103


def test_the_database_comes_from_the_environment(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAREBOX_DATABASE", f"sqlite:///{cli.path}")
    assert cli.run_bare("tokens", "create", "x", "--scope", "meter").status == 0
    assert len(json.loads(cli.run_bare("tokens", "list", "--json").out)) == 1
    monkeypatch.setenv("FAREBOX_DATABASE", "mysql://x")
    ran = cli.run_bare("tokens", "list")
    assert ran.status == 2
    assert "FAREBOX_DATABASE" in ran.err


@pytest.mark.parametrize("group", GROUPS)
def test_every_command_explains_itself(bare: Cli, group: str) -> None:
    ran = bare.run_bare(group, "--help")
    assert ran.status == 0
    verbs = re.findall(r"^  ([a-z]+)  ", ran.out.partition("Commands:")[2], re.MULTILINE)
    assert {"create", "list"} <= set(verbs)
    for verb in verbs:
        told = bare.run_bare(group, verb, "--help").out
        assert "--database" in told
        assert "FAREBOX_DATABASE" in told


def test_the_version_is_told(bare: Cli) -> None:
    assert re.fullmatch(r"farebox \d+\.\d+\.\d+\n", bare.run_bare("--version").out)


def test_a_command_starts_what_it_needs_and_leaves_nothing_running(bare: Cli) -> None:
    command = [sys.executable, "-m", "farebox", "tokens", "create", "x", "--scope", "meter"]
    database = f"sqlite:///{bare.path}"
    made = subprocess.run(
        [*command, "--database", database, "--json"], capture_output=True, check=True
    )
    assert json.loads(made.stdout)["scope"] == "meter"
    with lock_path(bare.path).open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # waits until the recorder has ended by itself
    assert len(json.loads(bare.run("tokens", "list", "--json").out)) == 1
