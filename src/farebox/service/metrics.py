"""Metrics: what `/metrics` tells Prometheus. Base units in names; no key or workspace in labels.

`METRICS` is the one list; the documentation is made from it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import Literal, NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector

LATENCY_BUCKETS_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)


class Metric(NamedTuple):
    """A metric's name, kind, labels and meaning.

    `of_all` is what the gauges of several workers come to, and counters that each tells of the
    same recorder; the rest is summed.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    help: str
    of_all: Literal["sum", "max", "min"] = "sum"


METRICS: tuple[Metric, ...] = (
    Metric(
        "farebox_http_requests_total",
        "counter",
        ("route", "method", "status"),
        "Answers by route, method and status.",
    ),
    Metric(
        "farebox_http_request_seconds",
        "histogram",
        ("route",),
        "How long answers took, in seconds.",
    ),
    Metric(
        "farebox_requests_total",
        "counter",
        ("outcome",),
        "Metered requests by what became of them: accepted, duplicate, conflict or rejected.",
    ),
    Metric(
        "farebox_record_seconds",
        "histogram",
        (),
        "From handing a batch to the recorder to its commit, in seconds.",
    ),
    Metric(
        "farebox_late_settlements_total",
        "counter",
        (),
        "Settlements that came after their reservation had expired.",
    ),
    Metric("farebox_queue_rows", "gauge", (), "Requests that wait to be recorded."),
    Metric(
        "farebox_store_failures_total",
        "counter",
        (),
        "Answers 503 because the store or the recorder failed.",
    ),
    Metric(
        "farebox_self_requests_dropped_total",
        "counter",
        (),
        "Calls of the customer endpoints that could not be recorded.",
    ),
    Metric(
        "farebox_refusals_total",
        "counter",
        ("reason",),
        "Calls that were refused, by the limit or other reason that refused them.",
    ),
    Metric(
        "farebox_shadow_refusals_total",
        "counter",
        ("reason",),
        "Calls that a plan in shadow mode would have refused, by reason.",
    ),
    Metric(
        "farebox_refusals_dropped_total",
        "counter",
        (),
        "Refusals that could not be counted in the database.",
    ),
    Metric(
        "farebox_webhook_deliveries_total",
        "counter",
        ("outcome",),
        "Attempts to send a message to a webhook: delivered, retried or gave_up.",
    ),
    Metric("farebox_alerts_fired_total", "counter", (), "Thresholds of alerts that were reached."),
    Metric(
        "farebox_clock_drift_seconds",
        "gauge",
        (),
        "How far the wall clock has stepped away from the steady clock, in seconds.",
        "max",
    ),
    Metric(
        "farebox_directory_change_id",
        "gauge",
        (),
        "The last change that is followed; of several workers by the slowest.",
        "min",
    ),
    Metric(
        "farebox_gate_trust_seconds",
        "gauge",
        (),
        "For how long the gate may admit from memory without another renewal, in seconds; of "
        "several workers the shortest.",
        "min",
    ),
    Metric(
        "farebox_gate_drawn_units_total",
        "counter",
        (),
        "Units of limits by second, minute, hour, day and month that this process has drawn to "
        "admit by.",
    ),
    Metric(
        "farebox_gate_recalled_units_total",
        "counter",
        (),
        "Units of such limits that were given back because another process had run short.",
    ),
    Metric(
        "farebox_gate_early_refusals_total",
        "counter",
        (),
        "Calls that were refused while another process still held units, after one recall.",
    ),
    Metric(
        "farebox_gate_leases_given_up_total",
        "counter",
        (),
        "Leases that were given up, because the outcome of a message was unknown or the recorder "
        "had begun anew.",
    ),
    Metric(
        "farebox_held_back_units",
        "gauge",
        (),
        "Units of windows that processes had drawn which have gone: used until the windows close. "
        "Of the whole database.",
        "max",
    ),
    Metric(
        "farebox_held_back_micro_credits",
        "gauge",
        (),
        "Micro-credits that processes had drawn which have gone: held until their longest "
        "reservation is over. Of the whole database.",
        "max",
    ),
    Metric(
        "farebox_nodes",
        "gauge",
        (),
        "Nodes that have the database open: one for each machine and runtime folder.",
        "max",
    ),
    Metric(
        "farebox_node_renewals_total",
        "counter",
        (),
        "Renewals of this node in PostgreSQL; others end one that falls silent.",
        "max",
    ),
    Metric(
        "farebox_nodes_ended_total",
        "counter",
        (),
        "Nodes that this one found silent, and ended.",
        "max",
    ),
    Metric(
        "farebox_recorder_round_trips_total",
        "counter",
        (),
        "How often the recorder of this node has waited for PostgreSQL.",
        "max",
    ),
    Metric(
        "farebox_database_round_trips_total",
        "counter",
        (),
        "How often the servers have waited for PostgreSQL to read.",
    ),
    Metric(
        "farebox_database_connections",
        "gauge",
        (),
        "Connections that the servers have open to read; the recorder has one more, to write.",
    ),
    Metric(
        "farebox_audit_differences",
        "gauge",
        (),
        "Differences that the last audit found; -1 before the first.",
        "max",
    ),
    Metric(
        "farebox_audit_timestamp_seconds",
        "gauge",
        (),
        "When the last audit ended, in Unix time.",
        "max",
    ),
    Metric(
        "farebox_worker_restarts_total",
        "counter",
        (),
        "Workers that ended unasked and were replaced.",
    ),
)


