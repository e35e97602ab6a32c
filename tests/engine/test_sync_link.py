"""The blocking link: one message at a time or a stream, and never one reply for another."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from farebox.core.errors import (
    BODY_TOO_LARGE,
    NOT_FOUND,
    STORE_UNAVAILABLE,
    FareboxError,
)
from farebox.engine import messages, sync_link
from farebox.engine.messages import FrameBuffer, Message, Recorded, decode_message, encode
from farebox.engine.paths import address, socket_path
from farebox.engine.sync_link import SyncLink
from tests.support.recorders import nobody, on_a_thread
from tests.support.worlds import MICRO, Give, Made, World, counts, request


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as made:
        made.workspace()
        yield made


Play = Callable[[Callable[[], Message], socket.socket], None]


@contextmanager
def played(database: Path, play: Play) -> Iterator[None]:
    """A recorder that is played on a thread, for one connection."""
    with socket.socket(socket.AF_UNIX) as listener:
        with address(socket_path(database)) as name:
            listener.bind(name)
        listener.listen()

        def serve() -> None:
            peer, _ = listener.accept()
            frames = FrameBuffer()
            heard: list[Message] = []

            def hear() -> Message:
                while not heard:
                    heard.extend(decode_message(body) for body in frames.feed(peer.recv(65_536)))
                return heard.pop(0)

            with peer:
                play(hear, peer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield
        thread.join(20)
    assert not thread.is_alive()


def test_a_late_reply_is_never_taken_for_anothers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync_link, "REPLY_SECONDS_MAX", 0.05)
    database = tmp_path / "farebox.db"
    is_late = threading.Event()

    def late(hear: Callable[[], Message], peer: socket.socket) -> None:
        first = hear()
        is_late.wait(20)
        with suppress(OSError):
            peer.sendall(encode(Recorded(first.call_id, 1, [], [], [])))

    with played(database, late):
        link = SyncLink(database, nobody())
        with pytest.raises(FareboxError) as lost:
            link.record([request(1, "first")])
        assert lost.value.kind is STORE_UNAVAILABLE
        is_late.set()
        with pytest.raises(FareboxError):
            link.record([request(1, "second")])
        link.close()


def test_a_stream_is_answered_in_order(world: World) -> None:
    with on_a_thread(world), SyncLink(world.path, nobody()) as link:
        for size in range(1, 40):
            link.send_record([request(1, f"{size}-{n}") for n in range(size)])
        for size in range(1, 40):
            assert counts(link.receive_recorded(), size) == (size, 0, 0, 0)


def test_a_command_is_answered_or_refused_with_its_error(world: World) -> None:
    with on_a_thread(world), SyncLink(world.path, nobody()) as link:
        assert link.call("test.give", Give(1, MICRO), Made, actor="test").number == 2
        plan = world.commands["plans.change"].arguments(slug="nope")
        with pytest.raises(FareboxError) as refused:
            link.call("plans.change", plan, Made, actor="test")
        assert refused.value.kind is NOT_FOUND
        assert link.call("test.give", Give(1, MICRO), Made, actor="test").number == 3


def test_what_is_too_long_is_refused_and_the_link_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages, "FRAME_BYTES_MAX", 10_000)
    with on_a_thread(world), SyncLink(world.path, nobody()) as link:
        with pytest.raises(FareboxError) as refused:
            link.record([request(1, str(n)) for n in range(500)])
        assert refused.value.kind is BODY_TOO_LARGE
        assert counts(link.record([request(1, "a")]), 1) == (1, 0, 0, 0)


def test_no_recorder_is_503_at_once(tmp_path: Path) -> None:
    with pytest.raises(FareboxError) as refused:
        SyncLink(tmp_path / "farebox.db", nobody())
    assert refused.value.kind is STORE_UNAVAILABLE


def test_a_recorder_that_ends_is_503(tmp_path: Path) -> None:
    database = tmp_path / "farebox.db"

    def end(hear: Callable[[], Message], _: socket.socket) -> None:
        hear()

    with played(database, end), SyncLink(database, nobody()) as link:
        with pytest.raises(FareboxError) as lost:
            link.record([request(1, "a")])
        assert lost.value.kind is STORE_UNAVAILABLE
