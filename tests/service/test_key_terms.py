"""Terms of keys: what they may call, from where, and the cap that a family shares."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from farebox.core.errors import (
    IDEMPOTENCY_MISMATCH,
    INVALID_FIELD,
    NOT_FOUND,
    UNKNOWN_LOG_TYPE,
    UNPROCESSABLE,
    FareboxError,
)
from farebox.core.instant import MS_PER_SECOND
from farebox.core.ip_range import parse_ranges
from farebox.core.workspace import ApiKey
from farebox.engine.directory import Directory
from farebox.service.keys import list_keys, read_key
from farebox.service.pages import turn
from tests.support.harness import Harness
from tests.support.homes import Home
from tests.support.refusal import refused
from tests.support.worlds import World

TERMS: dict[str, Any] = {
    "log_type_slugs": ["people_search", "company_search"],
    "ip_ranges": ["192.0.2.0/24", "2001:db8::1"],
    "credits_cap": "12.5",
}
NONE = dict.fromkeys(TERMS)


@pytest.fixture
def harness(home: Home) -> Iterator[World]:
    with World(home) as made:
        for slug in ("people_search", "company_search", "job_search"):
            made.log_type(slug)
        yield made


def terms(key: Any) -> dict[str, Any]:  # noqa: ANN401 - the answer of a command or a read
    """What an answer says of a key's terms."""
    return {name: getattr(key, name) for name in TERMS}


def known_caps(harness: Harness, *key_ids: str) -> list[int | None]:
    """The caps that a process knows."""
    return [harness.directory.keys[key_id].credits_cap_micro for key_id in key_ids]


def loaded(harness: Harness) -> dict[str, ApiKey]:
    """The keys that a process knows that starts now."""
    fresh = Directory()
    fresh.load(harness.reader)
    return fresh.keys


def test_a_key_has_no_terms_unless_they_are_given(harness: World) -> None:
    made = harness.call("keys.create", profile_id=harness.workspace())
    key = harness.directory.keys[made.key_id]
    assert terms(made) == NONE
    assert (key.log_type_ids, key.ip_ranges, key.credits_cap_micro) == (None, None, None)
    assert made.family_id == key.family_id == made.key_id


def test_terms_are_what_was_sent_and_every_process_knows_them(harness: World) -> None:
    profile_id = harness.workspace()
    made = harness.call("keys.create", profile_id=profile_id, **TERMS)
    assert terms(made) == {
        "log_type_slugs": ["company_search", "people_search"],
        "ip_ranges": ["192.0.2.0/24", "2001:db8::1"],
        "credits_cap": Decimal("12.5"),
    }
    read = read_key(harness.reader, profile_id, made.key_id, harness.now_ms)
    listed = list_keys(harness.reader, profile_id, turn(None, None), harness.now_ms).data
    assert [terms(read)] == [terms(key) for key in listed] == [terms(made)]
    key = harness.directory.keys[made.key_id]
    slugs = {log_type.log_type_id: slug for slug, log_type in directory_slugs(harness)}
    assert {slugs[i] for i in key.log_type_ids or ()} == set(TERMS["log_type_slugs"])
    assert key.ip_ranges == parse_ranges(TERMS["ip_ranges"])
    assert key.credits_cap_micro == 12_500_000
    assert loaded(harness) == harness.directory.keys


def directory_slugs(harness: Harness) -> Any:  # noqa: ANN401 - pairs of slug and log type
    return harness.directory.log_type_by_slug.items()


def test_an_imported_key_has_terms_too(harness: World) -> None:
    profile_id = harness.workspace()
    made = harness.call("keys.create", profile_id=profile_id, key="an-old-key-of-ours", **TERMS)
    assert made.credits_cap == Decimal("12.5")
    assert harness.directory.keys[made.key_id].ip_ranges == parse_ranges(TERMS["ip_ranges"])


