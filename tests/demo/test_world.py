"""Tests of the demo's world: what it holds is what was made up, priced, and adds up."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from farebox.core.calendar import zone_of
from farebox.core.credits import MICRO_PER_CREDIT
from farebox.core.instant import MS_PER_MINUTE, parse_rfc3339, to_local_stamp
from farebox.core.key import digest
from farebox.core.log_type import PathTable
from farebox.core.request import UNMAPPED
from farebox.demo.callers import CALLERS
from farebox.demo.calls import FAILED, Call
from farebox.demo.captured import MINUTES_APART, Exchange, exchanges
from farebox.demo.endpoints import ENDPOINTS
from farebox.demo.past import past_process
from farebox.demo.traffic import SEED, make_traffic, traffic_start_ms
from farebox.demo.world import REVOKED_KEY, TIMEZONE, WORKSPACE, World, make_world
from farebox.engine.directory import Directory
from farebox.engine.sync_link import SyncLink
from farebox.service.date_range import date_range
from farebox.service.log_lookup import look_up_log
from farebox.service.pages import turn
from farebox.service.refusal_counts import read_refused_calls
from farebox.service.statement import read_statement
from farebox.service.workspace_ledger import read_ledger
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
    zone = zone_of(TIMEZONE)
    start_ms = traffic_start_ms(DAYS, NOW_MS, zone)
    process = past_process(database, start_ms)
    progress: list[tuple[int, int]] = []
    with SyncLink(database, process) as link:
        reader = open_reader(database)
        world = make_world(
            link,
            reader,
            make_traffic(SEED, DAYS, NOW_MS, zone),
            start_ms=start_ms,
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


def captured_credits(one: Exchange) -> int:
    """The same of a call with its bodies."""
    if one.status_code >= FAILED:
        return 0
    return one.endpoint.credits if one.credits is None else one.credits


def captured_at() -> list[tuple[int, Exchange]]:
    """The calls with their bodies, the last of them at the end."""
    made = exchanges()
    step_ms = MINUTES_APART * MS_PER_MINUTE
    return [(NOW_MS - step_ms * back, one) for back, one in enumerate(reversed(made))]


def test_every_call_is_recorded_once_at_its_price(made: Made) -> None:
    expected = Counter(
        (call.time_ms, call.path, call.status_code, credits_of(call)) for call in made.calls
    )
    expected.update(
        (time_ms, one.endpoint.path, one.status_code, captured_credits(one))
        for time_ms, one in captured_at()
    )
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


def test_a_period_that_is_over_has_its_statement_and_what_is_left_of_the_plan_has_expired(
    made: Made,
) -> None:
    of = (made.reader, made.world.profile_id)
    former = read_statement(*of, "2026-10", NOW_MS)
    current = read_statement(*of, None, NOW_MS)
    assert (former.is_closed, current.is_closed) == (True, False)
    october = [c for c in made.calls if to_local_stamp(c.time_ms, zone_of(TIMEZONE)) < "2026-11"]
    assert former.charged == sum(map(credits_of, october)) > 0
    assert former.granted == 205_000
    assert former.expired == 180_000 - former.charged
    assert former.closing_balance == current.opening_balance == 25_000
    assert current.charged + former.charged == sum(map(credits_of, made.calls)) + sum(
        captured_credits(one) for one in exchanges()
    )
    assert {line.slug for line in former.charges} >= {one.slug for one in ENDPOINTS}


def test_some_dozen_calls_have_their_bodies_right_and_wrong(made: Made) -> None:
    captures = list(
        made.reader.connection.execute(
            "select r.status_code, r.response_size, c.request_body, c.response_body"
            " from captures c join requests r using (profile_id, query_log_id)"
        )
    )
    assert len(captures) == len(exchanges()) >= 36
    assert {status for status, *_ in captures} == {200, 400, 500, 503}
    for status, size_bytes, request_body, response_body in captures:
        assert isinstance(json.loads(request_body), dict)
        answered = json.loads(response_body)
        assert ("data" in answered) == (status == 200)
        assert len(response_body.encode()) == size_bytes


def test_calls_were_refused_and_none_before_the_key_was_revoked(made: Made) -> None:
    days = date_range("2026-10-29", "2026-11-02")
    found = read_refused_calls(made.reader, made.world.profile_id, days)
    assert {one.denied_by for one in found.reasons} == {"key", "second"}
    assert found.refusals == made.reader.integer("refusal_log_last")


def test_a_correction_leads_to_its_request_and_the_audit_finds_nothing(made: Made) -> None:
    reader, profile_id = made.reader, made.world.profile_id
    newest = read_ledger(reader, profile_id, turn(None, None)).data[0]
    assert newest.kind == "correction"
    assert newest.query_log_id
    assert look_up_log(reader, profile_id, newest.query_log_id).response_body
    ((differences_found,),) = reader.connection.execute("select differences from audits")
    assert differences_found == 0


def test_the_customer_has_two_users_and_a_key_for_each_caller(made: Made) -> None:
    directory = made.directory
    workspace = directory.workspaces[made.world.profile_id]
    keys = {key.name: key for key in directory.keys_of(workspace.profile_id)}
    assert workspace.name == "Acme Corporation"
    assert len(directory.users_of(workspace.profile_id)) == workspace.licences == 2
    assert set(keys) == {REVOKED_KEY, *(caller.key_name for caller in CALLERS)}
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
