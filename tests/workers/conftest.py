"""A shop of four workers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from farebox.service.audit import run_audit
from farebox.store.sqlite.database import open_reader
from tests.support.faces import SETTINGS, Shop
from tests.support.server import RunningServer

WORKERS = 4
HOLD_SECONDS = 2


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Whatever is done to its workers, its books agree in the end."""
    folder = tmp_path_factory.mktemp("workers")
    settings = {
        **SETTINGS,
        "FAREBOX_WORKERS": str(WORKERS),
        "FAREBOX_RESERVATION_SECONDS": str(HOLD_SECONDS),
    }
    with RunningServer(folder, settings) as server:
        yield Shop(server)
        assert server.stop() == 0, server.errors()
        with closing(open_reader(server.database)) as reader:
            assert run_audit(reader, integrity=True).agrees
