"""Authenticate: whose call it is, by the digest of the whole presented key, from memory.

An unknown, an expired and a revoked key get the same answer. A suspended workspace is told so, to
whoever holds one of its keys. What the directory doesn't know is looked for once more in the store
before it is refused, so that a new one works at once, and a store that is gone is never told as a
wrong key.
"""

from __future__ import annotations

from typing import NamedTuple

from farebox.core.errors import (
    INVALID_KEY,
    INVALID_TOKEN,
    SUSPENDED,
    WRONG_SCOPE,
    FareboxError,
)
from farebox.core.key import digest, is_plausible
from farebox.core.workspace import ApiKey, Scope, Token, User, Workspace
from farebox.engine.directory import Directory
from farebox.engine.follower import Follower


class Caller(NamedTuple):
    """Who calls; `authentication_type` is the header that the key came in."""

    key: ApiKey
    user: User
    workspace: Workspace
    authentication_type: str

    @property
    def profile_id(self) -> int:
        """The caller's own workspace."""
        return self.workspace.profile_id


async def find_caller(
    directory: Directory,
    follower: Follower,
    secret: str,
    authentication_type: str,
    now_ms: int,
) -> Caller:
    """The caller of a presented key, as `authenticate`.

    Raises:
        FareboxError: likewise, or 503: the store is gone.
    """
    await follower.ensure_fresh()
    if is_unknown_key(directory, secret):
        await follower.catch_up()
    return authenticate(directory, secret, authentication_type, now_ms)


async def find_token(directory: Directory, follower: Follower, secret: str, scope: Scope) -> Token:
    """The provider's token, as `authenticate_token`.

    Raises:
        FareboxError: likewise, or 503: the store is gone.
    """
    await follower.ensure_fresh()
    if is_unknown_token(directory, secret):
        await follower.catch_up()
    return authenticate_token(directory, secret, scope)


def is_unknown_key(directory: Directory, secret: str) -> bool:
    """Whether this could be a key that the directory hasn't heard of."""
    return is_plausible(secret) and directory.key_of_digest(digest(secret)) is None


def authenticate(
    directory: Directory, secret: str, authentication_type: str, now_ms: int
) -> Caller:
    """The caller of a presented key.

    Raises:
        FareboxError: 401 or, for a suspended workspace, 403.
    """
    key = directory.key_of_digest(digest(secret)) if is_plausible(secret) else None
    if key is None or key.status(now_ms) != "active":
        raise FareboxError(INVALID_KEY)
    workspace = directory.workspaces[key.profile_id]
    if workspace.status == "suspended":
        raise FareboxError(SUSPENDED)
    return Caller(key, directory.users[key.user_id], workspace, authentication_type)


def is_unknown_token(directory: Directory, secret: str) -> bool:
    """Whether this could be a token that the directory hasn't heard of."""
    return is_plausible(secret) and directory.token_of_digest(digest(secret)) is None


def authenticate_token(directory: Directory, secret: str, scope: Scope) -> Token:
    """The provider's token, which must have the scope; `admin` may do what `meter` may.

    Raises:
        FareboxError: 401, or 403 for a token of the other scope.
    """
    token = directory.token_of_digest(digest(secret)) if is_plausible(secret) else None
    if token is None:
        raise FareboxError(INVALID_TOKEN, scope=scope)
    if token.scope not in {scope, "admin"}:
        raise FareboxError(WRONG_SCOPE, scope=scope)
    return token
