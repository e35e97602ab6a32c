"""The history of a run: every call that was made, line by line, and when.

Times are of the machine's monotonic clock, the same for all processes. A call whose answer never
came has an unknown outcome, and keeps it until a repeat with the same id tells.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

import msgspec

Op = Literal["authorize", "settle", "void", "record"]
# `done`: it was answered that it is so. `other`: it had ended in the other way before. `unknown`:
# no answer, or one that tells nothing (503).
Outcome = Literal["admitted", "refused", "done", "other", "unknown", "wrong"]


class Line(msgspec.Struct, omit_defaults=True):
    """One call. `scope` is what the limit counts together; `name` is the caller's id."""

    op: Op
    name: str
    node: int
    sent: float
    heard: float
    outcome: Outcome
    status: int = 0
    scope: int = 0
    by: str = ""


class History:
    """All lines of a run."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self.lines = sorted(lines, key=lambda line: line.heard)

    @classmethod
    def read(cls, path: Path) -> History:
        """That of a file."""
        decoder = msgspec.json.Decoder(Line)
        return cls(decoder.decode(line) for line in path.read_bytes().splitlines())

    def of(self, op: Op, outcome: Outcome | None = None) -> Iterator[Line]:
        """The lines of an operation with an outcome."""
        return (
            line
            for line in self.lines
            if line.op == op and (outcome is None or line.outcome == outcome)
        )

    def names(self, op: Op, outcome: Outcome | None = None) -> set[str]:
        """The ids in those lines."""
        return {line.name for line in self.of(op, outcome)}

    def outcomes(self) -> dict[str, int]:
        """How many lines there are of each kind."""
        return dict(Counter(f"{line.op} {line.outcome}" for line in self.lines))

    def check_answers(self) -> None:
        """Nobody was told what nobody may be told, and no request ended in two ways."""
        wrong = [line for line in self.lines if line.outcome == "wrong"]
        assert not wrong, wrong[:3]
        both = self.names("settle", "done") & self.names("void", "done")
        assert not both, sorted(both)[:3]

    def check_log(self, logged: Counter[str]) -> None:
        """What was acknowledged is in the log once; what is there was asked for."""
        twice = [name for name, times in logged.items() if times > 1]
        assert not twice, twice[:3]
        lost = (self.names("settle", "done") | self.names("record", "done")) - logged.keys()
        assert not lost, sorted(lost)[:3]
        voided = self.names("void", "done") & logged.keys()
        assert not voided, sorted(voided)[:3]
        made_up = logged.keys() - self.names("settle") - self.names("record")
        assert not made_up, sorted(made_up)[:3]

    def admitted(self) -> dict[int, set[str]]:
        """The ids that were let through and not voided, by scope."""
        voided = self.names("void", "done")
        found: dict[int, set[str]] = defaultdict(set)
        for line in self.of("authorize", "admitted"):
            if line.name not in voided:
                found[line.scope].add(line.name)
        return dict(found)

    def most_at_once(self, hold_seconds: float, *, is_returning: bool) -> dict[int, int]:
        """The most that certainly was used or held at one instant, by scope.

        From when an admission was heard until its void was sent; for credits (`is_returning`) also
        only until its hold expired, if it was not settled before.
        """
        ends: dict[str, float] = {}
        for line in self.of("void"):
            ends[line.name] = min(line.sent, ends.get(line.name, line.sent))
        settled = {line.name: line.heard for line in reversed(list(self.of("settle", "done")))}
        steps: dict[int, list[tuple[float, int]]] = defaultdict(list)
        seen: set[str] = set()
        for line in self.of("authorize", "admitted"):
            if line.name in seen:
                continue
            seen.add(line.name)
            end = ends.get(line.name)
            expired = line.sent + hold_seconds
            if is_returning and end is None and settled.get(line.name, expired) >= expired:
                end = expired
            steps[line.scope].append((line.heard, 1))
            if end is not None:
                steps[line.scope].append((max(end, line.heard), -1))
        return {scope: _highest(changes) for scope, changes in steps.items()}

    def early(self, limit: int) -> tuple[int, float]:
        """How many refusals were early, and for how long a node went on with them, in seconds.

        Early is a refusal that was heard while certainly less than the limit was used or held.
        """
        count, longest = 0, 0.0
        since: dict[tuple[int, int], float] = {}
        sent = _times(self.of("authorize", "admitted"), "sent")
        freed = _times(self.of("void", "done"), "heard")
        for line in self.of("authorize"):
            place = (line.scope, line.node)
            if line.outcome == "admitted":
                since.pop(place, None)
            elif line.outcome == "refused":
                used = _until(sent[line.scope], line.heard) - _until(freed[line.scope], line.sent)
                if used < limit:
                    count += 1
                    longest = max(longest, line.heard - since.setdefault(place, line.sent))
                else:
                    since.pop(place, None)
        return count, longest


def _times(lines: Iterable[Line], field: Literal["sent", "heard"]) -> dict[int, list[float]]:
    found: dict[int, list[float]] = defaultdict(list)
    for line in lines:
        found[line.scope].append(line.sent if field == "sent" else line.heard)
    return defaultdict(list, {scope: sorted(times) for scope, times in found.items()})


def _until(times: list[float], instant: float) -> int:
    return bisect_left(times, instant)


def _highest(changes: list[tuple[float, int]]) -> int:
    """The highest sum of changes; at one instant what falls falls first."""
    level = highest = 0
    for _, change in sorted(changes):
        level += change
        highest = max(highest, level)
    return highest
