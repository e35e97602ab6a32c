"""Keys: secrets once, masks unique, ends that last."""

from __future__ import annotations

import random
from typing import Any

import pytest

from farebox.core.errors import (
    ALREADY_EXISTS,
    IDEMPOTENCY_MISMATCH,
    KEY_ENDED,
    NOT_FOUND,
    UNPROCESSABLE,
)
from farebox.core.instant import MS_PER_SECOND, to_iso_ms
from farebox.core.key import digest, is_plausible, mask
from farebox.service.keys import list_keys, read_key
from farebox.service.pages import turn
from tests.support.harness import Harness
from tests.support.refusal import refused


def test_a_key_is_told_once_and_works_at_once(harness: Harness) -> None:
    profile_id = harness.workspace()
    made = harness.call("keys.create", profile_id=profile_id, name="Production")
    assert made.key.startswith("fbx_")
    assert is_plausible(made.key)
    assert made.masked_authentication == mask(made.key)
    found = harness.directory.key_of_digest(digest(made.key))
    assert found is not None
    assert (found.key_id, found.profile_id, found.channel) == (made.key_id, profile_id, "api")
    owner = harness.select("select user_id from users where is_owner = 1")
    assert [(made.user_id,)] == owner


def test_a_secret_is_in_no_database_and_no_repr(harness: Harness) -> None:
    profile_id = harness.workspace()
    secrets = [
        harness.call("keys.create", profile_id=profile_id, idempotency_key="a").key,
        harness.call("keys.create", profile_id=profile_id, key="imported-canary-key").key,
        harness.call("tokens.create", name="t", scope="meter", idempotency_key="b").token,
    ]
    made = harness.call("keys.create", profile_id=profile_id)
    assert made.key not in repr(made)
    with refused(ALREADY_EXISTS):
        harness.call("keys.create", profile_id=profile_id, key="imported-canary-key")
    harness.recorder.close()
    contents = list(harness.home.contents())
    assert contents
    for secret in [*secrets, made.key]:
        assert not any(secret.encode() in content for content in contents)


def test_a_repeated_call_gets_the_first_answer_without_the_secret(harness: Harness) -> None:
    profile_id = harness.workspace()
    first = harness.call("keys.create", profile_id=profile_id, name="A", idempotency_key="k")
    again = harness.call("keys.create", profile_id=profile_id, name="A", idempotency_key="k")
    assert again.key is None
    assert again.key_id == first.key_id
    assert harness.select("select count(*) from keys") == [(1,)]
    with refused(IDEMPOTENCY_MISMATCH, harness):
        harness.call("keys.create", profile_id=profile_id, name="B", idempotency_key="k")
    other = harness.call(
        "keys.create", profile_id=profile_id, name="B", idempotency_key="k", actor="another"
    )
    assert other.key_id != first.key_id


def test_minting_draws_again_when_the_mask_is_taken(harness: Harness) -> None:
    profile_id = harness.workspace()
    harness.entropy._random = random.Random(7)
    first = harness.call("keys.create", profile_id=profile_id)
    harness.entropy._random = random.Random(7)
    second = harness.call("keys.create", profile_id=profile_id)
    assert second.key != first.key
    assert second.masked_authentication != first.masked_authentication
    elsewhere = harness.workspace()
    imported = harness.call("keys.create", profile_id=elsewhere, key="f0123456789" + first.key[-3:])
    assert imported.masked_authentication == first.masked_authentication


def test_an_imported_key_that_clashes_keeps_its_mask(harness: Harness) -> None:
    profile_id = harness.workspace()
    first = harness.call("keys.create", profile_id=profile_id, key="abcdefghijklmnop")
    second = harness.call("keys.create", profile_id=profile_id, key="a23456789012mnop")
    assert first.masked_authentication == second.masked_authentication == "a" + "•" * 16 + "nop"


@pytest.mark.parametrize(
    "key", ["short", "x" * 513, "with blank inside", "umlaut-ä-12345", "fbx_" + "0" * 38]
)
def test_what_can_not_be_a_key_is_not_imported(harness: Harness, key: str) -> None:
    profile_id = harness.workspace()
    with refused(UNPROCESSABLE, harness, field="key"):
        harness.call("keys.create", profile_id=profile_id, key=key)


def test_a_key_is_imported_once_in_all(harness: Harness) -> None:
    harness.call("keys.create", profile_id=harness.workspace(), key="abcdefghijklmnop")
    other = harness.workspace()
    with refused(ALREADY_EXISTS, harness, field="key"):
        harness.call("keys.create", profile_id=other, key="abcdefghijklmnop")


