"""Health, readiness and metrics: what those who run the program ask it."""

from __future__ import annotations

from starlette.responses import Response

from farebox.api.call import Answer, Call, Handler
from farebox.contract.service import METRICS, HealthAnswer


async def health(_: Call) -> Answer:
    """The process runs."""
    return HealthAnswer("ok")


async def ready(call: Call) -> Answer:
    """Requests can be read and recorded, or 503."""
    await call.context.follower.ensure_fresh()
    await call.context.link.connect()
    return HealthAnswer("ok")


async def metrics(call: Call) -> Answer:
    """What Prometheus reads."""
    context = call.context
    context.metrics.set("farebox_queue_rows", context.link.rows_waiting)
    context.metrics.set("farebox_directory_change_id", context.directory.change_id)
    return Response(context.metrics.render(), media_type=METRICS.response_media_type)


HANDLERS: dict[str, Handler] = {
    "healthz_get": health,
    "readyz_get": ready,
    "metrics_get": metrics,
}
