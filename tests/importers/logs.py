"""Log lines as the servers' own documentation shows them, and what reads them in a test."""

from __future__ import annotations

import json
from pathlib import Path

from farebox.importers.draft import Draft
from farebox.importers.drafter import Drafter
from farebox.importers.formats import format_of
from farebox.importers.lines import LogFile
from farebox.importers.mapping_file import read_mapping
from farebox.importers.reader import Batch, LogReader
from farebox.importers.refusal import Reason, Refusal, Refused

KEY_HEADERS = ("pubrio-api-key", "x-api-key")
KEY = "sk_live_51Habcdefghijklmnop"

KEYED = '[combined]\ntrailing = ["http_x_api_key"]\n'
ONE_KEY_ID = '[key_id]\nvalue = "key_5hZ0c2rWq8Lm"\n'

# Apache, mod_log_config: the example of its combined format.
APACHE = (
    b'127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326 '
    b'"http://www.example.com/start.html" "Mozilla/4.08 [en] (Win98; I ;Nav)"'
)
COMMON = b'127.0.0.1 - - [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326'
# nginx, ngx_http_log_module: combined, then "$http_x_api_key".
NGINX = (
    b'2001:db8::7 - - [01/May/2026:12:00:00 +0200] "POST /v1/people/search?q=a%20b HTTP/1.1" 200 '
    b'512 "-" "curl/8.5.0" "' + KEY.encode() + b'"'
)
NGINX_JSON = json.dumps(
    {
        "time_iso8601": "2026-05-01T12:00:00+02:00",
        "msec": "1777629600.123",
        "remote_addr": "203.0.113.7",
        "request": "POST /v1/people/search?q=1 HTTP/1.1",
        "status": 200,
        "body_bytes_sent": 512,
        "request_time": "0.034",
        "request_id": "a1b2c3d4e5f60718293a4b5c6d7e8f90",
        "http_x_api_key": KEY,
        "http_user_agent": 'curl "8"',
    }
).encode()
# Caddy, "How logging works": its example of an access entry, and a key beside its headers.
CADDY_ENTRY = {
    "level": "info",
    "ts": 1646861401.5241024,
    "logger": "http.log.access",
    "msg": "handled request",
    "request": {
        "remote_ip": "127.0.0.1",
        "remote_port": "41342",
        "client_ip": "198.51.100.4",
        "proto": "HTTP/2.0",
        "method": "GET",
        "host": "localhost",
        "uri": "/v1/companies/acme?full=1",
        "headers": {
            "User-Agent": ["curl/7.82.0"],
            "Accept": ["*/*"],
            "Accept-Encoding": ["gzip, deflate, br"],
            "X-Api-Key": [KEY],
        },
        "tls": {
            "resumed": False,
            "version": 772,
            "cipher_suite": 4865,
            "proto": "h2",
            "server_name": "example.com",
        },
    },
    "bytes_read": 0,
    "user_id": "",
    "duration": 0.000929675,
    "size": 10900,
    "status": 200,
    "resp_headers": {
        "Server": ["Caddy"],
        "Content-Type": ["text/html; charset=utf-8"],
        "Farebox-Credits": ["2.5"],
    },
}
CADDY = json.dumps(CADDY_ENTRY).encode()


def caddy(changes: dict[str, object]) -> bytes:
    """The Caddy entry with other top fields; None takes one away."""
    entry = {**CADDY_ENTRY, **changes}
    return json.dumps({k: v for k, v in entry.items() if v is not None}).encode()


def drafter(log_format: str, toml: str = "") -> Drafter:
    """A drafter of a format and a mapping."""
    mapping = read_mapping(toml, KEY_HEADERS)
    return Drafter(format_of(log_format, mapping.trailing), mapping)


def draft(log_format: str, line: bytes, toml: str = "") -> Draft:
    """The draft of a single line."""
    return drafter(log_format, toml).draft(1, line)


def refusal(log_format: str, line: bytes, toml: str = "") -> Reason | None:
    """Why a single line is refused; None when it isn't."""
    try:
        draft(log_format, line, toml)
    except Refused as refused:
        return refused.reason
    return None


def read(path: Path, toml: str = "") -> list[Batch]:
    """All batches of a file."""
    with LogFile(path) as file:
        return list(LogReader(file, read_mapping(toml, KEY_HEADERS)).batches())


def drafts_of(batches: list[Batch]) -> list[Draft]:
    """The drafts of all batches."""
    return [draft for batch in batches for draft in batch.drafts]


def refusals_of(batches: list[Batch]) -> list[Refusal]:
    """The refusals of all batches."""
    return [refusal for batch in batches for refusal in batch.refusals]