def test_a_revoked_key_is_refused_and_stays_so(harness: Harness) -> None:
    profile_id = harness.workspace()
    key_id = harness.key(profile_id)
    harness.call("keys.revoke", profile_id=profile_id, key_id=key_id)
    revoked_ms = harness.directory.keys[key_id].revoked_at_ms
    assert harness.directory.keys[key_id].status(harness.now_ms) == "revoked"
    harness.advance(hours=1)
    harness.call("keys.revoke", profile_id=profile_id, key_id=key_id)
    assert harness.directory.keys[key_id].revoked_at_ms == revoked_ms
    with refused(KEY_ENDED, harness):
        harness.call("keys.change", profile_id=profile_id, key_id=key_id, expires_at=None)
    with refused(KEY_ENDED, harness):
        harness.call("keys.rotate", profile_id=profile_id, key_id=key_id, overlap_seconds=1)


def test_a_key_expires_at_its_instant_and_is_not_revived(harness: Harness) -> None:
    profile_id = harness.workspace()
    ends = to_iso_ms(harness.now_ms + 1000)
    key_id = harness.key(profile_id, expires_at=ends)
    key = harness.directory.keys[key_id]
    assert key.status(harness.now_ms + 999) == "active"
    assert key.status(harness.now_ms + 1000) == "expired"
    harness.advance(1000)
    with refused(KEY_ENDED, harness):
        harness.call("keys.change", profile_id=profile_id, key_id=key_id, expires_at=None)
    assert read_key(harness.reader, profile_id, key_id, harness.now_ms).status == "expired"


def test_a_rotated_key_works_on_for_the_overlap_and_no_longer(harness: Harness) -> None:
    profile_id = harness.workspace(licences=2)
    user = harness.call("users.create", profile_id=profile_id, nickname="A", email="a@example.com")
    old_id = harness.key(profile_id, name="N", channel="portal", user_id=user.user_id)
    new = harness.call("keys.rotate", profile_id=profile_id, key_id=old_id, overlap_seconds=60)
    assert new.rotated_from == old_id
    assert (new.name, new.channel, new.user_id) == ("N", "portal", user.user_id)
    assert new.expires_at is None
    old = harness.directory.keys[old_id]
    assert old.status(harness.now_ms + 60 * MS_PER_SECOND - 1) == "active"
    assert old.status(harness.now_ms + 60 * MS_PER_SECOND) == "expired"


def test_a_rotation_never_lengthens_a_life(harness: Harness) -> None:
    profile_id = harness.workspace()
    ends = to_iso_ms(harness.now_ms + 30 * MS_PER_SECOND)
    old_id = harness.key(profile_id, expires_at=ends)
    new = harness.call("keys.rotate", profile_id=profile_id, key_id=old_id, overlap_seconds=60)
    assert new.expires_at == ends
    assert read_key(harness.reader, profile_id, old_id, harness.now_ms).expires_at == ends


def test_a_key_of_another_workspace_is_not_found(harness: Harness) -> None:
    mine, theirs = harness.workspace(), harness.workspace()
    key_id = harness.key(theirs)
    commands: tuple[tuple[str, dict[str, Any]], ...] = (
        ("keys.revoke", {}),
        ("keys.change", {"name": "x"}),
        ("keys.rotate", {"overlap_seconds": 0}),
    )
    for command, fields in commands:
        with refused(NOT_FOUND, harness):
            harness.call(command, profile_id=mine, key_id=key_id, **fields)
    owner_id = harness.select("select user_id from users where profile_id = ?", theirs)[0][0]
    with refused(NOT_FOUND, harness):
        harness.call("keys.create", profile_id=mine, user_id=owner_id)


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("name", {"name": "x" * 101}),
        ("expires_at", {"expires_at": "2020-01-01T00:00:00Z"}),
        ("expires_at", {"expires_at": "tomorrow"}),
    ],
)
def test_a_field_that_can_not_be_is_named(
    harness: Harness, field: str, fields: dict[str, Any]
) -> None:
    profile_id = harness.workspace()
    with refused(UNPROCESSABLE, harness, field=field):
        harness.call("keys.create", profile_id=profile_id, **fields)


def test_pages_hold_every_key_once_revoked_ones_too(harness: Harness) -> None:
    profile_id = harness.workspace()
    made = [harness.key(profile_id) for _ in range(5)]
    harness.call("keys.revoke", profile_id=profile_id, key_id=made[0])
    first = list_keys(harness.reader, profile_id, turn(None, 3), harness.now_ms)
    second = list_keys(harness.reader, profile_id, turn(first.next_cursor, 3), harness.now_ms)
    assert sorted(k.key_id for k in first.data + second.data) == sorted(made)
    assert {k.status for k in first.data + second.data} == {"active", "revoked"}