class Latency:
    """A histogram of seconds for one set of labels. It only adds, so it costs next to nothing."""

    __slots__ = ("_counts", "_seconds")

    def __init__(self) -> None:
        self._counts = [0] * (len(LATENCY_BUCKETS_SECONDS) + 1)
        self._seconds = 0.0

    def observe(self, seconds: float) -> None:
        """Add an observation."""
        self._counts[bisect_left(LATENCY_BUCKETS_SECONDS, seconds)] += 1
        self._seconds += seconds

    def told(self) -> tuple[list[tuple[str, float]], float]:
        """The cumulative buckets by their upper bounds, and the sum, as Prometheus wants them."""
        bounds = [*map(str, LATENCY_BUCKETS_SECONDS), "+Inf"]
        return list(zip(bounds, accumulate(map(float, self._counts)), strict=True)), self._seconds


class _Latencies(Collector):
    """The histograms of one metric, by the values of its labels."""

    def __init__(self, metric: Metric) -> None:
        self._metric = metric
        self._of: dict[tuple[str, ...], Latency] = {}
        if not metric.labels:
            self.labelled({})

    def labelled(self, labels: Mapping[str, str]) -> Latency:
        """The one with these labels."""
        values = tuple(labels[name] for name in self._metric.labels)
        found = self._of.get(values)
        if found is None:
            found = self._of[values] = Latency()
        return found

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """All of them, for the registry."""
        name, _, labels, text, _ = self._metric
        family = HistogramMetricFamily(name, text, labels=labels)
        for values, latency in sorted(self._of.items()):
            buckets, seconds = latency.told()
            family.add_metric(values, buckets, seconds)
        yield family


class Metrics:
    """The metrics of one process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._counters: dict[str, Counter] = {}
        self._gauges: dict[str, Gauge] = {}
        self._latencies: dict[str, _Latencies] = {}
        self._reached: dict[str, int] = {}
        for metric in METRICS:
            self._register(metric)
        self.set("farebox_audit_differences", -1)

    def count(self, name: str, amount: int = 1, **labels: str) -> None:
        """Add to a counter."""
        counter = self._counters[name]
        (counter.labels(**labels) if labels else counter).inc(amount)

    def reach(self, name: str, total: int) -> None:
        """Count up to what somebody else has counted, who may have begun anew."""
        before = self._reached.get(name, 0)
        self._reached[name] = total
        self._counters[name].inc(total - before if total >= before else total)

    def set(self, name: str, value: float) -> None:
        """Set a gauge."""
        self._gauges[name].set(value)

    def observe(self, name: str, seconds: float, **labels: str) -> None:
        """Add to a histogram."""
        self._latencies[name].labelled(labels).observe(seconds)

    def counter(self, name: str, **labels: str) -> Counter:
        """A counter with its labels, for who counts often."""
        return self._counters[name].labels(**labels)

    def latency(self, name: str, **labels: str) -> Latency:
        """A histogram with its labels, for who observes often."""
        return self._latencies[name].labelled(labels)

    def render(self) -> bytes:
        """The text that Prometheus reads."""
        return generate_latest(self.registry)

    def _register(self, metric: Metric) -> None:
        name, text, labels = metric.name, metric.help, metric.labels
        if metric.kind == "counter":
            self._counters[name] = Counter(name, text, labels, registry=self.registry)
        elif metric.kind == "gauge":
            self._gauges[name] = Gauge(name, text, labels, registry=self.registry)
        else:
            latencies = self._latencies[name] = _Latencies(metric)
            self.registry.register(latencies)
