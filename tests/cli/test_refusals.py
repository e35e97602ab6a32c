"""`farebox refusals`: what the list and the counts show, beside a server and without one."""

from __future__ import annotations

import re
from contextlib import closing

import pytest

from farebox.core.instant import MS_PER_MINUTE
from farebox.core.refusal import RefusalTally
from farebox.engine.clock import wall_ms
from farebox.engine.spawn import RecorderProcess
from farebox.engine.sync_link import SyncLink
from farebox.service.forms.common import Nothing
from farebox.service.forms.refusal import Explained, RefusalsNote
from farebox.service.refusal_list import limits_json
from farebox.store.sqlite.database import open_reader
from tests.cli.conftest import Cli
from tests.support.refused import LIMITS, refusal


def explain(profile_id: int, key_id: str, time_ms: int, denied_by: str) -> Explained:
    """A refusal as it is stored."""
    return Explained(
        profile_id, time_ms, key_id, 429, 42902, denied_by, 0, "api", "GET", "/people", None,
        limits_json(LIMITS), None, False,
    )  # fmt: skip


@pytest.fixture
def shop(cli: Cli) -> Cli:
    """A workspace of whose key two calls were refused a minute ago."""
    profile_id = int(cli.workspace())
    key_id = cli.json("keys", "create", str(profile_id))["key_id"]
    tally = RefusalTally(10)
    time_ms = wall_ms() - MS_PER_MINUTE
    for _ in range(2):
        tally.add(refusal(profile_id, key_id, time_ms=time_ms))
    explained = [explain(profile_id, key_id, time_ms, denied_by) for denied_by in ("hour", "day")]
    batch = RefusalsNote(source="test", sequence=1, sums=tally.sums(), explained=explained)
    with SyncLink(cli.path, RecorderProcess(["false"])) as link:
        link.call("refusals.note", batch, Nothing, actor="test")
    return cli


def test_the_newest_refusals_are_listed(shop: Cli) -> None:
    listed = shop.json("refusals", "list")
    assert [entry["denied_by"] for entry in listed] == ["day", "hour"]
    assert listed[0]["limits"][0]["name"] == "hour"
    assert len(shop.json("refusals", "list", "--limit", "1")) == 1
    for arguments in (
        ["--denied-by", "hour"],
        ["--profile-id", "1", "--denied-by", "hour"],
        ["--key-id", listed[0]["key_id"], "--denied-by", "hour"],
    ):
        (found,) = shop.json("refusals", "list", *arguments)
        assert found["denied_by"] == "hour"
    table = shop.run("refusals", "list").out
    assert re.search(r"2 .* 429 +day +- +GET +/people", table)
    assert shop.run("refusals", "list", "--profile-id", "9").status == 1


def test_the_list_goes_on_beyond_a_page(shop: Cli) -> None:
    profile_id = 1
    explained = [explain(profile_id, "key", number, "month") for number in range(250)]
    batch = RefusalsNote(source="more", sequence=1, sums=[], explained=explained)
    with SyncLink(shop.path, RecorderProcess(["false"])) as link:
        link.call("refusals.note", batch, Nothing, actor="test")
    for limit, count in (("99", 99), ("100", 100), ("101", 101), ("1000", 252)):
        listed = shop.json("refusals", "list", "--profile-id", "1", "--limit", limit)
        ids = [entry["refusal_id"] for entry in listed]
        assert ids == list(range(252, 252 - count, -1))
    assert len(shop.json("refusals", "list")) == 100


def test_refusals_are_counted(shop: Cli) -> None:
    found = shop.json("refusals", "counts", "1")
    assert found["totals"] == {"refusals": 2, "shadow_refusals": 0}
    assert found["reasons"] == [{"denied_by": "hour", "refusals": 2, "shadow_refusals": 0}]
    table = shop.run("refusals", "counts", "1").out
    assert re.search(r"^ ?hour +2 +0 *$", table, re.MULTILINE)
    ran = shop.run("refusals", "counts", "1", "--start-date", "x")
    assert ran.status != 0
    assert "start_date" in ran.err


def test_a_backup_carries_refusals_and_a_restore_brings_them_back(shop: Cli) -> None:
    backup = shop.path.with_name("backup.db")
    assert shop.run("backup", str(backup)).status == 0
    before = shop.json("refusals", "list"), shop.json("refusals", "counts", "1")
    restored = Cli(shop.path.parent / "other", shop._capsys)
    restored.path.parent.mkdir()
    assert restored.run("restore", str(backup)).status == 0
    after = restored.json("refusals", "list"), restored.json("refusals", "counts", "1")
    assert after == before
    with closing(open_reader(restored.path)) as reader:
        assert reader.integer("refusal_source_sequence", source="test") == 1
