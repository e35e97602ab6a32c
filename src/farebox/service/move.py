"""Move: a database leaves its file for a PostgreSQL server, and both sides are audited.

Nobody may be using the file meanwhile: its recorder's lock is held throughout. The file stays as it
is. Over there everything is one transaction, committed only when the books of both sides agree and
are the same, so that a move that breaks leaves a new database. Reservations go along: what
processes had drawn is over, as after a restore.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from farebox.core.credits import to_number
from farebox.service.audit import AuditResult, audit_snapshot
from farebox.service.begin_anew import alone, begin_anew
from farebox.service.forms.copy import MovedData
from farebox.store.contract import Reader
from farebox.store.database import Database
from farebox.store.moving import moving

ACTION = "move"
_NS_PER_MS = 1_000_000

# What is being done, how much of it is, and how much there is.
OnProgress = Callable[[str, int, int], None]


class MoveRefusedError(Exception):
    """A move is not done; the message says why. `result` is an audit that found differences."""

    def __init__(self, message: str, result: AuditResult | None = None) -> None:
        self.result = result
        super().__init__(message)


def move(source: Database, target: Database, on_progress: OnProgress) -> MovedData:
    """Copy a file's database into a new one of a PostgreSQL server.

    Raises:
        InUseError: the file is being served.
        MoveRefusedError: the books differ.
        StoreFaultError: the target isn't new, or one of them can't be reached.
    """
    began_ns = time.monotonic_ns()
    with alone(source.path, source):
        source.prepare()
        target.prepare()
        with moving(source, target, on_progress) as both:
            before = _audited("file", both.source, on_progress)
            after = _audited("copy", both.target, on_progress)
            _compare(before, after)
            begin_anew(both.target, ACTION, source.path.name)
            both.target.commit()
    return MovedData(
        str(target),
        both.tables,
        both.rows,
        after.requests,
        to_number(after.credits_micro),
        both.replaced,
        (time.monotonic_ns() - began_ns) // _NS_PER_MS,
    )


def _audited(side: str, reader: Reader, on_progress: OnProgress) -> AuditResult:
    result = audit_snapshot(reader, on_progress=partial(on_progress, f"audit of the {side}"))
    if not result.agrees:
        message = f"the books of the {side} differ; nothing was moved"
        raise MoveRefusedError(message, result)
    return result


def _compare(before: AuditResult, after: AuditResult) -> None:
    """Both sides agree with themselves; they also are the same."""
    sums = [
        (result.requests, result.credits_micro, [(c.check, c.rows) for c in result.checks])
        for result in (before, after)
    ]
    if sums[0] != sums[1]:
        message = f"the file and its copy have different totals, {sums[0]} and {sums[1]}"
        raise MoveRefusedError(message)
