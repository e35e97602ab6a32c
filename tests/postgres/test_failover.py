"""The primary is lost and its synchronous standby promoted: as the guide tells it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from farebox.core.database_url import read_database_url
from farebox.store.database import Database
from tests.postgres.office import Office
from tests.support.cluster import Cluster
from tests.support.server import RunningServer
from tests.support.waiting import until


@pytest.fixture
def servers() -> Iterator[tuple[Cluster, Cluster]]:
    with Cluster() as primary:
        yield primary, primary.add_standby()


def record(server: RunningServer, key: str, name: str) -> Any:  # noqa: ANN401 - any JSON
    row = {"id": name, "key": key, "log_type": "people", "status_code": 200}
    response = server.call("POST", "/v1/requests", {"requests": [row]})
    assert response.is_success, response.text
    return response.json()


def is_ready(server: RunningServer) -> bool:
    try:
        return server.client.get(f"{server.url}/readyz").status_code == 200
    except httpx.TransportError:
        return False


def test_a_node_goes_on_by_itself_on_the_standby_and_nothing_acknowledged_is_lost(
    servers: tuple[Cluster, Cluster], tmp_path: Path
) -> None:
    primary, standby = servers
    name = primary.create_database().rpartition("/")[2]
    both = f"{primary.authority},{standby.authority}"
    url = primary.url(name, both) + "?target_session_attrs=read-write"
    office = Office(Database(read_database_url(url)), tmp_path)
    key = office.sell()
    with office.server() as server:
        assert record(server, key, "before")["accepted"] == 1
        primary.kill()
        until(lambda: not is_ready(server))
        standby.promote()
        until(lambda: is_ready(server))
        assert record(server, key, "before")["duplicates"] == 1
        assert record(server, key, "after")["accepted"] == 1
        assert office.json("audit")["requests"] == 2
