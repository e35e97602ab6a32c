"""Health, readiness and metrics: what those who run the program ask it."""

from __future__ import annotations

from starlette.responses import Response

from farebox.api.call import Answer, Call, Handler
from farebox.api.context import Context
from farebox.contract.service import METRICS, HealthAnswer
from farebox.core.instant import MS_PER_SECOND
from farebox.service.numbers import Number, numbers_of, render


async def health(_: Call) -> Answer:
    """The process runs."""
    return HealthAnswer("ok")


async def ready(call: Call) -> Answer:
    """Requests can be read and recorded, or 503."""
    await call.context.follower.ensure_fresh()
    await call.context.link.connect()
    call.context.link.check()
    return HealthAnswer("ok")


async def metrics(call: Call) -> Answer:
    """What Prometheus reads: of all workers, whichever of them is asked."""
    gather = call.context.gather
    if gather is None:
        _set_gauges(call.context)
    text = call.context.metrics.render() if gather is None else render(await gather())
    return Response(text, media_type=METRICS.response_media_type)


def numbers_now(context: Context) -> list[Number]:
    """What this process has counted, and what its gauges show now."""
    _set_gauges(context)
    return numbers_of(context.metrics.registry)


def _set_gauges(context: Context) -> None:
    metrics, gate = context.metrics, context.gatekeeper
    metrics.set("farebox_queue_rows", context.link.rows_waiting)
    metrics.set("farebox_directory_change_id", context.directory.change_id)
    metrics.set("farebox_gate_trust_seconds", gate.trusted_ms / MS_PER_SECOND)
    metrics.reach("farebox_gate_drawn_units_total", gate.counts.drawn_units)
    metrics.reach("farebox_gate_recalled_units_total", gate.counts.recalled_units)
    metrics.reach("farebox_gate_early_refusals_total", gate.counts.early_refusals)
    metrics.reach("farebox_gate_leases_given_up_total", gate.leases_given_up)
    reading = (context.follower, context.readers)
    metrics.set("farebox_database_connections", sum(one.connections for one in reading))
    metrics.reach("farebox_database_round_trips_total", sum(one.round_trips for one in reading))
    if gate.node is not None:
        metrics.reach("farebox_recorder_round_trips_total", gate.node.round_trips)
        metrics.reach("farebox_node_renewals_total", gate.node.renewals)
        metrics.reach("farebox_nodes_ended_total", gate.node.nodes_ended)


HANDLERS: dict[str, Handler] = {
    "healthz_get": health,
    "readyz_get": ready,
    "metrics_get": metrics,
}
