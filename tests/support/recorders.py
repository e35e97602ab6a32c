"""Recorders for tests: a loop on a thread of this process, or a process of its own."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from farebox.engine.paths import address, socket_path
from farebox.engine.recorder_loop import RecorderLoop
from farebox.engine.spawn import RecorderProcess
from tests.support.waiting import DEADLINE_SECONDS, until
from tests.support.worlds import World

__all__ = ["DEADLINE_SECONDS", "nobody", "on_a_thread", "until", "wake"]


def nobody() -> RecorderProcess:
    """A command that starts no recorder."""
    return RecorderProcess(["false"])


@contextmanager
def on_a_thread(world: World) -> Iterator[RecorderLoop]:
    """A world's recorder, served on its socket until the end of the `with`."""
    path = socket_path(world.path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        with address(path) as name:
            listener.bind(name)
        listener.listen(64)
        listener.settimeout(0)
        loop = RecorderLoop(world.recorder, listener, path)
        thread = threading.Thread(target=loop.run)
        thread.start()
        try:
            yield loop
        finally:
            loop.stop()
            wake(path)
            thread.join(DEADLINE_SECONDS)
            path.unlink(missing_ok=True)
    assert not thread.is_alive()


def wake(path: Path) -> None:
    """Knock, so that a loop that waits looks whether it is to stop."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as knocking, address(path) as name:
        try:
            knocking.connect(name)
        except OSError:
            return  # it has left already
