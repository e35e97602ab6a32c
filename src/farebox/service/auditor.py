"""The auditor: has the books audited by a process of its own, one audit at a time.

No request waits for it; what it found is in the database afterwards.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence

AUDIT_SECONDS_MAX = 3600.0
log = logging.getLogger("farebox.auditor")


class Auditor:
    """One per server; `audit` audits once."""

    def __init__(self, audit: Callable[[], Coroutine[None, None, None]]) -> None:
        self._audit = audit
        self._running: asyncio.Task[None] | None = None

    @property
    def is_running(self) -> bool:
        """Whether an audit of this server runs now."""
        return self._running is not None and not self._running.done()

    def begin(self) -> bool:
        """Begin an audit, unless one runs; whether it did."""
        if self.is_running:
            return False
        self._running = asyncio.create_task(self._audit())
        return True

    async def ended(self) -> None:
        """Wait until no audit of this server runs."""
        if self._running is not None:
            await asyncio.wait([self._running])

    async def stop(self) -> None:
        """End the audit that runs."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait([self._running])


async def audit(command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
    """Run an audit in a process of its own; what it found is in the database afterwards."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(AUDIT_SECONDS_MAX):
            status = await process.wait()
    except (TimeoutError, asyncio.CancelledError):
        process.terminate()
        await process.wait()
        raise
    if status:
        log.error("the audit ended with status %d; `farebox audit` tells more", status)
