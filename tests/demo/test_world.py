"""Tests of the demo's world: what it holds is what was made up, priced, and adds up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from farebox.core.calendar import zone_of
from farebox.core.credits import MICRO_PER_CREDIT
from farebox.core.instant import parse_rfc3339
from farebox.core.key import digest
from farebox.core.log_type import PathTable
from farebox.core.request import UNMAPPED
from farebox.demo.callers import CALLERS
from farebox.demo.calls import FAILED, Call
from farebox.demo.endpoints import ENDPOINTS, PEOPLE_SEARCH
from farebox.demo.traffic import SEED, make_traffic
from farebox.demo.world import TIMEZONE, WORKSPACE, World, make_world
from farebox.engine.directory import Directory
from farebox.engine.spawn import RecorderProcess, recorder_command
from farebox.engine.sync_link import SyncLink
from farebox.store.sqlite.database import SqliteDatabase, open_reader
from tests.support.truth import differences

# Some days in two calendar months.
DAYS = 5
NOW_MS = parse_rfc3339("2026-11-02T13:30:00+01:00")


class Made:
    """A world and what it was made from."""

    def __init__(
        self, world: World, database: Path, reader: SqliteDatabase, progress: list[tuple[int, int]]
    ) -> None:
        self.world = world
        self.database = database
        self.reader = reader
        self.progress = progress
        self.directory = Directory()
        self.directory.load(reader)
        self.calls = list(make_traffic(SEED, DAYS, NOW_MS, zone_of(TIMEZONE)))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    database: Path = tmp_path_factory.mktemp("world") / "demo.db"
    process = RecorderProcess(recorder_command(database))
    progress: list[tuple[int, int]] = []
    with SyncLink(database, process) as link:
        reader = open_reader(database)
        world = make_world(
            link,
            reader,
            days=DAYS,
            now_ms=NOW_MS,
            on_progress=lambda requests, time_ms: progress.append((requests, time_ms)),
        )
    yield Made(world, database, reader, progress)
    reader.close()
    process.end(10)


def credits_of(call: Call) -> int:
    """What a call must cost, worked out from the list of endpoints alone."""
    if call.status_code >= FAILED:
        return 0
    if call.credits is not None:
        return call.credits
    return {endpoint.path: endpoint.credits for endpoint in ENDPOINTS}.get(call.path, 0)


def test_every_call_is_recorded_once_at_its_price(made: Made) -> None:
    expected = Counter(
        (call.time_ms, call.path, call.status_code, credits_of(call)) for call in made.calls
    )
    expected[NOW_MS, PEOPLE_SEARCH.path, 200, PEOPLE_SEARCH.credits] += 1
    recorded = Counter(
        (time_ms, path, status_code, credits_micro // MICRO_PER_CREDIT)
        for time_ms, path, status_code, credits_micro in made.reader.connection.execute(
            "select time_ms, path, status_code, credits_micro from requests"
        )
    )
    assert recorded == expected
    assert made.world.requests == expected.total()


def test_everything_adds_up(made: Made) -> None:
    assert differences(made.reader.connection) == []


def test_calls_of_periods_before_spend_no_credits_of_today(made: Made) -> None:
    ((period_start_ms,),) = made.reader.connection.execute(
        "select min(start_ms) from periods where profile_id = ?", (made.world.profile_id,)
    )
    history = sum(credits_of(call) for call in made.calls if call.time_ms < period_start_ms)
    ((spent_micro,),) = made.reader.connection.execute(
        "select coalesce(sum(debits_micro), 0) from accounts where account = 'history'"
    )
    assert spent_micro == history * MICRO_PER_CREDIT


def test_the_customer_has_two_users_and_a_key_for_each_caller(made: Made) -> None:
    directory = made.directory
    workspace = directory.workspaces[made.world.profile_id]
    keys = {key.name: key for key in directory.keys_of(workspace.profile_id)}
    assert workspace.name == "Acme Corporation"
    assert len(directory.users_of(workspace.profile_id)) == workspace.licences == 2
    assert set(keys) == {caller.key_name for caller in CALLERS}
    for caller in CALLERS:
        assert keys[caller.key_name].channel == caller.channel
        assert directory.users[keys[caller.key_name].user_id].is_owner == caller.is_owner


def test_of_the_other_customers_one_is_suspended(made: Made) -> None:
    others = [w for w in made.directory.workspaces.values() if w.name != WORKSPACE.name]
    assert {w.name: w.status for w in others} == {"Globex": "active", "Initech": "suspended"}


def test_log_types_are_found_by_their_paths(made: Made) -> None:
    log_types = made.directory.log_types
    paths = PathTable(log_types.values())
    for endpoint in ENDPOINTS:
        found = log_types[paths.find(endpoint.method, endpoint.path) or UNMAPPED]
        assert (found.slug, found.name) == (endpoint.slug, endpoint.name)
        assert found.prices[0].credits_micro == endpoint.credits * MICRO_PER_CREDIT
        assert found.prices[0].hold_micro == endpoint.hold_credits * MICRO_PER_CREDIT


def test_the_key_and_the_token_work(made: Made) -> None:
    key = made.directory.key_of_digest(digest(made.world.key.reveal()))
    token = made.directory.token_of_digest(digest(made.world.admin_token.reveal()))
    assert key is not None
    assert key.key_id == made.world.key_id
    assert key.name == CALLERS[0].key_name
    assert token is not None
    assert token.scope == "admin"


def test_no_secret_is_in_the_database_or_in_a_repr(made: Made) -> None:
    secrets = [made.world.key.reveal(), made.world.admin_token.reveal()]
    files = [path for path in made.database.parent.iterdir() if path.is_file()]
    content = b"".join(path.read_bytes() for path in files)
    assert WORKSPACE.name.encode() in content
    for secret in secrets:
        assert secret.encode() not in content
        assert secret not in repr(made.world)


def test_progress_is_told_and_ends_with_all_calls(made: Made) -> None:
    assert made.progress == sorted(made.progress)
    assert made.progress[-1] == (len(made.calls), made.calls[-1].time_ms)
