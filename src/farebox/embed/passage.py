"""Passage: one admitted call on its way through the provider's API, from its admission to its end.

It ends once: settled by what was answered, or voided when nothing was. What the app reports in
`Farebox-Credits` is charged, also beyond the hold; a failed call is free unless the app says
otherwise there, and one in which the app has raised is free in any case. A caller who leaves while
the answer is being sent has had the call.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from farebox.api.context import Context
from farebox.contract.rate_headers import Headers, rate_headers
from farebox.core.credits import to_micro
from farebox.core.identity import format_uuid
from farebox.core.instant import MS_PER_SECOND
from farebox.core.request import Capture, MeteredRequest
from farebox.embed.visit import Visit
from farebox.engine.holds import Hold
from farebox.service.settle import Outcome, query_log_id_of

CREDITS_HEADER = "Farebox-Credits"
SCOPE_KEY = "farebox"
COMMIT_SECONDS_MAX = 10.0
_STATUS_MIN, _STATUS_MAX, _FAILED = 100, 599, 500
_DECIMAL = re.compile(r"\d+(\.\d+)?", re.ASCII)
_SHOWN_MAX = 100
log = logging.getLogger("farebox.embed")

Done = tuple[Hold, MeteredRequest, Capture | None]
Put = Callable[[*Done], object]


class Ends(NamedTuple):
    """How a call may end: with a request to be recorded, or without one."""

    put: Put
    void: Callable[[Hold], object]


class Passed(NamedTuple):
    """Who called, as the app is told of it under `farebox` in the scope or the environ."""

    profile_id: int
    key_id: str
    user_id: str
    query_log_id: str


class Copy:
    """The first bytes of a body, as many as are kept."""

    def __init__(self, bytes_max: int) -> None:
        self._kept = bytearray()
        self._bytes_max = bytes_max

    def add(self, part: bytes) -> None:
        """Take what there is room for."""
        self._kept += part[: self._bytes_max - len(self._kept)]

    def text(self) -> str:
        """As it is shown to people."""
        return self._kept.decode(errors="replace")


class Passage:
    """One call. `ends` has its request recorded soon or takes it back, and never fails."""

    def __init__(
        self, context: Context, hold: Hold, visit: Visit, headers: Mapping[str, str], ends: Ends
    ) -> None:
        self._context = context
        self._hold = hold
        self._visit = visit
        self._ends = ends
        self._began = time.perf_counter()
        self._credits_micro: int | None = None
        self._headers = headers
        self._status: int | None = None
        self.size_bytes = 0
        self.is_ended = False
        policy = context.capture_policy
        self.request_copy = Copy(policy.bytes_max) if policy.is_on else None
        self._response_copy = Copy(policy.bytes_max) if policy.is_on else None

    @property
    def passed(self) -> Passed:
        """What the app is told."""
        ask = self._hold.ask
        log_id = format_uuid(query_log_id_of(self._hold))
        return Passed(ask.profile_id, ask.key_id, ask.user_id, log_id)

    @property
    def has_begun(self) -> bool:
        """Whether the app has begun to answer."""
        return self._status is not None

    def begin(self, status: int, reported: Sequence[str]) -> Headers:
        """The answer begins; what its headers tell besides. `reported` is what the call costs."""
        context = self._context
        self._status = min(max(status, _STATUS_MIN), _STATUS_MAX)
        self._credits_micro = _credits_micro(reported)
        now_ms = context.clock.now_ms()
        limits = context.admitter.limits(self._hold, now_ms)
        return rate_headers(limits, now_ms, is_legacy=context.is_legacy_rate_headers)

    def sent(self, part: bytes) -> None:
        """A part of the answer's body is on its way."""
        self.size_bytes += len(part)
        if self._response_copy is not None:
            self._response_copy.add(part)

    def settle(self) -> None:
        """The answer is complete."""
        if not self.is_ended:
            self._ends.put(*self.done())

    def fail(self) -> None:
        """The app has raised."""
        if not self.is_ended:
            self._status, self._credits_micro = _FAILED, None
            self._ends.put(*self.done())

    def break_off(self) -> None:
        """Nobody listens any more, or there is nothing more to hear."""
        if self.has_begun:
            self.settle()
        elif not self.is_ended:
            self.is_ended = True
            self._ends.void(self._hold)

    def done(self) -> Done:
        """What is to be recorded; the passage ends with it."""
        assert not self.is_ended
        self.is_ended = True
        visit = self._visit
        row = self._context.settler.request_of_hold(
            self._hold,
            Outcome(
                status_code=self._status,
                credits_micro=self._credits_micro,
                method=visit.method,
                path=visit.path,
                duration_ms=int((time.perf_counter() - self._began) * MS_PER_SECOND),
                response_size=self.size_bytes,
                ip=visit.ip,
                authentication_type=visit.header,
            ),
        )
        return self._hold, row, self._capture(row)

    def _capture(self, row: MeteredRequest) -> Capture | None:
        if self.request_copy is None or self._response_copy is None:
            return None
        return self._context.capture_policy.capture(
            row,
            self._headers,
            self.request_copy.text(),
            self._response_copy.text(),
            self._visit.secret,
        )


def _credits_micro(reported: Sequence[str]) -> int | None:
    """What the app says that the call costs; None where it says nothing, or nothing clear."""
    if not reported:
        return None
    text = reported[0].strip()
    if len(reported) == 1 and _DECIMAL.fullmatch(text):
        try:
            return to_micro(text)
        except ValueError:
            pass
    shown = ", ".join(reported)[:_SHOWN_MAX]
    log.error("%s is no number of credits: %r; the price is charged", CREDITS_HEADER, shown)
    return None
