"""What a client raises: one tree.

    FareboxClientError
     ├─ TransportError    no answer, or none of Farebox's: whether the call had an effect is unknown
     ├─ ApiError          Farebox, or something in front of it, answered with an error
     ├─ BufferFullError   too many requests wait to be sent; this one was not taken
     └─ ClosedError       the client is closed

A refusal of `authorize` is an answer, not an error. A wrong argument is a `ValueError`. No message
and no repr holds a key or a token.
"""

from __future__ import annotations

# What passes: a server or a proxy that is not ready, or asks to be left alone for a while.
TEMPORARY_STATUSES = frozenset({408, 429, 502, 503, 504})


class FareboxClientError(Exception):
    """The root.

    Attributes:
        attempts: how many times the call was sent.
        is_temporary: whether the same call may succeed later.
        retry_after: seconds that the server asked to be left alone for; None when it didn't.
    """

    def __init__(
        self, message: str, *, is_temporary: bool = False, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.is_temporary = is_temporary
        self.retry_after = retry_after
        self.attempts = 0


class TransportError(FareboxClientError):
    """No answer came, or none of Farebox's. The same call with the same id settles what became."""


class ApiError(FareboxClientError):
    """An answer that is an error.

    Attributes:
        status: the HTTP status.
        code: Farebox's five digits, the status first; None where the answer told none.
        details: more about the error for programs; often empty.
    """

    def __init__(
        self,
        status: int,
        code: int | None,
        message: str,
        details: dict[str, object] | None = None,
        *,
        is_temporary: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, is_temporary=is_temporary, retry_after=retry_after)
        self.status = status
        self.code = code
        self.details = details or {}

    def __str__(self) -> str:
        """The code, or else the status, and the message."""
        return f"{self.code or self.status}: {self.message}"


class BufferFullError(FareboxClientError):
    """The buffer is full; its cause is what keeps it from being emptied, when that is known."""


class ClosedError(FareboxClientError):
    """The client is closed and takes nothing any more."""

    def __init__(self) -> None:
        super().__init__("The client is closed.")
