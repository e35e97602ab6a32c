"""Lifespan: an app's start and end as its server tells of them, with the parts around them.

The parts start before the app does and stop after it, so that what the app still answers is still
recorded. A start that fails is the app's own failed start. An app that takes no part in the
lifespan has the middleware take it.
"""

from __future__ import annotations

import logging

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from farebox.embed.life import Life
from farebox.service.failure import as_farebox_error

PREFIX = "lifespan."
STARTED, FAILED = "lifespan.startup.complete", "lifespan.startup.failed"
STOPPED = "lifespan.shutdown.complete"
log = logging.getLogger("farebox.embed")


async def live(life: Life, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Go through the lifespan with an app."""
    first = await receive()
    try:
        await life.start()
    except Exception as error:
        told = as_farebox_error(error)
        log.exception("farebox can't start")
        await send({"type": FAILED, "message": f"Farebox can't start: {told.internal}"})
        return
    unheard, has_answered = [first], False

    async def hear() -> Message:
        return unheard.pop() if unheard else await receive()

    async def tell(message: Message) -> None:
        nonlocal has_answered
        has_answered = True
        if message["type"].startswith(PREFIX) and message["type"] != STARTED:
            await life.stop()
        await send(message)

    try:
        try:
            await app(scope, hear, tell)
        except Exception as error:
            if has_answered:
                raise
            log.info("the app takes no part in the lifespan: %r", error)
        if not has_answered:
            await send({"type": STARTED})
            await receive()
            await life.stop()
            await send({"type": STOPPED})
    finally:
        await life.stop()
