"""Settings: flags, else the environment, else a default; read once, all wrong ones told together.

`SETTINGS` drives the reading, the command line's help and the documentation alike.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast

from farebox.core.database_url import DatabaseUrl, read_database_url
from farebox.core.key import KEY_LENGTH_MAX, KEY_LENGTH_MIN, is_plausible
from farebox.core.origin import origin_of, read_ancestor, read_origin

DATABASE_DEFAULT = "sqlite:///farebox.db"
TOKEN_LENGTH_MIN = 2 * KEY_LENGTH_MIN
SECRET_LENGTH_MIN = 32
SECRET_LENGTH_MAX = 1_024
REFUSED_FLAG = (
    "a password doesn't belong into a command line, where everyone on this machine can read it: "
    "put the URL into the environment as FAREBOX_DATABASE, or the password into PGPASSWORD or "
    "into a file that PGPASSFILE names"
)
NOT_SHARED = (
    "FAREBOX_SECRET must be set where FAREBOX_DATABASE is a PostgreSQL server: every machine "
    "needs the same, and the database holds none"
)
# The names of settings that a supervisor's flags gave to its workers, which read the environment.
FLAGS_VARIABLE = "FLAGS_OF_FAREBOX"
Origin = Literal["flag", "environment", "default"]
_HEADER = re.compile(r"[a-z0-9][a-z0-9-]{0,63}", re.ASCII)


class Setting(NamedTuple):
    """One setting. `read` turns its text into the value, or says what would be right."""

    name: str
    default: str
    help: str
    read: Callable[[str], object]
    is_secret: bool = False

    @property
    def field(self) -> str:
        """The attribute of `Settings`."""
        return self.name.removeprefix("FAREBOX_").lower()


class SettingsError(Exception):
    """Wrong settings, each with its name and what would be right."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


def _folder(text: str) -> Path | None:
    if text and not text.startswith("/"):
        message = "the absolute path of a folder"
        raise ValueError(message)
    return Path(text) if text else None


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"\d{1,12}", text, re.ASCII) or not low <= int(text) <= high:
            message = f"a whole number from {low} to {high}"
            raise ValueError(message)
        return int(text)

    return read


def _switch(text: str) -> bool:
    if text.lower() not in {"on", "off"}:
        message = "on or off"
        raise ValueError(message)
    return text.lower() == "on"


def _headers(text: str) -> tuple[str, ...]:
    names = tuple(part.strip().lower() for part in text.split(","))
    if not all(_HEADER.fullmatch(name) for name in names):
        message = "names of HTTP headers, separated by commas"
        raise ValueError(message)
    return names


def _token(text: str) -> str:
    # What no call could present must not be kept either.
    if text and (len(text) < TOKEN_LENGTH_MIN or not is_plausible(text)):
        message = (
            f"{TOKEN_LENGTH_MIN} to {KEY_LENGTH_MAX} printable ASCII characters without blanks, "
            "and exactly as it was shown if it is one that Farebox made"
        )
        raise ValueError(message)
    return text


def _secret(text: str) -> str:
    if text and not SECRET_LENGTH_MIN <= len(text) <= SECRET_LENGTH_MAX:
        message = f"{SECRET_LENGTH_MIN} to {SECRET_LENGTH_MAX} characters that nobody can guess"
        raise ValueError(message)
    return text


def _host(text: str) -> str:
    if not text or any(character.isspace() for character in text):
        message = "an address or host name to listen on"
        raise ValueError(message)
    return text


def _origin(text: str) -> str:
    return read_origin(text) if text else ""


def _ancestors(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(read_ancestor(part) for part in text.replace(",", " ").split()))


