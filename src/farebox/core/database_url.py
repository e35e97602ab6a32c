"""A database's URL: a file of SQLite, or a PostgreSQL server.

It may hold a password. That comes out by `reveal()` alone; whatever is shown, compared or named
after the URL is without it. The text is read strictly: what libpq would guess at is refused here,
by a message that never repeats what it was given.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from farebox.core.key import Secret

SQLITE_SCHEME = "sqlite:///"
POSTGRES_SCHEME = "postgresql://"
POSTGRES_PORT_MAX = 65_535
FORM = (
    "sqlite:///FILE (sqlite:////absolute/file for an absolute path) "
    "or postgresql://USER:PASSWORD@HOST:PORT/NAME"
)
_SCHEME = re.compile(r"postgres(ql)?://")
_PARTS = re.compile(
    r"((?P<user>[^:@/?#]*)(?P<password>:[^:@/?#]*)?@)?"
    r"(?P<hosts>[^@/?#]*)(/(?P<name>[^/?#]*))?(\?(?P<query>[^#]*))?"
)
_TEXT = re.compile(r"[!-~]*", re.ASCII)
_BROKEN_ESCAPE = re.compile(r"%(?![0-9a-fA-F]{2})|%00")
_HOST = re.compile(r"(\[[0-9a-zA-Z:.%]+\]|[^\[\]:]*)(:(?P<port>\d{0,5}))?", re.ASCII)
_PARAMETER = re.compile(r"(?P<key>[a-z_]+)=[^=]*", re.ASCII)
# `password`, `sslpassword`, and what later versions of libpq may call a secret.
_SECRET_KEYS = re.compile(r"password|secret")
# What names the database, where the path doesn't.
_NAMING_KEYS = {"dbname", "service"}


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    """Two are equal when they lead the same user to the same place, whatever the password."""

    shown: str
    file: str | None
    has_password: bool = field(compare=False)
    _text: Secret = field(repr=False, compare=False)

    def __str__(self) -> str:
        """Without a password; for SQLite the file alone."""
        return self.shown

    def reveal(self) -> str:
        """The whole URL, with its password."""
        return self._text.reveal()


def file_url(path: str) -> DatabaseUrl:
    """The URL of a file of SQLite."""
    return DatabaseUrl(path, path, has_password=False, _text=Secret(SQLITE_SCHEME + path))


def read_database_url(text: str) -> DatabaseUrl:
    """A URL from its text.

    Raises:
        ValueError: with what would be right.
    """
    if text.startswith(SQLITE_SCHEME) and text != SQLITE_SCHEME:
        return file_url(text.removeprefix(SQLITE_SCHEME))
    scheme = _SCHEME.match(text)
    if scheme is None:
        raise ValueError(FORM)
    rest = text[scheme.end() :]
    parts = _PARTS.fullmatch(rest)
    if parts is None or not _TEXT.fullmatch(rest) or _BROKEN_ESCAPE.search(rest):
        message = f"{FORM}; special characters of a name or password are written as %XX"
        raise ValueError(message)
    _check_hosts(parts["hosts"])
    parameters = _parameters(parts["query"])
    if not parts["name"] and _NAMING_KEYS.isdisjoint(parameters):
        message = f"{FORM}; the name of the database is missing"
        raise ValueError(message)
    open_ones = [pair for key, pair in parameters.items() if not _SECRET_KEYS.search(key)]
    shown = POSTGRES_SCHEME
    shown += f"{parts['user']}@" if parts["user"] else ""
    shown += parts["hosts"] + (f"/{parts['name']}" if parts["name"] else "")
    shown += f"?{'&'.join(open_ones)}" if open_ones else ""
    has_password = len(open_ones) < len(parameters) or parts["password"] not in {None, ":"}
    whole = Secret(POSTGRES_SCHEME + rest)
    return DatabaseUrl(shown, None, has_password=has_password, _text=whole)


def _check_hosts(hosts: str) -> None:
    for host in hosts.split(","):
        match = _HOST.fullmatch(host)
        port = match["port"] if match else None
        if match is None or (port and not 1 <= int(port) <= POSTGRES_PORT_MAX):
            message = (
                f"{FORM}; a port is a number from 1 to {POSTGRES_PORT_MAX}, several hosts are "
                "separated by commas, and an IPv6 address stands in [brackets]"
            )
            raise ValueError(message)


def _parameters(query: str | None) -> dict[str, str]:
    """The parameters behind `?`, each by its name and as it stands."""
    found: dict[str, str] = {}
    for pair in (query or "").split("&") if query is not None else ():
        match = _PARAMETER.fullmatch(pair)
        if match is None or match["key"] in found:
            message = (
                f"{FORM}; parameters after ? are NAME=VALUE, each once and joined by &, "
                "such as ?sslmode=verify-full&target_session_attrs=read-write"
            )
            raise ValueError(message)
        found[match["key"]] = pair
    return found