def test_a_term_can_be_changed_and_taken_away_without_the_others(harness: World) -> None:
    profile_id = harness.workspace()
    made = harness.call("keys.create", profile_id=profile_id, **TERMS)
    want = terms(made)
    for name, sent, now in (
        ("log_type_slugs", ["job_search"], ["job_search"]),
        ("log_type_slugs", None, None),
        ("ip_ranges", ["10.0.0.1"], ["10.0.0.1"]),
        ("ip_ranges", None, None),
        ("credits_cap", 0, 0),
        ("credits_cap", None, None),
    ):
        change: dict[str, Any] = {"profile_id": profile_id, "key_id": made.key_id, name: sent}
        answer = harness.call("keys.change", **change)
        want[name] = now
        assert terms(answer) == want
        read = read_key(harness.reader, profile_id, made.key_id, harness.now_ms)
        assert terms(read) == want
        assert loaded(harness) == harness.directory.keys
    key = harness.directory.keys[made.key_id]
    assert (key.log_type_ids, key.ip_ranges, key.credits_cap_micro) == (None, None, None)
    assert harness.select("select count(*) from key_log_types") == [(0,)]


def test_what_is_not_sent_stays(harness: World) -> None:
    profile_id = harness.workspace()
    made = harness.call("keys.create", profile_id=profile_id, **TERMS)
    change = {"profile_id": profile_id, "key_id": made.key_id, "name": "Renamed"}
    answer = harness.call("keys.change", **change)
    assert answer.name == "Renamed"
    assert terms(answer) == terms(made)


def test_what_an_answer_tells_can_be_sent_again(harness: World) -> None:
    profile_id = harness.workspace()
    sent = {**TERMS, "ip_ranges": ["192.0.2.9/24", "::ffff:10.0.0.1"]}
    first = harness.call("keys.create", profile_id=profile_id, **sent)
    assert first.ip_ranges == ["192.0.2.0/24", "10.0.0.1"]
    again = harness.call("keys.change", profile_id=profile_id, key_id=first.key_id, **terms(first))
    assert terms(again) == terms(first)


def test_a_cap_of_zero_is_a_cap(harness: World) -> None:
    key_id = harness.key(harness.workspace(), credits_cap=0)
    assert known_caps(harness, key_id) == [0]


def test_what_stands_twice_counts_once(harness: World) -> None:
    made = harness.call(
        "keys.create",
        profile_id=harness.workspace(),
        log_type_slugs=["job_search", "job_search"],
        ip_ranges=["10.0.0.1", "10.0.0.1/32", "10.0.0.1"],
    )
    assert (made.log_type_slugs, made.ip_ranges) == (["job_search"], ["10.0.0.1"])


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("log_type_slugs", [], "the slugs of one or more log types, or null for all"),
        ("ip_ranges", [], "one or more addresses or CIDR ranges, or null for any"),
        ("ip_ranges", ["10.0.0.1", "here"], "IPv4 or IPv6 addresses or CIDR ranges, such as"),
        ("credits_cap", "-1", "a number of credits from 0"),
        ("credits_cap", "0.0000001", "a number of credits from 0"),
    ],
)
def test_a_term_that_can_not_be_is_refused_with_what_would_be_right(
    harness: World, field: str, value: object, expected: str
) -> None:
    profile_id = harness.workspace()
    key_id = harness.key(profile_id, **TERMS)
    sent: dict[str, Any] = {"name": "N", field: value}
    with refused(UNPROCESSABLE, harness, field=field):
        harness.call("keys.create", profile_id=profile_id, **sent)
    with pytest.raises(FareboxError, match=re.escape(expected)):
        harness.call("keys.create", profile_id=profile_id, **sent)
    with refused(UNPROCESSABLE, harness, field=field):
        harness.call("keys.change", profile_id=profile_id, key_id=key_id, **sent)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("ip_ranges", [f"10.0.0.{n}" for n in range(101)]),
        ("log_type_slugs", ["x"] * 1001),
        ("ip_ranges", "10.0.0.1"),
        ("log_type_slugs", [7]),
    ],
)
def test_a_list_has_bounds_and_a_form(harness: World, field: str, value: object) -> None:
    sent: dict[str, Any] = {"profile_id": harness.workspace(), field: value}
    with refused(INVALID_FIELD, harness):
        harness.call("keys.create", **sent)