def _level(text: str) -> str:
    if text.lower() not in {"debug", "info", "warning", "error"}:
        message = "debug, info, warning or error"
        raise ValueError(message)
    return text.lower()


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "FAREBOX_DATABASE",
        DATABASE_DEFAULT,
        "Where everything is kept: a file of SQLite, or postgresql://USER@HOST/NAME. A password "
        "belongs into the environment or into PGPASSFILE, never into a command line.",
        read_database_url,
    ),
    Setting(
        "FAREBOX_RUNTIME_DIR",
        "",
        "The folder, its owner's alone, where the processes of one machine meet that share a "
        "PostgreSQL database. When there is none, it is farebox in XDG_RUNTIME_DIR, else "
        "/tmp/farebox-UID. With SQLite they meet beside the file.",
        _folder,
    ),
    Setting("FAREBOX_HOST", "127.0.0.1", "The address to listen on.", _host),
    Setting("FAREBOX_PORT", "8080", "The port to listen on; 0 takes a free one.", _whole(0, 65535)),
    Setting(
        "FAREBOX_PUBLIC_URL",
        "",
        "Where people reach the server, such as https://usage.example.com: what links and the "
        "examples of the documentation begin with. When it is empty, http://HOST:PORT.",
        _origin,
    ),
    Setting(
        "FAREBOX_FRAME_ANCESTORS",
        "",
        "The sites that may embed the dashboard in a frame: origins such as https://example.com "
        "or https://*.example.com, separated by commas or blanks. When it is empty, none may.",
        _ancestors,
    ),
    Setting(
        "FAREBOX_WORKERS",
        "1",
        "How many processes serve the port together, on one machine and one database.",
        _whole(1, 64),
    ),
    Setting(
        "FAREBOX_ADMIN_TOKEN",
        "",
        "A bearer token with the scope admin. When there is none, the first start makes one and "
        "prints it once.",
        _token,
        is_secret=True,
    ),
    Setting(
        "FAREBOX_SECRET",
        "",
        "What the secrets of webhooks, links and reservations are derived from: at least 32 "
        "characters, the same for every process. With PostgreSQL it must be set; with SQLite, "
        "when there is none, a file beside the database holds one that Farebox made.",
        _secret,
        is_secret=True,
    ),
    Setting(
        "FAREBOX_KEY_HEADERS",
        "pubrio-api-key,x-api-key",
        "The headers that an API key may come in, besides Authorization: Bearer.",
        _headers,
    ),
    Setting(
        "FAREBOX_CUSTOMER_REQUESTS_PER_MINUTE",
        "300",
        "How often a workspace may call the customer endpoints in a minute.",
        _whole(1, 1_000_000),
    ),
    Setting(
        "FAREBOX_LOG_QUERY_MS",
        "1000",
        "How long one query of the log may take before it answers with is_timeout.",
        _whole(10, 60_000),
    ),
    Setting(
        "FAREBOX_CAPTURE_BODIES",
        "off",
        "Whether headers and bodies of requests are kept for the detail of a log entry.",
        _switch,
    ),
    Setting(
        "FAREBOX_CAPTURE_BYTES",
        "16384",
        "How much of each body is kept, in bytes.",
        _whole(0, 1_048_576),
    ),
    Setting(
        "FAREBOX_CAPTURE_DAYS", "7", "How long captured bodies are kept, in days.", _whole(1, 3650)
    ),
    Setting(
        "FAREBOX_QUEUE_ROWS",
        "50000",
        "How many requests may wait to be recorded before callers are told 503.",
        _whole(1, 10_000_000),
    ),
    Setting(
        "FAREBOX_AUDIT_MINUTES",
        "60",
        "How often the server audits its books; 0 never.",
        _whole(0, 100_000),
    ),
    Setting(
        "FAREBOX_LEGACY_RATE_HEADERS",
        "off",
        "Whether answers also carry the older X-RateLimit-Limit, -Remaining and -Reset.",
        _switch,
    ),
    Setting(
        "FAREBOX_RESERVATION_SECONDS",
        "60",
        "How long a reservation holds its credits before it expires.",
        _whole(1, 3600),
    ),
    Setting(
        "FAREBOX_FORWARD_AUTH_WAIT",
        "off",
        "Whether forward authentication answers only after the request is safely stored.",
        _switch,
    ),
    Setting(
        "FAREBOX_MIDDLEWARE_WAIT",
        "off",
        "Whether the middleware holds the end of an answer until its request is safely stored.",
        _switch,
    ),
    Setting(
        "FAREBOX_WEBHOOK_PRIVATE",
        "off",
        "Whether webhooks may go to private addresses and over plain http; on only where nobody "
        "but you can name their URLs.",
        _switch,
    ),
    Setting("FAREBOX_LOG_LEVEL", "info", "How much is logged.", _level),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings, read and right. Field names are the variables' without their prefix."""

    database: DatabaseUrl
    runtime_dir: Path
    host: str
    port: int
    public_url: str
    frame_ancestors: tuple[str, ...]
    workers: int
    admin_token: str
    secret: str
    key_headers: tuple[str, ...]
    customer_requests_per_minute: int
    log_query_ms: int
    capture_bodies: bool
    capture_bytes: int
    capture_days: int
    queue_rows: int
    audit_minutes: int
    legacy_rate_headers: bool
    reservation_seconds: int
    forward_auth_wait: bool
    middleware_wait: bool
    webhook_private: bool
    log_level: str
    # Of those that aren't the default.
    origins: Mapping[str, Origin] = field(default_factory=dict, compare=False)

    @property
    def base_url(self) -> str:
        """Where people reach the server, without a slash at its end."""
        return self.public_url or origin_of(self.host, self.port)

    def __repr__(self) -> str:
        """Without the secrets."""
        return f"Settings(database={str(self.database)!r}, host={self.host!r}, port={self.port})"


