"""The recorder's loop: peers that break off, send garbage or don't listen harm nobody else."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from farebox.core.errors import FareboxError
from farebox.engine import recorder_loop
from farebox.engine.messages import (
    FAREWELL,
    FRAME_BYTES_MAX,
    FrameBuffer,
    Record,
    decode_reply,
    encode,
)
from farebox.engine.paths import address, socket_path
from farebox.engine.recorder_loop import RecorderLoop
from farebox.engine.sync_link import SyncLink
from tests.support.recorders import nobody, on_a_thread, until
from tests.support.truth import differences
from tests.support.worlds import World, counts, request


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as made:
        made.workspace()
        yield made


@contextmanager
def raw_peer(world: World) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as peer, address(socket_path(world.path)) as name:
        peer.settimeout(20)
        peer.connect(name)
        yield peer


def is_dropped(peer: socket.socket) -> bool:
    """Whether the recorder has hung up, after whatever it had still sent."""
    try:
        while peer.recv(4096):
            pass
    except ConnectionResetError:
        pass
    return True


TOO_LONG = (FRAME_BYTES_MAX + 1).to_bytes(4, "big")
GARBAGE = {
    "a frame beyond the bound": TOO_LONG,
    "a frame that is no message": b"\0\0\0\5hello",
    "a message of another kind": b"\0\0\0\7" + b"\x92\xa5other",
    "a record with a row of wrong types": b"\0\0\0\x0d" + b"\x94\xa6record\x01\x91\x91\xc3\x90",
    "good bytes before the bad": encode(Record(1, [request(1, "ghost")])) + TOO_LONG,
}


@pytest.mark.parametrize("data", GARBAGE.values(), ids=GARBAGE)
def test_garbage_ends_its_own_connection_only(world: World, data: bytes) -> None:
    with on_a_thread(world), SyncLink(world.path, nobody()) as link:
        assert counts(link.record([request(1, "before")]), 1) == (1, 0, 0, 0)
        with raw_peer(world) as peer:
            peer.sendall(data)
            assert is_dropped(peer)
        assert counts(link.record([request(1, "after")]), 1) == (1, 0, 0, 0)
    assert not differences(world.db)


def test_a_frame_torn_by_a_peer_that_ends_does_nothing(world: World) -> None:
    frame = encode(Record(1, [request(1, "torn")]))
    with on_a_thread(world) as loop, SyncLink(world.path, nobody()) as link:
        for end in (1, 3, 4, 5, len(frame) - 1):
            with raw_peer(world) as peer:
                peer.sendall(frame[:end])
                peer.shutdown(socket.SHUT_WR)
                assert is_dropped(peer)
        link.record([request(1, "whole")])
        until(lambda: len(loop._peers) == 1)
    assert world.select("select identity from identities") == [(b"\0whole",)]


def test_a_frame_in_single_bytes_is_a_frame(world: World) -> None:
    with on_a_thread(world), raw_peer(world) as peer:
        for byte in encode(Record(1, [request(1, "slow")])):
            peer.sendall(bytes([byte]))
        assert peer.recv(4096)
    assert world.select("select count(*) from requests") == [(1,)]


def test_what_a_peer_sent_before_it_ended_is_recorded(world: World) -> None:
    with on_a_thread(world), raw_peer(world) as peer:
        peer.sendall(encode(Record(1, [request(1, "last words")])))
        peer.shutdown(socket.SHUT_WR)
        until(lambda: world.select("select count(*) from requests") == [(1,)])


def test_a_peer_that_takes_no_replies_does_not_stop_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_loop, "UNSENT_BYTES_MAX", 10_000)
    monkeypatch.setattr(recorder_loop, "SOCKET_BUFFER_BYTES", 4_096)
    flood = encode(Record(1, [])) * 2_000
    with on_a_thread(world) as loop, raw_peer(world) as deaf:
        deaf.settimeout(0)
        sent_bytes = 0
        with SyncLink(world.path, nobody()) as link:
            until(lambda: len(loop._peers) == 2)
            for number in range(200):
                try:
                    sent_bytes += deaf.send(flood)
                except BlockingIOError:
                    break
                assert counts(link.record([request(1, str(number))]), 1) == (1, 0, 0, 0)
            else:
                pytest.fail("the recorder reads on and on, and its replies heap up")
            held = max(len(peer.unsent) for peer in loop._peers.values())
            assert held < 10_000 + recorder_loop.READ_BYTES
            assert counts(link.record([request(1, "still here")]), 1) == (1, 0, 0, 0)
        assert sent_bytes > 0


def test_more_than_a_commit_takes_waits_and_is_bounded(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_loop, "ROWS_PER_COMMIT_MAX", 50)
    monkeypatch.setattr(recorder_loop, "WAITING_MAX", 120)
    monkeypatch.setattr(recorder_loop, "READ_BYTES", 20_000)
    weights = []
    handle = RecorderLoop._handle

    def watched(self: RecorderLoop) -> None:
        weights.append(self._weight)
        handle(self)

    monkeypatch.setattr(RecorderLoop, "_handle", watched)
    with on_a_thread(world) as loop, SyncLink(world.path, nobody()) as link:
        for start in range(0, 3_000, 30):
            link.send_record([request(1, str(n)) for n in range(start, start + 30)])
        for _ in range(100):
            assert counts(link.receive_recorded(), 30) == (30, 0, 0, 0)
        assert loop._weight == 0
    ((commits, rows),) = world.select("select count(distinct commit_id), count(*) from requests")
    assert rows == 3_000
    assert commits >= 60
    assert 120 <= max(weights) < 500
    assert not differences(world.db)


def test_a_record_larger_than_a_commit_is_meant_to_be_is_committed_whole(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_loop, "ROWS_PER_COMMIT_MAX", 5)
    with on_a_thread(world), SyncLink(world.path, nobody()) as link:
        rows = [request(1, str(n)) for n in range(30)]
        assert counts(link.record(rows), rows) == (30, 0, 0, 0)


def test_what_was_read_before_the_end_is_recorded_and_answered(world: World) -> None:
    path = socket_path(world.path)
    with socket.socket(socket.AF_UNIX) as listener, address(path) as name:
        listener.bind(name)
        listener.listen()
        listener.settimeout(0)
        loop = RecorderLoop(world.recorder, listener, path)
        with raw_peer(world) as peer:
            loop._accept()
            peer.sendall(encode(Record(7, [request(1, "a")])))
            loop._poll(20)
            assert world.select("select count(*) from requests") == [(0,)]
            loop._finish()
            (body,) = FrameBuffer().feed(peer.recv(4_096))
            assert decode_reply(body).call_id == 7
            assert is_dropped(peer)
    assert world.select("select count(*) from requests") == [(1,)]


def test_records_of_all_peers_share_commits(world: World) -> None:
    """Group commit: what waits while one commit runs is the next one."""
    with (
        on_a_thread(world),
        SyncLink(world.path, nobody()) as first,
        SyncLink(world.path, nobody()) as second,
    ):
        for number in range(200):
            first.send_record([request(1, f"a{number}")])
            second.send_record([request(1, f"b{number}")])
        commits = {link.receive_recorded().commit_id for link in (first, second) * 200}
    assert len(commits) < 200
    assert not differences(world.db)


def test_it_stops_after_its_peers_have_sent_what_they_had(world: World) -> None:
    with on_a_thread(world) as loop, SyncLink(world.path, nobody()) as link:
        loop.stop()
        assert counts(link.record([request(1, "late")]), 1) == (1, 0, 0, 0)


def test_peers_that_stay_do_not_keep_it_from_stopping(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_loop, "STOP_SECONDS_MAX", 0.05)
    with on_a_thread(world) as loop:
        link = SyncLink(world.path, nobody())
        assert counts(link.record([request(1, "a")]), 1) == (1, 0, 0, 0)
        loop.stop()
        with pytest.raises(FareboxError, match="not available"):
            record_for_ever(link)
    link.close()


def test_a_farewell_is_answered_at_once_by_the_end_of_the_connection(world: World) -> None:
    with on_a_thread(world), SyncLink(world.path, nobody()) as link:
        with raw_peer(world) as peer:
            peer.sendall(encode(Record(1, [request(1, "a")])))
            assert peer.recv(4096)
            peer.sendall(FAREWELL)
            assert is_dropped(peer)
        assert counts(link.record([request(1, "b")]), 1) == (1, 0, 0, 0)


def test_the_last_farewell_is_answered_when_the_database_is_closed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_loop, "LINGER_SECONDS", 1_000)
    with on_a_thread(world), raw_peer(world) as peer:
        peer.sendall(encode(Record(1, [request(1, "a")])))
        assert peer.recv(4096)
        assert world.recorder._session is not None
        peer.sendall(FAREWELL)
        assert is_dropped(peer)
        assert world.recorder._session is None


def record_for_ever(link: SyncLink) -> None:
    for number in itertools.count():
        link.record([request(1, str(number))])


def test_a_caller_at_the_last_moment_is_let_in(world: World) -> None:
    """Its name is taken from the door before it leaves, and put back for whoever is there."""
    path = socket_path(world.path)
    with socket.socket(socket.AF_UNIX) as listener, address(path) as name:
        listener.bind(name)
        listener.listen()
        listener.settimeout(0)
        loop = RecorderLoop(world.recorder, listener, path)
        with raw_peer(world):
            assert not loop._has_left()
            assert path.is_socket()
            (peer,) = loop._peers.values()
            loop._drop(peer)
        assert loop._has_left()
    assert [p.name for p in path.parent.glob("*.sock*")] == []


def test_a_folder_that_is_gone_keeps_nobody_from_leaving(world: World) -> None:
    path = socket_path(world.path)
    with socket.socket(socket.AF_UNIX) as listener:
        assert RecorderLoop(world.recorder, listener, path)._has_left()
