"""What the gate decided, and the reservation of what it admitted. No I/O here.

A reservation is ended once, by settling or by voiding. It remembers what is told of its request
meanwhile, beginning with what it was authorized by, and settles with all of it.
"""

from __future__ import annotations

from typing import Unpack

from msgspec import UNSET

from farebox.client.forms import CallTold
from farebox.contract.gate import Admitted, Denied, LimitData

ADMITTED_STATUS = 200


class Held:
    """What a reservation holds, and what was told of its request.

    Attributes:
        reservation_id: what it is settled or voided by, also by another process.
        is_ended: whether it was settled or voided here, or that was tried.
    """

    def __init__(self, admitted: Admitted, told: CallTold) -> None:
        self.admitted = admitted
        self.reservation_id = admitted.reservation_id
        self.is_ended = False
        self._told = told

    def tell(self, **told: Unpack[CallTold]) -> None:
        """Remember this for the settlement; it replaces what was told under the same name."""
        self._told = _merged(self._told, told)

    def _ending(self, told: CallTold) -> CallTold:
        """All that was told; from here on a `with` leaves the reservation alone."""
        self.is_ended = True
        self._told = _merged(self._told, told)
        return self._told

    def __repr__(self) -> str:
        return f"{type(self).__name__}(key_id={self.admitted.key_id!r})"


class Decision:
    """The gate's answer: admitted, or refused and why.

    Attributes:
        answer: as it came.
        allowed: whether the request may go on.
        status: the HTTP status to answer the caller with when it may not; 200 when it may.
        code, message, denied_by: why it may not; None when it may.
        retry_after: seconds after which to try again; None where none help.
        limits: every limit that applies, after an admitted request; empty when refused.
    """

    def __init__(self, answer: Admitted | Denied) -> None:
        self.answer = answer
        denied = answer if isinstance(answer, Denied) else None
        self.allowed = denied is None
        self.status: int = ADMITTED_STATUS if denied is None else denied.status
        self.code = None if denied is None else denied.code
        self.message = None if denied is None else denied.message
        self.denied_by = None if denied is None else denied.denied_by
        told = UNSET if denied is None else denied.retry_after
        self.retry_after = None if told is UNSET else told
        self.limits: list[LimitData] = [] if isinstance(answer, Denied) else answer.limits

    def __repr__(self) -> str:
        told = "allowed" if self.allowed else f"denied_by={self.denied_by!r}"
        return f"{type(self).__name__}({told})"


def first_told(method: str | None, path: str | None, ip: str | None) -> CallTold:
    """What an authorization told of its request already."""
    return CallTold(method=method, path=path, ip=ip)


def _merged(first: CallTold, second: CallTold) -> CallTold:
    merged = first.copy()
    merged.update(second)
    return merged
