"""The recorder of a `Client`: a thread that sends what waits, when it is due.

The thread begins with the first request, and is a daemon: a program that ends without `close()`
sends what waits on its way out. One sends at a time, the thread or whoever flushes.
"""

from __future__ import annotations

import atexit
import threading
from contextlib import suppress

from farebox.client.delivery import Delivery, log
from farebox.client.driver import Driver
from farebox.client.errors import ClosedError, FareboxClientError
from farebox.contract.metering import RequestRow


class Recorder:
    """Takes requests from any thread."""

    def __init__(self, delivery: Delivery, driver: Driver) -> None:
        self._delivery = delivery
        self._driver = driver
        self._woken = threading.Condition()
        self._sending = threading.Lock()
        self._thread: threading.Thread | None = None
        self._is_closed = False

    def add(self, row: RequestRow) -> None:
        """Take a request.

        Raises:
            FareboxClientError: it was not taken: the buffer is full, or the client closed.
        """
        with self._woken:
            if self._is_closed:
                raise ClosedError
            needs_a_look = self._delivery.add(row)
            if self._thread is None or not self._thread.is_alive():
                self._start()
            elif needs_a_look:
                self._woken.notify_all()

    def flush(self) -> None:
        """Send all that waits; returns when the server has answered for each of them.

        Raises:
            FareboxClientError: they could not be sent, and wait on.
        """
        with self._sending:
            self._driver.run(self._delivery.deliver())

    def close(self) -> None:
        """Send all that waits, and take nothing any more.

        Raises:
            FareboxClientError: some could not be sent; `on_failure` was told of each.
        """
        with self._woken:
            self._is_closed = True
            self._woken.notify_all()
        if self._thread is not None:
            atexit.unregister(self._at_exit)
            self._thread.join()
            self._thread = None
        try:
            self.flush()
        except FareboxClientError as error:
            self._delivery.abandon(error)
            raise

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._work, name="farebox-recorder", daemon=True)
        self._thread.start()
        atexit.register(self._at_exit)

    def _at_exit(self) -> None:
        with suppress(FareboxClientError):  # each request was told of
            self.close()

    def _work(self) -> None:
        while self._is_due():
            try:
                self.flush()
            except FareboxClientError as error:
                self._delivery.put_off(error)
            except Exception:  # noqa: BLE001 - a fault of ours: the next request starts another thread
                log.exception("the recorder's thread failed")
                return

    def _is_due(self) -> bool:
        """Wait until something should be sent; False: the client is closed."""
        with self._woken:
            while not self._is_closed:
                seconds = self._delivery.due_in()
                if seconds is not None and seconds <= 0:
                    return True
                self._woken.wait(seconds)
        return False
