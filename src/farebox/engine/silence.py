"""Silence: for how long a recorder has owed an answer and given none.

A long commit is a silence, too, and so is a process that was stopped or a disk that hangs: from
here they look the same. So nothing that was sent is given up for it; only more isn't sent.
"""

from __future__ import annotations

import logging
import time

log = logging.getLogger("farebox.link")


class Silence:
    """Of one recorder, over all connections to it; long when it lasts `seconds_max` and more."""

    def __init__(self, seconds_max: float) -> None:
        self._seconds_max = seconds_max
        self._since: float | None = None
        self._is_told = False

    @property
    def is_long(self) -> bool:
        """Whether it has lasted too long; that is told in the log once."""
        if self._since is None or time.monotonic() - self._since < self._seconds_max:
            return False
        if not self._is_told:
            self._is_told = True
            log.warning("the recorder has not answered for %.0f s", self._seconds_max)
        return True

    def asked(self) -> None:
        """Something was sent."""
        if self._since is None:
            self._since = time.monotonic()

    def heard(self, *, is_owed: bool) -> None:
        """An answer came; perhaps more of them are owed."""
        if self._is_told:
            log.warning("the recorder answers again")
        self._is_told = False
        self._since = time.monotonic() if is_owed else None

    def ended(self) -> None:
        """The recorder hung up: the next one owes nothing."""
        self._since, self._is_told = None, False
