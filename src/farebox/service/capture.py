"""Captures: the headers and bodies of a request, for the detail of a log entry.

Off by default. What is kept is capped in size, is kept for a set time only, and holds no secret of
ours: headers that carry one are struck out by name, and wherever else a key or token stands, by
its form or because it is the key of this very request, it is struck out before anything leaves
this process.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from farebox.core.key import STRUCK_OUT, strike_out
from farebox.core.request import Capture, MeteredRequest, without_nul

SECRET_HEADER = re.compile(
    r"auth|cookie|secret|token|password|passwd|credential|signature|api[-_]?key"
    r"|(^|[-_])key([-_]|$)",
    re.IGNORECASE,
)


class CapturePolicy(NamedTuple):
    """Whether bodies are captured, up to how many bytes each, and which headers hold keys."""

    is_on: bool
    bytes_max: int
    key_headers: tuple[str, ...]

    def capture(
        self,
        row: MeteredRequest,
        headers: Mapping[str, str] | None,
        request_body: str | None,
        response_body: str | None,
        secret: str | None = None,
    ) -> Capture | None:
        """What is kept of a request; None when capturing is off or there is nothing to keep.

        `secret` is the key as the caller told it, which need not have our form.
        """
        if not self.is_on or (headers is None and request_body is None and response_body is None):
            return None
        return Capture(
            row.profile_id,
            row.query_log_id,
            self._headers(headers or {}, secret),
            self._text(request_body or "", secret),
            self._text(response_body or "", secret),
        )

    def _headers(self, headers: Mapping[str, str], secret: str | None) -> str:
        """A JSON object of the headers that there is room for."""
        kept: dict[str, str] = {}
        size_bytes = len("{}")
        for name, value in headers.items():
            is_secret = name.lower() in self.key_headers or SECRET_HEADER.search(name)
            shown = STRUCK_OUT if is_secret else _struck_out(value, secret)
            size_bytes += len(msgspec.json.encode({name: shown}))
            if size_bytes > self.bytes_max:
                break
            kept[name] = shown
        return msgspec.json.encode(kept).decode()

    def _text(self, text: str, secret: str | None) -> str:
        encoded = without_nul(_struck_out(text, secret)).encode()
        return encoded[: self.bytes_max].decode(errors="ignore")


def _struck_out(text: str, secret: str | None) -> str:
    return strike_out(text.replace(secret, STRUCK_OUT) if secret else text)