def test_a_hundred_ranges_are_taken(harness: World) -> None:
    ranges = [f"10.0.0.{n}" for n in range(100)]
    made = harness.call("keys.create", profile_id=harness.workspace(), ip_ranges=ranges)
    assert made.ip_ranges == ranges


@pytest.mark.parametrize("slug", ["unknown", "__unknown__", "No Slug", ""])
def test_an_unknown_log_type_is_named(harness: World, slug: str) -> None:
    profile_id = harness.workspace()
    key_id = harness.key(profile_id)
    with refused(UNKNOWN_LOG_TYPE, harness, field="log_type_slugs"):
        harness.call("keys.create", profile_id=profile_id, log_type_slugs=["job_search", slug])
    with refused(UNKNOWN_LOG_TYPE, harness, field="log_type_slugs"):
        harness.call(
            "keys.change", profile_id=profile_id, key_id=key_id, name="x", log_type_slugs=[slug]
        )


def test_a_secret_that_stands_for_a_slug_is_not_repeated(harness: World) -> None:
    profile_id = harness.workspace()
    secret = harness.call("keys.create", profile_id=profile_id).key
    with pytest.raises(FareboxError, match=r"'\*\*\*'") as told:
        harness.call("keys.create", profile_id=profile_id, log_type_slugs=[secret])
    assert told.value.kind is UNKNOWN_LOG_TYPE


def test_a_rotated_key_has_the_terms_of_the_old_one(harness: World) -> None:
    profile_id = harness.workspace()
    old = harness.call("keys.create", profile_id=profile_id, name="N", channel="portal", **TERMS)
    new = harness.call("keys.rotate", profile_id=profile_id, key_id=old.key_id, overlap_seconds=60)
    assert (new.name, new.channel, new.rotated_from) == ("N", "portal", old.key_id)
    assert terms(new) == terms(old)
    was, now = harness.directory.keys[old.key_id], harness.directory.keys[new.key_id]
    assert (now.log_type_ids, now.ip_ranges) == (was.log_type_ids, was.ip_ranges)
    assert was.status(harness.now_ms) == now.status(harness.now_ms) == "active"
    overlap_ms = harness.now_ms + 60 * MS_PER_SECOND
    assert (was.status(overlap_ms), now.status(overlap_ms)) == ("expired", "active")


def test_the_keys_of_a_rotation_are_a_family_of_the_first(harness: World) -> None:
    profile_id = harness.workspace()
    first, alone = harness.key(profile_id), harness.key(profile_id)
    chain = [first]
    for _ in range(3):
        rotate: dict[str, Any] = {"key_id": chain[-1], "overlap_seconds": 60}
        chain.append(harness.call("keys.rotate", profile_id=profile_id, **rotate).key_id)
    assert {harness.directory.keys[key_id].family_id for key_id in chain} == {first}
    assert harness.directory.keys[alone].family_id == alone
    assert loaded(harness) == harness.directory.keys


@pytest.mark.parametrize("changed", [0, 1, 2])
def test_a_cap_changes_for_the_whole_family_and_for_no_other(harness: World, changed: int) -> None:
    profile_id = harness.workspace()
    alone = harness.key(profile_id, credits_cap=1)
    chain = [harness.key(profile_id, credits_cap=1)]
    for _ in range(2):
        rotate: dict[str, Any] = {"key_id": chain[-1], "overlap_seconds": 60}
        chain.append(harness.call("keys.rotate", profile_id=profile_id, **rotate).key_id)
    late = Directory()
    late.load(harness.reader)
    change: dict[str, Any] = {"profile_id": profile_id, "key_id": chain[changed]}
    assert harness.call("keys.change", **change, credits_cap=5).credits_cap == 5
    assert known_caps(harness, *chain, alone) == [5_000_000] * 3 + [1_000_000]
    late.refresh(harness.reader)
    assert late.keys == harness.directory.keys == loaded(harness)
    harness.call("keys.change", **change, credits_cap=None)
    assert known_caps(harness, *chain, alone) == [None] * 3 + [1_000_000]


