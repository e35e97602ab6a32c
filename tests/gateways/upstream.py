"""A sample API behind a gateway: it answers every request, and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple, Self

BACKLOG = 1024
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")


class Seen(NamedTuple):
    """A request as it came to the API; the names of its headers are in lower case."""

    method: str
    path: str
    headers: dict[str, str]


class SampleApi:
    """Serves while it is entered. A path that ends in `/broken` is answered with 500."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Head and body in one piece, at once: else each answer waits for an acknowledgement.
            wbufsize = -1
            disable_nagle_algorithm = True

            def answer(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                self.rfile.read(length)
                headers = {name.lower(): value for name, value in self.headers.items()}
                api.seen.append(Seen(self.command, self.path, headers))
                body = json.dumps({"path": self.path}).encode()
                self.send_response(500 if self.path.endswith("/broken") else 200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            def log_message(self, *_: object, **__: object) -> None:
                """Say nothing."""

        for method in METHODS:
            setattr(Handler, f"do_{method}", Handler.answer)

        class Server(ThreadingHTTPServer):
            request_queue_size = BACKLOG
            daemon_threads = True

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        host, port = self._server.server_address[:2]
        self.url = f"http://{host!s}:{port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
