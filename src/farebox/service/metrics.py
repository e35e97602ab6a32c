"""Metrics: what `/metrics` tells Prometheus. Base units in names; no key or workspace in labels.

`METRICS` is the one list; the documentation is made from it.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

LATENCY_BUCKETS_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)


class Metric(NamedTuple):
    """A metric's name, kind, labels and meaning."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    help: str


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
    Metric("farebox_queue_rows", "gauge", (), "Requests that wait to be recorded in this process."),
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
    ),
    Metric(
        "farebox_directory_change_id", "gauge", (), "The last change that this process follows."
    ),
    Metric(
        "farebox_audit_differences",
        "gauge",
        (),
        "Differences that the last audit found; -1 before the first.",
    ),
    Metric(
        "farebox_audit_timestamp_seconds", "gauge", (), "When the last audit ended, in Unix time."
    ),
)


class Metrics:
    """The metrics of one process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._counters: dict[str, Counter] = {}
        self._gauges: dict[str, Gauge] = {}
        self._histograms: dict[str, Histogram] = {}
        for metric in METRICS:
            self._register(metric)
        self.set("farebox_audit_differences", -1)

    def count(self, name: str, amount: int = 1, **labels: str) -> None:
        """Add to a counter."""
        counter = self._counters[name]
        (counter.labels(**labels) if labels else counter).inc(amount)

    def set(self, name: str, value: float) -> None:
        """Set a gauge."""
        self._gauges[name].set(value)

    def observe(self, name: str, seconds: float, **labels: str) -> None:
        """Add to a histogram."""
        histogram = self._histograms[name]
        (histogram.labels(**labels) if labels else histogram).observe(seconds)

    def counter(self, name: str, **labels: str) -> Counter:
        """A counter with its labels, for who counts often."""
        return self._counters[name].labels(**labels)

    def histogram(self, name: str, **labels: str) -> Histogram:
        """A histogram with its labels, for who observes often."""
        return self._histograms[name].labels(**labels)

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
            self._histograms[name] = Histogram(
                name, text, labels, registry=self.registry, buckets=LATENCY_BUCKETS_SECONDS
            )
