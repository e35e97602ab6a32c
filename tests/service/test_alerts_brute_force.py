"""Alerts against a count by hand: any use, any passing of time, servers that come and go."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from farebox.core.instant import MS_PER_HOUR, MS_PER_MINUTE
from tests.service.watch import Watch
from tests.support.harness import Harness
from tests.support.homes import ENGINE_DRAWN, Homes

THRESHOLDS = (30, 50, 100, 200)
LIMIT = 10


class Step(NamedTuple):
    """Requests that are reported late; then time passes, and a server looks: 0, 1, or a new one."""

    requests: int
    late_minutes: int
    wait_minutes: int
    server: int


STEPS = st.lists(
    st.builds(
        Step,
        st.integers(0, 8),
        st.integers(0, 25),
        st.integers(0, 90),
        st.sampled_from([0, 1, 2]),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(engine=ENGINE_DRAWN, steps=STEPS)
def test_every_threshold_that_a_window_reached_is_told_once_and_no_other(
    homes: Homes,
    engine: str,
    steps: list[Step],
) -> None:
    with homes.one(engine) as home, Harness(home) as harness:
        watch = Watch(harness)
        watch.alert("hour", *THRESHOLDS)
        made_ms = harness.now_ms
        servers = [watch.server(), watch.server()]
        counted: Counter[int] = Counter()
        for step in steps:
            time_ms = harness.now_ms - step.late_minutes * MS_PER_MINUTE
            watch.use(step.requests, time_ms=time_ms)
            counted[time_ms // MS_PER_HOUR] += step.requests
            harness.advance(minutes=step.wait_minutes)
            watch.look(servers[step.server] if step.server in {0, 1} else watch.server())
        expected = {
            (hour * MS_PER_HOUR, threshold)
            for hour, used in counted.items()
            for threshold in THRESHOLDS
            if used * 100 >= threshold * LIMIT and (hour + 1) * MS_PER_HOUR > made_ms
        }
        told = harness.select("select window_start_ms, threshold_percent from alert_firings")
        assert sorted(told) == sorted(expected)
        assert len(watch.events()) == len(expected)
