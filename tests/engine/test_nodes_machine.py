"""Two nodes do in any order what one does alone. `make long` has them do it for minutes."""

from __future__ import annotations

import logging

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.engine.nodes_machine import NodesMachine
from tests.support.homes import Homes

STEPS = 60
LONG = [pytest.mark.long, pytest.mark.timeout(3_600)]


@pytest.mark.slow
@pytest.mark.parametrize("runs", [12, pytest.param(1_000, marks=LONG)])
def test_two_nodes_keep_what_one_does(
    homes: Homes, caplog: pytest.LogCaptureFixture, runs: int
) -> None:
    caplog.set_level(logging.CRITICAL, "farebox")
    NodesMachine.homes = homes
    run_state_machine_as_test(
        NodesMachine,
        settings=settings(
            max_examples=runs,
            stateful_step_count=STEPS,
            phases=(Phase.generate,),  # to shrink takes minutes
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
