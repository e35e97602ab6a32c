"""Settle: an admitted call becomes a request, with what it did cost.

Without a told cost it is the price valid at its admission, and nothing for a failed call. What was
held is the most that a settlement may charge; what a middleware says beyond that is charged as
reported usage.
"""

from __future__ import annotations

from typing import NamedTuple

from farebox.core.credits import to_text
from farebox.core.errors import ABOVE_HOLD, FareboxError
from farebox.core.identity import RANDOM_BYTES, query_log_id
from farebox.core.request import MeteredRequest
from farebox.engine.directory import Directory
from farebox.engine.entropy import Entropy
from farebox.engine.holds import Hold
from farebox.engine.reservation import Reservation
from farebox.service.record import FREE_FROM_STATUS, bare_path, checked_ip
from farebox.service.tariff import Tariff


class Outcome(NamedTuple):
    """How a call has ended, as far as it was told; None is "not told"."""

    status_code: int | None = None
    credits_micro: int | None = None
    method: str | None = None
    path: str | None = None
    duration_ms: int | None = None
    response_size: int | None = None
    ip: str | None = None
    authentication_type: str | None = None


def query_log_id_of(hold: Hold) -> bytes:
    """The log entry's id of a call whose id was made here: it is known before the call has ended.

    Such an identity ends in random bytes, which nothing else is made of.
    """
    assert hold.ask.fingerprint is None
    return query_log_id(hold.time_ms, hold.ask.identity[-RANDOM_BYTES:])


class Settler:
    """Makes requests of reservations. One per process."""

    def __init__(self, directory: Directory, entropy: Entropy) -> None:
        self._directory = directory
        self._entropy = entropy
        self._tariff = Tariff(directory)

    def request_of(
        self, reservation: Reservation, outcome: Outcome, content: bytes
    ) -> MeteredRequest:
        """The request of a reservation that was settled from outside.

        Raises:
            FareboxError: 422, more is to be charged than was held, or the address is none.
        """
        told_micro = outcome.credits_micro
        if told_micro is not None and told_micro > reservation.held_micro:
            raise FareboxError(ABOVE_HOLD, held=to_text(reservation.held_micro))
        return self._request(reservation, outcome, content)

    def request_of_hold(self, hold: Hold, outcome: Outcome) -> MeteredRequest:
        """The request of a hold of this process. Its identity is nobody else's, nor its content."""
        ask = hold.ask
        log_id = query_log_id_of(hold) if ask.fingerprint is None else None
        content = ask.identity[-16:].rjust(16, b"\1")
        return self._request(Reservation.of(hold), outcome, content, log_id)

    def _request(
        self,
        admitted: Reservation,
        outcome: Outcome,
        content: bytes,
        log_id: bytes | None = None,
    ) -> MeteredRequest:
        credits_micro = outcome.credits_micro
        if credits_micro is None:
            credits_micro = min(self._price_micro(admitted, outcome), admitted.held_micro)
        return MeteredRequest(
            admitted.profile_id,
            admitted.identity,
            content,
            log_id or query_log_id(admitted.time_ms, self._entropy.random_bytes(RANDOM_BYTES)),
            admitted.time_ms,
            admitted.key_id,
            admitted.log_type_id,
            admitted.channel,
            credits_micro,
            None if outcome.method is None else outcome.method.upper(),
            None if outcome.path is None else bare_path(outcome.path),
            outcome.status_code,
            outcome.duration_ms,
            outcome.response_size,
            None if outcome.ip is None else checked_ip(outcome.ip),
            outcome.authentication_type,
        )

    def _price_micro(self, admitted: Reservation, outcome: Outcome) -> int:
        if outcome.status_code is not None and outcome.status_code >= FREE_FROM_STATUS:
            return 0
        workspace = self._directory.workspaces[admitted.profile_id]
        price = self._tariff.price(workspace, admitted.log_type_id, admitted.time_ms)
        return price.credits_micro
