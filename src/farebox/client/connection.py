"""Where a client calls and who it says it is: the checked URL, the token, the headers.

Refused: a URL with a user, a query or a fragment (a secret could stand there, and would be logged),
and a token that no header can carry. The token is never shown.
"""

from __future__ import annotations

import httpx

from farebox import __version__
from farebox.client.call import Send
from farebox.core.key import Secret

USER_AGENT = f"farebox-python/{__version__} httpx/{httpx.__version__}"
JSON = "application/json"


class Connection:
    """The server's address and the headers of every call."""

    def __init__(self, url: str, token: Secret) -> None:
        """Check both.

        Raises:
            ValueError: one of them can't be; the message repeats neither.
        """
        self.url = _checked(url)
        self.token = token
        text = token.reveal()
        if not text or not text.isascii() or not text.isprintable() or " " in text:
            message = "token must be printable ASCII without blanks"
            raise ValueError(message)

    def request(self, http: httpx.Client | httpx.AsyncClient, send: Send) -> httpx.Request:
        """The request of an attempt."""
        call = send.call
        headers = {
            "Accept": JSON,
            "Authorization": f"Bearer {self.token.reveal()}",
            "User-Agent": USER_AGENT,
        }
        if call.body is not None:
            headers["Content-Type"] = JSON
        if call.idempotency_key is not None:
            headers["Idempotency-Key"] = call.idempotency_key
        return http.build_request(
            call.method,
            self.url + call.path,
            content=call.body,
            headers=headers,
            timeout=send.seconds_max,
        )


def _checked(url: str) -> str:
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, TypeError):
        parsed = httpx.URL("")
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        message = "url must be that of the server, such as http://127.0.0.1:8080"
        raise ValueError(message)
    if parsed.userinfo or parsed.query or parsed.fragment:
        message = "url must have no user, no query and no fragment"
        raise ValueError(message)
    return str(parsed).rstrip("/")
