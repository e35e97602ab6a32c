"""Options: what a middleware is told where it is added to an app.

Settings come from the environment; a keyword argument of the same name goes first. Paths are those
that the app itself sees: written out, or with a `*` at the end for all that begin so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypedDict

from farebox.settings import SETTINGS, Settings, SettingsError, process_environment, read_settings


class Given(TypedDict, total=False):
    """The settings as arguments; test_asgi.py sees to it that none is missing."""

    database: str
    runtime_dir: str
    host: str
    port: int | str
    public_url: str
    frame_ancestors: str | Sequence[str]
    workers: int | str
    admin_token: str
    secret: str
    key_headers: str | Sequence[str]
    customer_requests_per_minute: int | str
    log_query_ms: int | str
    capture_bodies: bool | str
    capture_bytes: int | str
    capture_days: int | str
    queue_rows: int | str
    audit_minutes: int | str
    legacy_rate_headers: bool | str
    reservation_seconds: int | str
    forward_auth_wait: bool | str
    middleware_wait: bool | str
    webhook_private: bool | str
    log_level: str


ANY = "*"
PATHS_FORM = "paths that begin with / and may end with *"
_DOTTED = frozenset({".", ".."})
MOUNT_FORM = "a path such as /farebox, without a slash at its end"


class PathSet:
    """Some paths, told by patterns."""

    def __init__(self, patterns: Iterable[str]) -> None:
        told = tuple(patterns)
        self._exact = frozenset(pattern for pattern in told if not pattern.endswith(ANY))
        self._starts = tuple(p.removesuffix(ANY) for p in told if p.endswith(ANY))

    def __contains__(self, path: str) -> bool:
        return path in self._exact or path.startswith(self._starts)


class Care(NamedTuple):
    """Which requests the middleware looks after, and under which path it answers itself."""

    mount: str | None
    paths: PathSet
    exclude: PathSet

    def is_mounted(self, path: str) -> bool:
        """Whether Farebox's own endpoints answer this path."""
        mount = self.mount
        return mount is not None and path.startswith(mount) and path[len(mount) :][:1] in {"", "/"}

    def is_priced(self, path: str) -> bool:
        """Whether a request for this path must be admitted.

        One that an app may read in two ways always must, and is refused for that.
        """
        if "/." in path and not _DOTTED.isdisjoint(path.split("/")):
            return True
        return path in self.paths and path not in self.exclude


def read_care(mount: str | None, paths: Sequence[str], exclude: Sequence[str]) -> Care:
    """The paths as they were told.

    Raises:
        SettingsError: with one line for each wrong argument.
    """
    problems = [
        f"{name} must be {PATHS_FORM}"
        for name, told in (("paths", paths), ("exclude", exclude))
        if isinstance(told, str) or not all(p.startswith("/") and ANY not in p[:-1] for p in told)
    ]
    if mount is not None and (not mount.startswith("/") or mount.endswith("/")):
        problems.append(f"mount must be {MOUNT_FORM}")
    if problems:
        raise SettingsError(problems)
    return Care(mount, PathSet(paths), PathSet(exclude))


def read_embedded(given: Given) -> Settings:
    """The settings of this process, with what was given going first.

    Raises:
        SettingsError: with one line for each wrong or unknown one.
    """
    names = {setting.field: setting.name for setting in SETTINGS}
    problems = [f"{name} is no setting and no argument" for name in given if name not in names]
    try:
        # As if the environment held them: an argument of a program is on no command line.
        texts = {names[name]: _text(value) for name, value in given.items() if name in names}
        settings = read_settings({**process_environment(), **texts})
    except SettingsError as error:
        raise SettingsError([*problems, *error.problems]) from error
    if problems:
        raise SettingsError(problems)
    return settings


def _text(value: object) -> str:
    """A value as the environment would hold it."""
    match value:
        case bool():
            return "on" if value else "off"
        case int():
            return str(value)
        case str():
            return value
        case _ if isinstance(value, Sequence):
            return ",".join(str(part) for part in value)
        case _:
            message = f"a setting is text, a number, a bool or a list, no {type(value).__name__}"
            raise TypeError(message)