def test_scopes_and_ranges_change_for_one_key_alone(harness: World) -> None:
    profile_id = harness.workspace()
    old = harness.call("keys.create", profile_id=profile_id, **TERMS)
    new = harness.call("keys.rotate", profile_id=profile_id, key_id=old.key_id, overlap_seconds=9)
    change: dict[str, Any] = {"log_type_slugs": None, "ip_ranges": ["10.0.0.1"]}
    harness.call("keys.change", profile_id=profile_id, key_id=new.key_id, **change)
    read = read_key(harness.reader, profile_id, old.key_id, harness.now_ms)
    assert terms(read) == terms(old)


def test_a_family_lives_on_when_its_first_key_has_ended(harness: World) -> None:
    profile_id = harness.workspace()
    first = harness.key(profile_id, credits_cap=1)
    rotate: dict[str, Any] = {"key_id": first, "overlap_seconds": 0}
    second = harness.call("keys.rotate", profile_id=profile_id, **rotate).key_id
    harness.call("keys.revoke", profile_id=profile_id, key_id=first)
    harness.call("keys.change", profile_id=profile_id, key_id=second, credits_cap=2)
    assert known_caps(harness, second) == [2_000_000]
    assert harness.directory.keys[second].family_id == first
    assert harness.directory.keys[first].status(harness.now_ms) == "revoked"


def test_who_changed_what_is_kept_for_every_key_that_changed(harness: World) -> None:
    profile_id = harness.workspace()
    first = harness.key(profile_id)
    rotate: dict[str, Any] = {"key_id": first, "overlap_seconds": 60}
    second = harness.call("keys.rotate", profile_id=profile_id, **rotate).key_id
    (before,) = harness.select("select max(change_id) from changes")[0]
    harness.call(
        "keys.change", actor="ada", profile_id=profile_id, key_id=second, credits_cap="2.5"
    )
    rows = harness.select(
        "select actor, action, ref, detail from changes where change_id > ? order by ref", before
    )
    kept = {ref: json.loads(detail) for _, _, ref, detail in rows}
    assert {(actor, action) for actor, action, _, _ in rows} == {("ada", "change")}
    assert kept[second]["credits_cap"] == "2.5"
    assert kept[first] == {"credits_cap": "2.5", "changed_with": second}


def test_terms_survive_a_restart(harness: World) -> None:
    profile_id = harness.workspace()
    old = harness.call("keys.create", profile_id=profile_id, **TERMS)
    rotate: dict[str, Any] = {"key_id": old.key_id, "overlap_seconds": 60}
    new = harness.call("keys.rotate", profile_id=profile_id, **rotate)
    known = dict(harness.directory.keys)
    harness.reopen()
    assert loaded(harness) == known
    harness.call("keys.change", profile_id=profile_id, key_id=new.key_id, credits_cap=7)
    assert known_caps(harness, old.key_id, new.key_id) == [7_000_000, 7_000_000]
    again = harness.call("keys.rotate", profile_id=profile_id, **{**rotate, "key_id": new.key_id})
    assert again.family_id == old.key_id
    assert terms(again) == {**terms(old), "credits_cap": 7}


def test_a_repeated_call_gets_the_first_answer_with_its_terms(harness: World) -> None:
    profile_id = harness.workspace()
    first = harness.call("keys.create", profile_id=profile_id, idempotency_key="k", **TERMS)
    again = harness.call("keys.create", profile_id=profile_id, idempotency_key="k", **TERMS)
    assert (again.key, again.key_id, terms(again)) == (None, first.key_id, terms(first))
    with refused(IDEMPOTENCY_MISMATCH, harness):
        harness.call("keys.create", profile_id=profile_id, idempotency_key="k", credits_cap=1)


def test_the_terms_of_another_workspaces_key_can_not_be_changed(harness: World) -> None:
    mine, theirs = harness.workspace(), harness.workspace()
    key_id = harness.key(theirs, **TERMS)
    with refused(NOT_FOUND, harness):
        harness.call("keys.change", profile_id=mine, key_id=key_id, credits_cap=None)
