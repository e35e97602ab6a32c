"""The operator's first page."""

from __future__ import annotations

from starlette.responses import Response

from farebox.dashboard.visit import Visit


async def show_overview(visit: Visit) -> Response:
    """The page."""
    return visit.page("operator/overview.html")
