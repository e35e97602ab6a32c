"""Waiting in tests: for what happens, never for a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

DEADLINE_SECONDS = 60.0


def until(is_so: Callable[[], bool], *, seconds_max: float = DEADLINE_SECONDS) -> None:
    """Wait for a thing that another process or thread does; it takes no longer than it takes."""
    deadline = time.monotonic() + seconds_max
    pause = threading.Event()
    while not is_so():
        assert time.monotonic() < deadline, "it did not happen in time"
        pause.wait(0.002)