def read_runtime_dir(environment: Mapping[str, str]) -> Path:
    """The folder where the processes of this machine meet.

    Raises:
        SettingsError: it is wrong.
    """
    name = "FAREBOX_RUNTIME_DIR"
    try:
        folder = _folder(environment.get(name, "").strip())
    except ValueError as error:
        raise SettingsError([f"{name} must be {error}"]) from error
    return folder or _default_runtime_dir(environment)


def _default_runtime_dir(environment: Mapping[str, str]) -> Path:
    of_session = environment.get("XDG_RUNTIME_DIR", "")
    if of_session.startswith("/"):
        return Path(of_session) / "farebox"
    return Path("/tmp") / f"farebox-{os.getuid()}"  # noqa: S108 - its owner is checked


def process_environment() -> Mapping[str, str]:
    """The environment of this process; nothing else asks for it."""
    return os.environ


def read_settings(
    environment: Mapping[str, str],
    flags: Mapping[str, str | None] | None = None,
    *,
    needs_secret: bool = True,
) -> Settings:
    """Settings from flags (by field name), else the environment, else the defaults.

    Who derives nothing from the secret that the machines share doesn't need it.

    Raises:
        SettingsError: with one line for each wrong or unknown one.
    """
    problems = [
        f"{name} is not a setting; see `farebox serve --help`"
        for name in environment
        if name.startswith("FAREBOX_") and name not in {setting.name for setting in SETTINGS}
    ]
    values: dict[str, object] = {}
    origins: dict[str, Origin] = {}
    told = environment.get(FLAGS_VARIABLE, "").split(",")
    for setting in SETTINGS:
        flag = (flags or {}).get(setting.field)
        if flag is not None or setting.name in environment:
            is_flag = flag is not None or setting.name in told
            origins[setting.name] = "flag" if is_flag else "environment"
        text = environment.get(setting.name, setting.default) if flag is None else flag
        try:
            values[setting.field] = setting.read(text.strip())
        except ValueError as error:
            problems.append(f"{setting.name} must be {error}")
    database = values.get("database")
    if isinstance(database, DatabaseUrl):
        if database.has_password and (flags or {}).get("database") is not None:
            problems.append(f"FAREBOX_DATABASE: {REFUSED_FLAG}")
        if database.file is None and needs_secret and values.get("secret") == "":
            problems.append(NOT_SHARED)
    values["runtime_dir"] = values.get("runtime_dir") or _default_runtime_dir(environment)
    if problems:
        raise SettingsError(problems)
    return Settings(**cast("dict[str, Any]", values), origins=origins)
