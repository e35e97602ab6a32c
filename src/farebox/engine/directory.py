"""The directory: keys, users, workspaces, plans, log types and tokens in memory.

It answers without SQL, so that a key is looked up and a request priced on the event loop. It is
read whole at start and follows the table `changes`: after one's own write at once, else a few
times a second. A key is looked up by the digest of the whole presented key.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from farebox.core.errors import UNKNOWN_LOG_TYPE, FareboxError
from farebox.core.log_type import LogType, PathTable, Price
from farebox.core.plan import Plan
from farebox.core.request import UNKNOWN_SLUG, UNMAPPED
from farebox.core.workspace import ApiKey, Token, User, Workspace
from farebox.engine.directory_rows import (
    read_keys,
    read_log_types,
    read_plans,
    read_tokens,
    read_users,
    read_workspaces,
)
from farebox.store.contract import Reader

# What others point to is read first: no reader may find a workspace whose plan isn't there.
_ORDER = {"log_type": 0, "plan": 1, "workspace": 2, "user": 3, "key": 4, "token": 5}
_SHARED = ("log_type", "plan")


class _Change(NamedTuple):
    change_id: int
    kind: str
    ref: str
    profile_id: int | None


class Directory:
    """One per process.

    `refresh` may run on another thread than the readers: each entry is replaced whole, so that a
    reader sees the old or the new one.
    """

    def __init__(self) -> None:
        self.change_id = 0
        # The last change of each workspace, and of what all of them share.
        self._changed: dict[int, int] = {}
        self._terms_changed = 0
        self.log_types: dict[int, LogType] = {}
        self.log_type_by_slug: dict[str, LogType] = {}
        self.plans: dict[int, Plan] = {}
        self.workspaces: dict[int, Workspace] = {}
        self.users: dict[str, User] = {}
        self.keys: dict[str, ApiKey] = {}
        self.paths = PathTable([])
        self._key_by_digest: dict[bytes, ApiKey] = {}
        self._keys_of: dict[int, dict[str, ApiKey]] = defaultdict(dict)
        self._users_of: dict[int, dict[str, User]] = defaultdict(dict)
        self._token_by_digest: dict[bytes, Token] = {}

    def load(self, reader: Reader) -> None:
        """Read everything, from one snapshot."""
        reader.begin_read()
        try:
            self.change_id = reader.integer("changes_last")
            self._take_log_types(reader)
            self.plans = read_plans(reader)
            self.workspaces = {w.profile_id: w for w in read_workspaces(reader, None)}
            self._take_users(read_users(reader, None))
            self._take_keys(read_keys(reader, None))
            self._take_tokens(reader)
        finally:
            reader.end_read()

    def refresh(self, reader: Reader) -> bool:
        """Read again what changed since, from one snapshot; whether anything did."""
        reader.begin_read()
        try:
            changes = reader.rows("changes_since", _Change, change_id=self.change_id)
            different = {(c.kind, c.ref): c for c in changes}.values()
            for change in sorted(different, key=lambda c: _ORDER.get(c.kind, len(_ORDER))):
                self._follow(reader, change)
        finally:
            reader.end_read()
        if changes:
            self._note(changes)
            self.change_id = changes[-1].change_id
        return bool(changes)

    def changed(self, profile_id: int) -> int:
        """The last change that may concern a workspace: its terms, its keys, its credits."""
        return max(self._changed.get(profile_id, 0), self._terms_changed)

    def key_of_digest(self, digest: bytes) -> ApiKey | None:
        """The key with this digest, whatever its status."""
        return self._key_by_digest.get(digest)

    def keys_of(self, profile_id: int) -> list[ApiKey]:
        """A workspace's keys, oldest first."""
        keys = self._keys_of.get(profile_id, {}).values()
        return sorted(keys, key=lambda key: (key.created_at_ms, key.key_id))

    def log_types_by_name(self) -> list[LogType]:
        """All log types, as people look for them."""
        return sorted(self.log_types.values(), key=lambda one: (one.name.casefold(), one.slug))

    def users_of(self, profile_id: int) -> list[User]:
        """A workspace's users, its owner first."""
        users = self._users_of.get(profile_id, {}).values()
        return sorted(users, key=lambda u: (not u.is_owner, u.created_at_ms, u.user_id))

    def token_of_id(self, token_id: str) -> Token | None:
        """The token with this id, unless it was revoked."""
        tokens = self._token_by_digest.values()
        return next((t for t in tokens if t.token_id == token_id and t.revoked_at_ms is None), None)

    def token_of_digest(self, digest: bytes) -> Token | None:
        """The token with this digest, unless it was revoked."""
        token = self._token_by_digest.get(digest)
        return None if token is None or token.revoked_at_ms is not None else token

    def log_type_id(self, slug: str | None, method: str | None, path: str | None) -> int:
        """The log type of a call: its slug, or None for what method and path lead to.

        Raises:
            FareboxError: 422, there is no log type with this slug.
        """
        if slug is None:
            return UNMAPPED if path is None else self.paths.find(method or "GET", path) or UNMAPPED
        log_type = self.log_type_by_slug.get(slug)
        if log_type is not None:
            return log_type.log_type_id
        if slug == UNKNOWN_SLUG:
            return UNMAPPED
        raise FareboxError(UNKNOWN_LOG_TYPE, field="log_type", slug=slug)

    def price(self, workspace: Workspace, log_type_id: int, time_ms: int) -> Price:
        """What a call costs a workspace at an instant; nothing when it is unmapped."""
        log_type = self.log_types.get(log_type_id)
        if log_type is None:
            return Price(0, 0, 0)
        return self.plans[workspace.plan_id_at(time_ms)].price(log_type, time_ms)

    def _note(self, changes: Iterable[_Change]) -> None:
        for change in changes:
            if change.kind in _SHARED:
                self._terms_changed = change.change_id
            elif change.profile_id is not None:
                self._changed[change.profile_id] = change.change_id

    def _follow(self, reader: Reader, change: _Change) -> None:
        match change.kind:
            case "log_type" | "plan":
                self._take_log_types(reader)
                self.plans = read_plans(reader)
            case "workspace":
                for workspace in read_workspaces(reader, int(change.ref)):
                    self.workspaces[workspace.profile_id] = workspace
            case "user":
                self._take_users(read_users(reader, change.ref))
            case "key":
                self._take_keys(read_keys(reader, change.ref))
            case "token":
                self._take_tokens(reader)
            case _:
                pass  # nothing in memory depends on it

    def _take_log_types(self, reader: Reader) -> None:
        log_types = read_log_types(reader)
        # The log types first: a path or a slug must never lead to one that isn't there yet.
        self.log_types = log_types
        self.log_type_by_slug = {t.slug: t for t in log_types.values()}
        self.paths = PathTable(log_types.values())

    def _take_keys(self, keys: Iterable[ApiKey]) -> None:
        for key in keys:
            self.keys[key.key_id] = key
            self._key_by_digest[key.digest] = key
            self._keys_of[key.profile_id][key.key_id] = key

    def _take_users(self, users: Iterable[User]) -> None:
        for user in users:
            self.users[user.user_id] = user
            self._users_of[user.profile_id][user.user_id] = user

    def _take_tokens(self, reader: Reader) -> None:
        self._token_by_digest = {token.digest: token for token in read_tokens(reader)}
