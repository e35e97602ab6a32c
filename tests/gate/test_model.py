"""The gate against its reference: whatever happens, in any order, no more is admitted than may be.

A share of the runs is part of every test run; `make long` makes 5,000 runs of 50 steps. What the
machine is worth is told by the faults that it finds when they are planted.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.errors import Flaky
from hypothesis.stateful import run_state_machine_as_test

from farebox.core.errors import FareboxError
from tests.gate.machine import GateMachine
from tests.gate.planted import PLANTED
from tests.gate.scene import SHM

STEPS = 50
RUNS = 400
# Most are found within ten runs. Those that take hundreds are looked for in the long lane.
RARE = {
    "expiry_not_heard",
    "forgotten_lease_opened_again",
    "lowered_limit_not_felt",
    "trust_not_checked",
}
FAULT_RUNS = 3_000
SHORT = [pytest.mark.timeout(600)]
LONG = [pytest.mark.long, pytest.mark.timeout(3_600)]


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    """What goes wrong is what is wanted; to keep the lines of thousands of runs takes long."""
    caplog.set_level(logging.CRITICAL, "farebox")


@pytest.fixture(autouse=True)
def _folder() -> Iterator[None]:
    """In memory where that can be: what is tested is not the disk."""
    with TemporaryDirectory(dir=SHM if SHM.is_dir() else None) as folder:
        GateMachine.folder = Path(folder)
        yield


def run(runs: int, *phases: Phase) -> None:
    """Run the machine; tells how much it did."""
    GateMachine.runs = GateMachine.steps = 0
    began = time.monotonic()
    try:
        run_state_machine_as_test(
            GateMachine,
            settings=settings(
                max_examples=runs,
                stateful_step_count=STEPS,
                deadline=None,
                database=None,
                derandomize=False,
                phases=phases,
                print_blob=True,
                report_multiple_bugs=False,
                suppress_health_check=list(HealthCheck),
            ),
        )
    finally:
        seconds = time.monotonic() - began
        rate = GateMachine.steps / seconds
        print(  # noqa: T201 - a number to be quoted
            f"{GateMachine.runs} runs, {GateMachine.steps} steps, "
            f"{seconds:.0f} s, {rate:.0f} steps/s"
        )


@pytest.mark.slow
@pytest.mark.parametrize("runs", [pytest.param(RUNS, marks=SHORT), pytest.param(5_000, marks=LONG)])
def test_the_gate_does_what_its_reference_does(runs: int) -> None:
    run(runs, Phase.generate, Phase.shrink)


@pytest.mark.slow
@pytest.mark.parametrize(
    "fault", [pytest.param(name, marks=LONG if name in RARE else SHORT) for name in PLANTED]
)
def test_the_machine_finds_a_planted_fault(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    PLANTED[fault](monkeypatch)
    with pytest.raises((AssertionError, FareboxError, Flaky)) as found:
        run(FAULT_RUNS, Phase.generate)
    assert not isinstance(found.value, Flaky), "found, but not again"
