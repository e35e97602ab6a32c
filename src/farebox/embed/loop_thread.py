"""Loop thread: the event loop beside the threads of a WSGI server, where the parts run.

It begins at the first use in each process: threads don't survive a fork, so what a parent had is
forgotten in its child, which begins its own. It stops when the process ends in good order.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import threading
import weakref
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from farebox.embed.life import Life, Parts

STOP_SECONDS_MAX = 20.0
CALLS_SECONDS_MAX = 5.0
# Before the pools of threads end, which the parts still need to stop in good order; what is usual
# comes after them.
_at_exit = getattr(threading, "_register_atexit", atexit.register)
log = logging.getLogger("farebox.embed")
Result = TypeVar("Result")


class LoopThread:
    """Of one middleware; any thread may use it."""

    def __init__(self, life: Life) -> None:
        self._life = life
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._parts: Parts | None = None
        self._calls = 0
        self._call_ended = threading.Condition()
        # A child may be forked while another thread holds the lock.
        forget = weakref.WeakMethod(self._forget)
        os.register_at_fork(after_in_child=lambda: _call(forget))
        stop = weakref.WeakMethod(self.stop)
        _at_exit(lambda: _call(stop))

    def parts(self) -> Parts:
        """The parts of this process, started if need be.

        Raises:
            FareboxError: 503, they can't be started now.
        """
        parts = self._parts
        if parts is None:
            parts = self._parts = self.run(self._life.parts())
        return parts

    def run(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        """What a coroutine gives, on the loop; the calling thread waits for it."""
        future: Future[Result] = asyncio.run_coroutine_threadsafe(coroutine, self._looping())
        return future.result()

    def soon(self, callback: Callable[..., object], *arguments: object) -> None:
        """Have something called on the loop; doesn't wait."""
        self._looping().call_soon_threadsafe(callback, *arguments)

    def enter(self) -> None:
        """A call begins that may have to be recorded."""
        with self._call_ended:
            self._calls += 1

    def leave(self) -> None:
        """A call has ended, and what is to be recorded of it is on its way."""
        with self._call_ended:
            self._calls -= 1
            self._call_ended.notify_all()

    def stop(self) -> None:
        """Record what waits and let everything go; nothing where nothing runs.

        Calls that have begun are waited for, as long as `CALLS_SECONDS_MAX`.
        """
        loop = self._loop
        if loop is None:
            return
        with self._call_ended:
            if not self._call_ended.wait_for(lambda: self._calls == 0, CALLS_SECONDS_MAX):
                log.warning("%d calls are still being answered", self._calls)
        with self._lock:
            loop, thread = self._loop, self._thread
            self._parts = self._loop = self._thread = None
        if loop is None or thread is None:
            return
        stopping = asyncio.run_coroutine_threadsafe(self._life.stop(), loop)
        try:
            stopping.result(STOP_SECONDS_MAX)
        except TimeoutError:
            log.warning("farebox did not stop in time")
        loop.call_soon_threadsafe(loop.stop)
        thread.join(STOP_SECONDS_MAX)
        if not thread.is_alive():
            loop.close()

    def _looping(self) -> asyncio.AbstractEventLoop:
        loop = self._loop
        if loop is not None:
            return loop
        with self._lock:
            if self._loop is None:
                loop = self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=loop.run_forever, name="farebox", daemon=True
                )
                self._thread.start()
            return self._loop

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._calls, self._call_ended = 0, threading.Condition()
        self._parts = self._loop = self._thread = None


def _call(method: weakref.WeakMethod[Callable[[], None]]) -> None:
    found = method()
    if found is not None:
        found()
