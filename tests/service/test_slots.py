"""What nodes add up apart is read as one: the same reports, the same audit, whoever wrote it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from farebox.core.calendar import QUARTER_MS
from farebox.core.refusal import RefusalSum
from farebox.service.audit import run_audit
from farebox.store.contract import Reader, SqlValue
from farebox.store.postgres.statements import named_statements
from tests.service import audited
from tests.support import truth
from tests.support.homes import Homes
from tests.support.pg_home import PostgresHome
from tests.support.worlds import MICRO, World

# Of each table: what tells rows apart but the slot, and what is summed.
SLOTTED = {
    "quarters": ("profile_id, quarter, key_id, log_type_id, channel", "requests, credits_micro"),
    "days": ("profile_id, zone_version, day, log_type_id, key_id", "requests, credits_micro"),
    "day_log_types": ("profile_id, zone_version, day, log_type_id", "requests, credits_micro"),
    "day_keys": ("profile_id, zone_version, day, key_id, channel", "requests, credits_micro"),
    "accounts": ("profile_id, account", "debits_micro, credits_micro"),
    "charges": ("profile_id, quarter, log_type_id, is_history", "requests, credits_micro"),
    "refusals": ("profile_id, quarter, key_id, denied_by, is_shadow", "refusals"),
    "period_sums": (
        "profile_id, start_ms",
        "granted_micro, expired_micro, charged_micro, corrected_micro",
    ),
}
API_REQUESTS = 20
# Rows that can't be split: there must be one of what is counted in each; grants and debts have
# exclusive writers, who all use one slot.
WHOLE = {"accounts": "account ~ '^(grant:|overdraft|issued|expired)'", "period_sums": "false"}
# The audit's are run by the audit. The others need no one's data, or a database as it was first.
NOT_HERE = re.compile(r"audit_|dues$")


@pytest.fixture
def world(homes: Homes) -> Iterator[World]:
    with homes.one("postgres") as home, World(home) as world:
        audited.fill(world)
        profile_id, key_id = world.select("select profile_id, key_id from keys")[0]
        world.call(
            "alerts.create", profile_id=profile_id, kind="hour", channel="api", thresholds=[50]
        )
        counted = RefusalSum(
            profile_id, world.now_ms // QUARTER_MS, key_id, "hour", False, 5, world.now_ms
        )
        world.call("refusals.note", source="s", sequence=1, sums=[counted], explained=[])
        # The quota is just used up: who misses a part of what was used won't see it.
        world.call("plans.change", slug="basic", limits={"api": {"month": API_REQUESTS}})
        yield world


def test_every_reader_sees_what_all_nodes_wrote(world: World) -> None:
    before = told(world.reader, world)
    assert sum(map(bool, before.values())) == len(before), "nothing is compared with nothing"
    assert split(world.home) > len(SLOTTED)
    assert told(world.reader, world) == before
    assert run_audit(world.reader).differences == ()
    assert truth.differences(world.db) == []


def test_what_comes_later_adds_to_what_all_nodes_wrote(world: World) -> None:
    profile_id, key_id = world.select("select profile_id, key_id from keys")[0]
    split(world.home)
    world.reopen()
    world.record(
        [world.row(profile_id, key_id, log_type_id=2, credits_micro=3 * MICRO) for _ in range(2)]
    )
    world.advance(days=40)
    assert run_audit(world.reader).differences == ()
    assert truth.differences(world.db) == []


ZONES = "select distinct timezone from workspace_zones"


def told(reader: Reader, world: World) -> dict[str, list[Any]]:
    """What every query of those tables answers, in any order."""
    now_quarter = world.now_ms // QUARTER_MS
    key_ids = [key_id for (key_id,) in world.select("select key_id from keys")]
    given: dict[str, SqlValue] = {
        "profile_id": 1,
        "zone_version": 2,
        "first_day": 0,
        "end_day": 30_000,
        "first_quarter": 0,
        "end_quarter": now_quarter + 9,
        "quarter": 0,
        "rows": 1,
        "is_history": 0,
        "since_ms": 0,
        "now_ms": world.now_ms,
        "key_ids": json.dumps(key_ids),
        "log_type_ids": "[0, 1, 2, 3]",
        "days": json.dumps([[1, 0, now_quarter], [2, now_quarter, now_quarter + 9]]),
        "count": 100,
        "after": 0,
        "grant_id": 1,
        "profile_ids": "[1]",
        "spans": json.dumps([[1, None, None, 2, 0, 30_000]]),
        "zones": json.dumps([[zone, 0, 0] for (zone,) in world.select(ZONES)]),
        "percent": 100,
    }
    answers = {}
    for name in readers():
        params = {p: given[p] for p in named_statements()[name].parameters}
        if name == "counts_of_quarters":
            params["spans"] = json.dumps([[1, None, None, None, 0, now_quarter + 9]])
        if name == "charges_last_quarter":
            params["quarter"] = now_quarter + 9
        rows = reader.rows(name, cast("Any", SimpleNamespace(_make=tuple)), **params)
        parsed = [json.loads(row[0]) if _is_json(row) else row for row in rows]
        answers[name] = sorted(parsed[0] if rows and _is_json(rows[0]) else parsed, key=repr)
    return answers


def readers() -> list[str]:
    """The names of all queries that read tables with slots."""
    table = re.compile(rf"\b(from|join) ({'|'.join(SLOTTED)})\b")
    return sorted(
        name
        for name, statement in named_statements().items()
        # A statement for many rows writes them.
        if statement.sql.startswith((b"select", b"with"))
        and not statement.columns
        and table.search(statement.sql.decode())
        and not NOT_HERE.match(name)
    )


def split(home: Any) -> int:  # noqa: ANN401 - as the world has it
    """Give about a half of every row to another slot; how many were split."""
    assert isinstance(home, PostgresHome)
    count = 0
    with home.cluster.superuser(home.name) as connection:
        for table, (key, summed) in SLOTTED.items():
            first, *_ = summed.split(", ")
            whole = WHOLE.get(table, f"{first} < 2")
            halves = ", ".join(f"{column} / 2" for column in summed.split(", "))
            last = connection.execute(
                "select 1 from pg_attribute where attrelid = %s::regclass and attname = 'last_ms'",
                (table,),
            ).fetchone()
            also = ", last_ms" if last else ""
            added = connection.execute(
                f"insert into {table} ({key}, {summed}{also}, slot) select {key}, {halves}"
                f"{also and ', last_ms - 1'}, 7 from {table} where not ({whole})".encode()
            )
            less = ", ".join(f"{c} = t.{c} - o.{c}" for c in summed.split(", "))
            same = " and ".join(f"t.{c} = o.{c}" for c in key.split(", "))
            connection.execute(
                f"update {table} t set {less} from {table} o"
                f" where o.slot = 7 and t.slot <> 7 and {same}".encode()
            )
            count += added.rowcount
    return count


def _is_json(row: tuple[Any, ...]) -> bool:
    return len(row) == 1 and isinstance(row[0], str) and row[0].startswith("[")
