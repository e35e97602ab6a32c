"""What workers have counted, together: sums that never run back, gauges by their rule."""

from __future__ import annotations

from farebox.service.metrics import Metrics
from farebox.service.numbers import Number, numbers_of, render, total
from farebox.workers.hub import Hub


def counted(requests: int, *, seconds: float = 0.01) -> Metrics:
    metrics = Metrics()
    for _ in range(requests):
        metrics.count("farebox_requests_total", outcome="accepted")
        metrics.observe("farebox_record_seconds", seconds)
    return metrics


def lines(numbers: list[Number]) -> list[str]:
    return [line for line in render(numbers).decode().splitlines() if not line.startswith("#")]


def test_one_process_tells_the_same_as_numbers_and_by_itself() -> None:
    metrics = counted(3)
    metrics.count("farebox_http_requests_total", route='/a"b', method="GET", status="200")
    alone = [line for line in metrics.render().decode().splitlines() if "_created" not in line]
    told = render(numbers_of(metrics.registry)).decode().splitlines()
    assert sorted(map(str.split, told)) == sorted(map(str.split, alone))


def test_counters_and_histograms_are_summed_over_workers() -> None:
    both = total(
        [
            numbers_of(counted(2, seconds=0.5).registry),
            numbers_of(counted(3, seconds=0.002).registry),
        ]
    )
    told = lines(both)
    assert 'farebox_requests_total{outcome="accepted"} 5.0' in told
    assert 'farebox_record_seconds_bucket{le="0.0025"} 3.0' in told
    assert 'farebox_record_seconds_bucket{le="+Inf"} 5.0' in told
    assert "farebox_record_seconds_count 5.0" in told


def test_gauges_come_to_what_their_declaration_says() -> None:
    of_each = []
    for rows, change_id, differences in ((3, 7, -1), (4, 5, 0)):
        metrics = Metrics()
        metrics.set("farebox_queue_rows", rows)
        metrics.set("farebox_directory_change_id", change_id)
        metrics.set("farebox_audit_differences", differences)
        of_each.append(numbers_of(metrics.registry))
    told = lines(total(of_each))
    assert "farebox_queue_rows 7.0" in told
    assert "farebox_directory_change_id 5.0" in told
    assert "farebox_audit_differences 0.0" in told


def test_a_worker_that_has_gone_is_counted_on_and_its_gauges_go() -> None:
    hub = Hub()
    first, second = counted(2), counted(3)
    first.set("farebox_queue_rows", 9)
    hub.tell(1, numbers_of(first.registry))
    hub.tell(2, numbers_of(second.registry))
    hub.leave(1, is_replaced=True)
    hub.tell(3, numbers_of(counted(1).registry))
    told = lines(hub.total())
    assert 'farebox_requests_total{outcome="accepted"} 6.0' in told
    assert "farebox_queue_rows 0.0" in told
    assert "farebox_worker_restarts_total 1.0" in told


def test_what_each_worker_tells_of_the_same_recorder_counts_once() -> None:
    hub = Hub()
    for worker_id, renewals in ((1, 8), (2, 9)):
        metrics = Metrics()
        metrics.reach("farebox_node_renewals_total", renewals)
        hub.tell(worker_id, numbers_of(metrics.registry))
    assert "farebox_node_renewals_total 9.0" in lines(hub.total())
    hub.leave(2, is_replaced=True)
    assert "farebox_node_renewals_total 8.0" in lines(hub.total())


def test_a_counter_of_somebody_who_begins_anew_never_runs_back() -> None:
    metrics = Metrics()
    for told in (3, 5, 5, 2, 4):
        metrics.reach("farebox_recorder_round_trips_total", told)
    assert "farebox_recorder_round_trips_total 9.0" in lines(numbers_of(metrics.registry))
