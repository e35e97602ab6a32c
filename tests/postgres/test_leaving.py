"""A server that was told to stop has left the fleet when it ends: a container takes all else along.

When the first process of a container has ended, all others are killed at once, the recorder too.
"""

from __future__ import annotations

import os
import signal
from contextlib import closing, suppress

import httpx
import pytest

from farebox.engine.nodes import LEFT, NodeRow
from tests.postgres.office import Office
from tests.support.processes import is_alive
from tests.support.server import STOP_SECONDS_MAX, RunningServer


def stop_as_a_container(server: RunningServer) -> int:
    """End the first process, and kill its recorder in the same moment; the exit status."""
    recorder = server.recorder_pid()
    assert server.process is not None
    assert recorder is not None
    server.process.terminate()
    status = server.process.wait(STOP_SECONDS_MAX)
    with suppress(ProcessLookupError):
        os.kill(recorder, signal.SIGKILL)
    return status


def nodes(office: Office) -> list[NodeRow]:
    with closing(office.database.open_reader()) as reader:
        return reader.rows("nodes_all", NodeRow)


@pytest.mark.parametrize("workers", ["1", "3"])
def test_a_node_has_left_when_its_server_has_ended(office: Office, workers: str) -> None:
    key = office.sell()
    with office.server(FAREBOX_WORKERS=workers) as server:
        for _ in range(4):
            asked = server.call("POST", "/v1/authorize", {"key": key, "log_type": "people"})
            assert asked.status_code == httpx.codes.OK
        assert [node for node in nodes(office) if node.renewals != LEFT]
        assert stop_as_a_container(server) == 0
        assert not [node for node in nodes(office) if node.renewals != LEFT]


def test_a_server_that_stops_leaves_the_recorder_to_another_of_its_machine(office: Office) -> None:
    key = office.sell()
    first = office.server()
    shared = {"FAREBOX_RUNTIME_DIR": first.environment["FAREBOX_RUNTIME_DIR"]}
    with first, office.server("more", **shared) as second:
        recorder = first.recorder_pid()
        assert recorder is not None
        assert first.process is not None
        first.process.terminate()
        assert first.process.wait(STOP_SECONDS_MAX) == 0
        assert is_alive(recorder)
        asked = second.call("POST", "/v1/authorize", {"key": key, "log_type": "people"})
        assert asked.status_code == httpx.codes.OK
        assert is_alive(recorder)
