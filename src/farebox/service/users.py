"""Users: the members of a workspace, never more than its licences; each has one owner."""

from __future__ import annotations

from typing import NamedTuple

from msgspec import UNSET

from farebox.core.errors import ALREADY_EXISTS, LICENCES_EXHAUSTED, NOT_FOUND, FareboxError
from farebox.core.instant import to_iso_ms
from farebox.core.phrase import Phrase
from farebox.core.workspace import User
from farebox.engine.entropy import new_uuid
from farebox.engine.transaction import Command, Transaction
from farebox.service import fields
from farebox.service.forms.workspace import UserChange, UserData, UserMake
from farebox.service.pages import Page, Turn, page
from farebox.store.contract import Reader

NICKNAME_LENGTH_MAX = 100


class Seats(NamedTuple):
    """The licences of a workspace and how many are in use."""

    licences: int
    users: int


def create_user(tx: Transaction, made: UserMake) -> UserData:
    """Make a user, if a licence is left."""
    seats = tx.db.one("seats", Seats, profile_id=made.profile_id)
    if seats is None:
        raise FareboxError(NOT_FOUND, what=Phrase("workspace"))
    user = _insert(tx, made.profile_id, made.nickname, made.email, is_owner=False)
    if seats.users >= seats.licences:
        raise FareboxError(LICENCES_EXHAUSTED, licences=seats.licences)
    return _data(user)


def insert_owner(tx: Transaction, profile_id: int, nickname: str, email: str | None) -> User:
    """The first user of a new workspace; without an address, one that goes nowhere."""
    if email is None:
        email = f"owner@workspace-{profile_id}.invalid"
    nickname = fields.text("owner_nickname", nickname, NICKNAME_LENGTH_MAX)
    return _insert(tx, profile_id, nickname, fields.email("owner_email", email), is_owner=True)


def change_user(tx: Transaction, change: UserChange) -> UserData:
    """Change a user."""
    user = user_row(tx.db, change.profile_id, change.user_id)
    if change.nickname is not UNSET:
        nickname = fields.text("nickname", change.nickname, NICKNAME_LENGTH_MAX)
        user = user._replace(nickname=nickname)
    if change.email is not UNSET:
        user = user._replace(email=fields.email("email", change.email))
        _check_email(tx, user)
    tx.db.execute("user_update", user_id=user.user_id, nickname=user.nickname, email=user.email)
    tx.change(
        "change",
        "user",
        user.user_id,
        profile_id=user.profile_id,
        detail=fields.sent(change),
    )
    return _data(user)


def user_row(reader: Reader, profile_id: int, user_id: str) -> User:
    """A user of a workspace.

    Raises:
        FareboxError: 404, the workspace has no such user.
    """
    user = reader.one("user_get", User, profile_id=profile_id, user_id=user_id)
    if user is None:
        raise FareboxError(NOT_FOUND, what=Phrase("user"))
    return user


def read_user(reader: Reader, profile_id: int, user_id: str) -> UserData:
    """A user of a workspace."""
    return _data(user_row(reader, profile_id, user_id))


def list_users(reader: Reader, profile_id: int, at: Turn) -> Page[UserData]:
    """A page of a workspace's users, the oldest first."""
    if reader.one("seats", Seats, profile_id=profile_id) is None:
        raise FareboxError(NOT_FOUND, what=Phrase("workspace"))
    rows = reader.rows(
        "users_page",
        User,
        profile_id=profile_id,
        after_ms=at.after[0],
        after_id=at.after[1],
        count=at.rows,
    )
    found = page(rows, at, lambda user: (user.created_at_ms, user.user_id))
    return Page([_data(user) for user in found.data], found.next_cursor)


def _insert(tx: Transaction, profile_id: int, nickname: str, email: str, *, is_owner: bool) -> User:
    user = User(
        new_uuid(tx.entropy),
        profile_id,
        fields.text("nickname", nickname, NICKNAME_LENGTH_MAX),
        fields.email("email", email),
        is_owner,
        tx.now_ms,
    )
    _check_email(tx, user)
    tx.db.execute("user_insert", **user._asdict())
    tx.change("create", "user", user.user_id, profile_id=profile_id)
    return user


def _check_email(tx: Transaction, user: User) -> None:
    holder = tx.db.value("user_of_email", profile_id=user.profile_id, email=user.email)
    if holder not in {None, user.user_id}:
        raise FareboxError(ALREADY_EXISTS, what=Phrase("user"), field="email")


def _data(user: User) -> UserData:
    return UserData(
        user_id=user.user_id,
        nickname=user.nickname,
        email=user.email,
        is_owner=bool(user.is_owner),
        created_at=to_iso_ms(user.created_at_ms),
    )


COMMANDS = (
    Command("users.create", UserMake, create_user),
    Command("users.change", UserChange, change_user),
)
