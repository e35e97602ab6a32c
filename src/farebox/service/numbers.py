"""Numbers: what the metrics of a process say at an instant, as plain values.

Those of several workers come together in one answer: what is counted is summed, a gauge comes to
what its declaration says. So whichever worker is asked, it tells the same of the whole machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client import Metric as Family

from farebox.service.metrics import METRICS

# When a series began: of several workers it says nothing.
_BEGUN = "_created"
# What isn't simply counted on: gauges, and what every worker tells of the same recorder.
_JOINED = {
    metric.name: metric.of_all
    for metric in METRICS
    if metric.kind == "gauge" or metric.of_all != "sum"
}


class Number(NamedTuple):
    """One sample: the metric's family, the sample's name, its labels and its value."""

    family: str
    name: str
    labels: tuple[tuple[str, str], ...]
    value: float

    @property
    def is_counted(self) -> bool:
        """Whether it only grows, and outlives the worker that counted it."""
        return self.name not in _JOINED


def numbers_of(registry: CollectorRegistry) -> list[Number]:
    """All numbers of a registry."""
    return [
        Number(family.name, sample.name, tuple(sample.labels.items()), sample.value)
        for family in registry.collect()
        for sample in family.samples
        if not sample.name.endswith(_BEGUN)
    ]


def total(of_each: Iterable[Iterable[Number]]) -> list[Number]:
    """The numbers of several processes as one."""
    all_of: dict[tuple[str, str, tuple[tuple[str, str], ...]], float] = {}
    for numbers in of_each:
        for number in numbers:
            series = number[:3]
            before = all_of.get(series)
            all_of[series] = number.value if before is None else _joined(number, before)
    return [Number(*series, value) for series, value in all_of.items()]


def render(numbers: Iterable[Number]) -> bytes:
    """The text that Prometheus reads."""
    return generate_latest(_Told(numbers))


class _Told(CollectorRegistry):
    """Numbers in the order of the metrics' declarations."""

    def __init__(self, numbers: Iterable[Number]) -> None:
        super().__init__()
        self._numbers = list(numbers)

    def collect(self) -> Iterator[Family]:
        families = {}
        for metric in METRICS:
            family = Family(metric.name.removesuffix("_total"), metric.help, metric.kind)
            families[family.name] = family
        for number in self._numbers:
            families[number.family].add_sample(number.name, dict(number.labels), number.value)
        yield from families.values()


def _joined(number: Number, before: float) -> float:
    match _JOINED.get(number.name, "sum"):
        case "max":
            return max(before, number.value)
        case "min":
            return min(before, number.value)
        case _:
            return before + number.value
