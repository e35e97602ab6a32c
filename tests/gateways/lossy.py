"""A way to Farebox that loses an answer now and then: the question was decided, and nobody knows.

It passes questions on over HTTP. The answer to be lost is read whole, so that all it tells of has
been done, and then the connection is broken.
"""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

import httpx

HOP_BY_HOP = {"connection", "host", "content-length", "transfer-encoding", "date"}


class LossyWay:
    """Serves while it is entered. `loses_next` breaks the connection of the next answer."""

    def __init__(self, farebox_url: str) -> None:
        self.questions = 0
        self.loses_next = False
        way = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1
            disable_nagle_algorithm = True

            def log_message(self, *_: object, **__: object) -> None:
                """Say nothing."""

            def answer(self) -> None:
                way.questions += 1
                asked = {n: v for n, v in self.headers.items() if n.lower() not in HOP_BY_HOP}
                answer = way._client.get(farebox_url + self.path, headers=asked)
                if way.loses_next:
                    way.loses_next = False
                    self.close_connection = True
                    return
                self.send_response(answer.status_code)
                for name, value in answer.headers.items():
                    if name not in HOP_BY_HOP:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.content)))
                self.end_headers()
                self.wfile.write(answer.content)

        setattr(Handler, "do_GET", Handler.answer)  # noqa: B010 - the name is the library's
        self._client = httpx.Client(timeout=30)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
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
        self._client.close()
