"""The directory: following the changes leads to what reading everything would."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from farebox.core.instant import MS_PER_DAY
from farebox.core.key import digest
from farebox.core.workspace import Workspace
from farebox.engine.directory import Directory
from farebox.store.sqlite.database import SqliteDatabase, named_queries, open_reader, open_writer
from tests.support.worlds import World, request

KEYS = 100_000


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as made:
        yield made


def contents(directory: Directory) -> dict[str, object]:
    """All that a directory can answer."""
    return {
        "change_id": directory.change_id,
        "log_types": directory.log_types,
        "by slug": directory.log_type_by_slug,
        "plans": directory.plans,
        "workspaces": directory.workspaces,
        "users": directory.users,
        "keys": directory.keys,
        "by digest": directory._key_by_digest,
        "keys of": {p: directory.keys_of(p) for p in directory.workspaces},
        "tokens": directory._token_by_digest,
        "paths": {
            (method, path): directory.paths.find(method, path)
            for method in ("GET", "POST")
            for path in ("/people", "/people/7", "/companies", "/")
        },
    }


def loaded(world: World) -> Directory:
    fresh = Directory()
    fresh.load(world.reader)
    return fresh


def in_old_plan(world: World) -> None:
    profile_id = world.workspace()
    world.call("plans.create", slug="small", name="Small", credits_per_month=1)
    world.call("workspaces.change", profile_id=profile_id, plan="small")
    world.advance(days=31)


def in_waiting_plan(world: World) -> None:
    profile_id = world.workspace()
    world.call("plans.create", slug="small", name="Small", credits_per_month=1)
    world.call("workspaces.change", profile_id=profile_id, plan="small")
    ((end_ms,),) = world.select("select end_ms from periods")
    known = world.directory.workspaces[profile_id]
    assert known.plan_id_at(end_ms - 1) == known.plan_id
    assert known.plan_id_at(end_ms) == known.next_plan_id is not None


def in_new_zone(world: World) -> None:
    profile_id = world.workspace()
    old_ms = world.now_ms - 30 * MS_PER_DAY
    world.record([request(profile_id, "a"), request(profile_id, "b", time_ms=old_ms)])
    world.call("workspaces.change", profile_id=profile_id, timezone="Asia/Tokyo")
    assert world.directory.workspaces[profile_id].report_timezone == "UTC"
    world.settle()
    assert world.directory.workspaces[profile_id].report_timezone == "Asia/Tokyo"


def in_rotated_key(world: World) -> None:
    profile_id = world.workspace()
    key_id = world.key(profile_id)
    world.call("keys.rotate", profile_id=profile_id, key_id=key_id, overlap_seconds=60)
    world.call("keys.revoke", profile_id=profile_id, key_id=key_id)


def in_imported_key(world: World) -> None:
    profile_id = world.workspace()
    secret = "imported-0123456789-abcdefghijk"
    key_id = world.key(profile_id, key=secret)
    found = world.directory.key_of_digest(digest(secret))
    assert found is not None
    assert found.key_id == key_id


def in_key_terms(world: World) -> None:
    profile_id = world.workspace()
    log_type_id = world.log_type()
    key_id = world.key(
        profile_id, log_type_slugs=["people_search"], ip_ranges=["192.0.2.0/24"], credits_cap=3
    )
    assert world.directory.keys[key_id].log_type_ids == frozenset({log_type_id})
    new = world.call("keys.rotate", profile_id=profile_id, key_id=key_id, overlap_seconds=60)
    world.call("keys.change", profile_id=profile_id, key_id=key_id, log_type_slugs=None)
    world.call("keys.change", profile_id=profile_id, key_id=new.key_id, credits_cap=4)
    assert world.directory.keys[key_id].credits_cap_micro == 4_000_000


def in_shadow_mode(world: World) -> None:
    world.workspace()
    world.call("plans.change", slug="basic", is_shadow=True)
    assert [plan.is_shadow for plan in world.directory.plans.values()] == [True]


def in_auto_top_up(world: World) -> None:
    profile_id = world.workspace(auto_top_up_credit=5)
    world.call(
        "workspaces.change",
        profile_id=profile_id,
        is_auto_top_up_credits_enabled=True,
        auto_top_up_balance_fall_below=2,
    )
    known = world.directory.workspaces[profile_id]
    assert known.is_auto_top_up_credits_enabled
    assert known.auto_top_up_balance_fall_below_micro == 2_000_000


def in_user(world: World) -> None:
    profile_id = world.workspace(licences=2)
    made = world.call("users.create", profile_id=profile_id, nickname="Bo", email="bo@a.example")
    world.call("users.change", profile_id=profile_id, user_id=made.user_id, nickname="Beau")
    assert world.directory.users[made.user_id].nickname == "Beau"


def in_price(world: World) -> None:
    log_type_id = world.log_type(credits=3, method="GET", path="/people/{id}")
    assert world.directory.paths.find("GET", "/people/7") == log_type_id
    world.call("log_types.change", slug="people_search", credits=5)
    prices = {"people_search": 1}
    world.call("plans.create", slug="own", name="Own", credits_per_month=1, prices=prices)
    world.call("plans.change", slug="own", prices={"people_search": 2})


def in_token(world: World) -> None:
    made = world.call("tokens.create", name="gateway", scope="meter")
    world.call("tokens.revoke", token_id=made.token_id)


CHANGES: dict[str, Callable[[World], None]] = {
    "a plan that a period takes over": in_old_plan,
    "a plan that waits for a period": in_waiting_plan,
    "a zone whose days are built": in_new_zone,
    "a rotated and a revoked key": in_rotated_key,
    "an imported key": in_imported_key,
    "the terms of a key and of its family": in_key_terms,
    "a plan in shadow mode": in_shadow_mode,
    "an auto top-up": in_auto_top_up,
    "a user": in_user,
    "a price": in_price,
    "a token": in_token,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("is_at_once", [True, False], ids=["at once", "later"])
def test_following_leads_where_loading_does(
    world: World, change: Callable[[World], None], is_at_once: bool
) -> None:
    """`world` follows after each command; the other directory follows all of it in one go."""
    late = loaded(world)
    change(world)
    assert late.refresh(world.reader)
    followed = world.directory if is_at_once else late
    assert contents(followed) == contents(loaded(world))
    assert not followed.refresh(world.reader)


def test_a_revoked_token_is_no_token(world: World) -> None:
    made = world.call("tokens.create", name="gateway", scope="meter")
    token_digest = next(iter(world.directory._token_by_digest))
    found = world.directory.token_of_digest(token_digest)
    assert found is not None
    assert found.token_id == made.token_id
    world.call("tokens.revoke", token_id=made.token_id)
    assert world.directory.token_of_digest(token_digest) is None


def test_a_workspace_is_never_known_before_its_plan(world: World) -> None:
    """Readers are on another thread: between two entries everything must fit together."""
    late = loaded(world)
    profile_id = world.workspace()
    late.refresh(world.reader)
    world.call("workspaces.change", profile_id=profile_id, name="Renamed")
    world.call("plans.create", slug="new", name="New", credits_per_month=9000)
    world.call("workspaces.change", profile_id=profile_id, plan="new")
    seen: list[bool] = []

    class Watched(dict[int, Workspace]):
        def __setitem__(self, key: int, value: Workspace) -> None:
            seen.append(value.plan_id in late.plans)
            super().__setitem__(key, value)

    late.workspaces = Watched(late.workspaces)
    late.refresh(world.reader)
    assert seen == [True]


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, SqliteDatabase]]:
    """A world with 100,000 keys of 10,000 workspaces."""
    with World(tmp_path_factory.mktemp("crowded")) as world:
        world.workspace()
        store = open_writer(world.path)
        crowd(store, KEYS)
        store.close()
        reader = open_reader(world.path)
        world.directory.load(reader)
        yield world, reader
        reader.close()


def crowd(store: SqliteDatabase, count: int) -> None:
    numbers = (
        f"with recursive n(i) as (select 2 union all select i + 1 from n where i < {count // 10}) "
    )
    store.connection.execute(
        f"begin; insert into workspaces {numbers} select i, printf('%036d', i), name, description,"
        " plan_id, next_plan_id, timezone, zone_version, licences, is_quota_sharing_enabled,"
        " anchor_day, status, 0, null, null, 0, created_at_ms, 0, '' from n, workspaces"
        " where profile_id = 1;"
        f"insert into workspace_zones {numbers} select i, 1, 0, 'UTC', null from n;"
        f"insert into workspace_plans {numbers} select i, 0, 1 from n;"
        f"insert into users {numbers}"
        " select printf('u%035d', i), i, 'x', 'x@x.example', 1, i from n"
    )
    store.connection.executemany(
        "insert into keys values (?1, ?2, (select user_id from users where profile_id = ?2), '',"
        " ?3, printf('%020d', ?4), 'api', ?4, null, null, null, ?1, null, null)",
        (
            (f"key-{n:06}", 1 + n % (count // 10), hashlib.sha256(f"{n}".encode()).digest(), n)
            for n in range(count)
        ),
    )
    store.connection.execute("commit")


def test_a_hundred_thousand_keys_are_known(crowded: tuple[World, SqliteDatabase]) -> None:
    world, _ = crowded
    assert len(world.directory.keys) == KEYS
    assert len(world.directory.workspaces) == KEYS // 10
    found = world.directory.key_of_digest(hashlib.sha256(b"77777").digest())
    assert found is not None
    assert found.key_id == "key-077777"
    assert len(world.directory.keys_of(78)) == 10


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("directory_keys", {"key_id": "key-000001"}),
        ("directory_users", {"user_id": "u"}),
        ("directory_workspaces", {"profile_id": 1}),
        ("directory_workspace_zones", {"profile_id": 1}),
        ("directory_workspace_plans", {"profile_id": 1}),
        ("changes_since", {"change_id": 1}),
    ],
)
def test_a_change_is_followed_by_index(
    crowded: tuple[World, SqliteDatabase], name: str, params: dict[str, str | int]
) -> None:
    _, reader = crowded
    plan = reader.connection.execute("explain query plan " + named_queries()[name], params)
    steps = [str(row[3]) for row in plan]
    assert any(step.startswith("SEARCH") for step in steps)
    assert not any(step.startswith("SCAN") for step in steps)
