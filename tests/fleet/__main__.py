"""The long simulation: seeded runs of a fleet for as long as one likes; `make sim`.

Each run prints one line of JSON. One that fails prints how to run it again, and the others go on.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.fleet.ground import GROUNDS, ground_of
from tests.fleet.ingest import run_ingest
from tests.fleet.runs import run_exact, run_failover, run_faults, run_returns
from tests.fleet.world import World

PARTS = ("exact", "large", "faults", "returns", "failover", "ingest")
RUNS = {"exact": 200, "large": 5, "faults": 40, "returns": 5, "failover": 10, "ingest": 1}
LARGE = (100_000,)
RUNS_A_WORLD = 25
HOLD_SECONDS = {"faults": 60, "failover": 60, "returns": 3}


def main() -> int:
    """Run what was asked for; 1 if a run failed."""
    told = _arguments()
    ends = time.monotonic() + told.seconds
    failed = 0
    for part in told.only or PARTS:
        if part in {"failover", "ingest"} and told.ground != "postgres":
            continue
        seeds = range(told.seed, told.seed + (told.runs or RUNS[part]))
        failed += sum(1 for is_good in _runs(part, told, seeds, ends) if not is_good)
    return int(failed > 0)


def _runs(part: str, told: argparse.Namespace, seeds: Iterable[int], ends: float) -> Iterator[bool]:
    """Each run of a part, a new world now and then: whether it was good."""
    left = list(seeds)
    while left and time.monotonic() < ends:
        count = 1 if part in {"failover", "ingest"} else RUNS_A_WORLD
        batch, left = left[:count], left[count:]
        with _world(part, told) as world:
            for seed in batch:
                if time.monotonic() < ends:
                    yield _is_good(part, told, seed, lambda: _run(part, told, world, seed))  # noqa: B023


def _run(part: str, told: argparse.Namespace, world: World, seed: int) -> str:
    if part == "exact":
        return run_exact(world, seed)
    if part == "large":
        return run_exact(world, seed, LARGE)
    if part == "faults":
        return run_faults(world, seed, told.fault_seconds)
    if part == "returns":
        return run_returns(world, seed)
    if part == "failover":
        return run_failover(world, seed)
    return run_ingest(world, seed, told.ingest_seconds)


def _is_good(part: str, told: argparse.Namespace, seed: int, run: Callable[[], str]) -> bool:
    try:
        line = run()
    except Exception:  # noqa: BLE001 - whatever it is, the others go on
        again = f"--only {part} --ground {told.ground} --seed {seed} --runs 1"
        sys.stdout.write(f'{traceback.format_exc()}\nAgain: make sim ARGS="{again}"\n')
        return False
    sys.stdout.write(f"{part} {line}\n")
    sys.stdout.flush()
    return True


@contextmanager
def _world(part: str, told: argparse.Namespace) -> Iterator[World]:
    nodes, workers = GROUNDS[told.ground]
    hold_seconds = HOLD_SECONDS.get(part, 3_600)
    with tempfile.TemporaryDirectory(prefix="farebox-sim-") as name:
        folder = Path(name)
        ground = ground_of(
            told.ground, folder, has_standby=part == "failover", in_memory=not told.disk
        )
        with (
            ground,
            World(folder, ground, nodes=nodes, workers=workers, hold_seconds=hold_seconds) as world,
        ):
            yield world


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make sim ARGS=...", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=PARTS, help="these parts; else all")
    parser.add_argument("--ground", choices=GROUNDS, default="postgres", help="what it stands on")
    parser.add_argument("--seed", type=int, default=1, help="of the first run of each part")
    parser.add_argument("--runs", type=int, help=f"how many of each part; else {RUNS}")
    parser.add_argument("--seconds", type=float, default=10**9, help="no new run after so long")
    parser.add_argument("--fault-seconds", type=float, default=15, help="of each run with faults")
    parser.add_argument("--ingest-seconds", type=float, default=300)
    parser.add_argument("--disk", action="store_true", help="PostgreSQL on the disk, not in memory")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
