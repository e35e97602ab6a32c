"""Captures: the headers and bodies of a request, for the detail of a log entry.

Off by default. What is kept is capped in size, is kept for a set time only, and holds no secret:
headers that carry one are struck out by name before anything leaves this process.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from farebox.core.request import Capture, MeteredRequest

STRUCK_OUT = "***"
SECRET_HEADER = re.compile(
    r"authorization|cookie|secret|token|password|passwd|credential|signature|(^|[-_])key([-_]|$)",
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
    ) -> Capture | None:
        """What is kept of a request; None when capturing is off or there is nothing to keep."""
        if not self.is_on or (headers is None and request_body is None and response_body is None):
            return None
        return Capture(
            row.profile_id,
            row.query_log_id,
            self._capped(msgspec.json.encode(strike_out(headers or {}, self.key_headers)).decode()),
            self._capped(request_body or ""),
            self._capped(response_body or ""),
        )

    def _capped(self, text: str) -> str:
        encoded = text.encode()
        if len(encoded) <= self.bytes_max:
            return text
        return encoded[: self.bytes_max].decode(errors="ignore")


def strike_out(headers: Mapping[str, str], key_headers: Iterable[str]) -> dict[str, str]:
    """The headers with `***` for the value of each that may hold a secret."""
    named = {name.lower() for name in key_headers}
    return {
        name: STRUCK_OUT if name.lower() in named or SECRET_HEADER.search(name) else value
        for name, value in headers.items()
    }
