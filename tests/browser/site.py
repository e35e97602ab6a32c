"""A small site: pages that a test gives, with the real scripts, and nothing else of the program.

Its answers carry the Content-Security-Policy of our pages, but may show those in frames. Forms that
are sent to it are kept.
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple, Self
from urllib.parse import parse_qs, urlsplit

ASSETS = Path(__file__).parent.parent.parent / "src/farebox/dashboard/assets"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "frame-src http://127.0.0.1:*"
)
TYPES = {".css": "text/css", ".js": "text/javascript", ".html": "text/html; charset=utf-8"}
# Some of the tokens that the pages' own style sheets have.
TOKENS = b"""
:root { color-scheme: light dark; --font: sans-serif;
  --ink: light-dark(#111, #eee); --soft: light-dark(#555, #aaa);
  --line: light-dark(#ddd, #333); --paper: light-dark(#fff, #181818);
  --chart-1: light-dark(#2374d1, #5aa2f0); --chart-2: light-dark(#0f9488, #35bfae); }
:root[data-theme="dark"] { color-scheme: dark; }
body { margin: 0; background: var(--paper); color: var(--ink); font-family: var(--font); }
figure { margin: 0; }
"""
LAYOUT = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><title>Page</title>
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">
<link rel="stylesheet" href="/tokens"><link rel="stylesheet" href="/chart.css">
<script type="module" src="/{script}"></script></head>
<body><main>{body}</main></body></html>"""


class Sent(NamedTuple):
    """A form that was sent."""

    method: str
    address: str
    fields: dict[str, list[str]]


class _Server(ThreadingHTTPServer):
    """Threads of its own end with the program."""

    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A browser may hang up whenever it likes."""


class Site:
    """Serves pages while it is entered. `/anything` is there once it was `put`."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self._pages: dict[str, str] = {}
        manifest = json.loads((ASSETS / "built/manifest.json").read_text())
        self._script = manifest["dashboard.js"]
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def put(self, body: str, *, path: str = "/page", language: str = "en") -> str:
        """The address of a page with this body."""
        self._pages[path] = LAYOUT.format(language=language, script=self._script, body=body)
        return self.url + path

    def _find(self, path: str) -> tuple[str, bytes] | None:
        if path in self._pages:
            return TYPES[".html"], self._pages[path].encode()
        if path == "/tokens":
            return TYPES[".css"], TOKENS
        name = path.removeprefix("/")
        for folder in (ASSETS, ASSETS / "built"):
            file = folder / name
            if "/" not in name and file.suffix in TYPES and file.is_file():
                return TYPES[file.suffix], file.read_bytes()
        return None

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                address = urlsplit(self.path)
                if address.query:
                    site.sent.append(Sent("GET", self.path, parse_qs(address.query)))
                self._answer(site._find(address.path))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                fields = parse_qs(body, keep_blank_values=True)
                site.sent.append(Sent("POST", self.path, fields))
                self._answer(site._find(urlsplit(self.path).path))

            def _answer(self, found: tuple[str, bytes] | None) -> None:
                media_type, body = found or ("text/plain", b"There is no such page.")
                self.send_response(404 if found is None else 200)
                self.send_header("Content-Security-Policy", POLICY)
                self.send_header("Content-Type", media_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        return Handler
