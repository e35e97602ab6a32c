"""The fleet: processes with what they have drawn, and every setting as it counts."""

from __future__ import annotations

from starlette.responses import Response

from farebox.dashboard.visit import Visit
from farebox.service.processes import read_processes
from farebox.store.contract import Reader


async def show_processes(visit: Visit) -> Response:
    """Nodes, processes, and the workspaces that most is drawn of."""

    def work(reader: Reader) -> Response:
        return visit.page(
            "operator/processes.html",
            fleet=read_processes(reader, visit.now_ms),
            queue_rows=visit.desk.link.rows_waiting,
        )

    return await visit.read(work)


async def show_settings(visit: Visit) -> Response:
    """Every setting of the process that answers."""
    return await visit.show("operator/settings.html", settings=visit.desk.settings)
