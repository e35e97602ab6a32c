"""Users: never more than licences, and one address each."""

from __future__ import annotations

from typing import Any

import pytest

from farebox.core.errors import (
    ALREADY_EXISTS,
    LICENCES_EXHAUSTED,
    NOT_FOUND,
    UNPROCESSABLE,
)
from farebox.service.pages import turn
from farebox.service.users import list_users, read_user
from tests.support.harness import Harness
from tests.support.refusal import refused


def create(harness: Harness, profile_id: int, name: str) -> str:
    answer = harness.call(
        "users.create", profile_id=profile_id, nickname=name, email=f"{name}@example.com"
    )
    return str(answer.user_id)


def test_users_never_exceed_the_licences_and_the_owner_takes_one(harness: Harness) -> None:
    profile_id = harness.workspace(licences=3)
    create(harness, profile_id, "a")
    create(harness, profile_id, "b")
    with refused(LICENCES_EXHAUSTED, harness):
        create(harness, profile_id, "c")


def test_an_address_is_taken_once_in_a_workspace(harness: Harness) -> None:
    profile_id = harness.workspace(licences=5)
    user_id = create(harness, profile_id, "a")
    other_id = create(harness, profile_id, "b")
    with refused(ALREADY_EXISTS, harness, field="email"):
        create(harness, profile_id, "a")
    with refused(ALREADY_EXISTS, harness, field="email"):
        harness.call("users.change", profile_id=profile_id, user_id=other_id, email="a@example.com")
    harness.call("users.change", profile_id=profile_id, user_id=user_id, email="a@example.com")
    create(harness, harness.workspace(licences=2), "a")


def test_a_change_is_known_at_once(harness: Harness) -> None:
    profile_id = harness.workspace(licences=2)
    user_id = create(harness, profile_id, "a")
    harness.call("users.change", profile_id=profile_id, user_id=user_id, nickname="Z")
    assert harness.directory.users[user_id].nickname == "Z"
    assert read_user(harness.reader, profile_id, user_id).email == "a@example.com"


def test_a_user_of_another_workspace_is_not_found(harness: Harness) -> None:
    mine = harness.workspace(licences=2)
    theirs = create(harness, harness.workspace(licences=2), "a")
    with refused(NOT_FOUND, harness):
        harness.call("users.change", profile_id=mine, user_id=theirs, nickname="x")
    with refused(NOT_FOUND):
        read_user(harness.reader, mine, theirs)


def test_an_unknown_workspace_has_no_users(harness: Harness) -> None:
    with refused(NOT_FOUND, harness):
        create(harness, 7, "a")
    with refused(NOT_FOUND):
        list_users(harness.reader, 7, turn(None, None))


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("nickname", {"nickname": "\t"}),
        ("email", {"email": "a@"}),
        ("email", {"email": "a b@example.com"}),
        ("email", {"email": "x" * 250 + "@a.bc"}),
    ],
)
def test_a_field_that_can_not_be_is_named(
    harness: Harness, field: str, fields: dict[str, Any]
) -> None:
    profile_id = harness.workspace(licences=2)
    sent: dict[str, Any] = {
        "profile_id": profile_id,
        "nickname": "A",
        "email": "a@example.com",
        **fields,
    }
    with refused(UNPROCESSABLE, harness, field=field):
        harness.call("users.create", **sent)


def test_pages_hold_every_user_once(harness: Harness) -> None:
    profile_id = harness.workspace(licences=20)
    made = {create(harness, profile_id, f"u{number}") for number in range(7)}
    seen: list[str] = []
    cursor = None
    while True:
        page = list_users(harness.reader, profile_id, turn(cursor, 3))
        seen += [user.user_id for user in page.data if not user.is_owner]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert sorted(seen) == sorted(made)
