"""Audit: computes everything that is kept beside the log and the transfers again, and compares.

One snapshot, one workspace after the other. The store groups and compares what is large and gives
only what differs, so the memory it takes doesn't grow with the log. Nothing is mended: each
difference names the row to look at.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from farebox.core.credits import to_number
from farebox.core.invariants import NOTHING, Difference
from farebox.engine.transaction import Command, Transaction
from farebox.service.audit_findings import Audited, CheckResult, Findings
from farebox.service.audit_ledger import (
    check_charges,
    check_commits,
    check_commits_order,
    check_corrections,
    check_ledger,
)
from farebox.service.audit_rollups import check_days, check_log, check_quarters
from farebox.service.forms.audit import AuditData, AuditKeep, CheckData, DifferenceData
from farebox.service.forms.common import Nothing
from farebox.store.contract import Reader

AUDITS_KEPT = 1_000
INTEGRITY_OK = "ok"
_INTEGRITY_MESSAGES_MAX = 100
_NS_PER_MS = 1_000_000
_ENCODER = msgspec.json.Encoder(decimal_format="number")

# What is told of the progress: workspaces done, and all of them.
Progress = Callable[[int, int], None]


class AuditResult(NamedTuple):
    """What an audit compared and found.

    Of each check the first differences are listed; `checks` counts all.
    """

    requests: int
    credits_micro: int
    checks: tuple[CheckResult, ...]
    differences: tuple[Difference, ...]
    took_ms: int

    @property
    def agrees(self) -> bool:
        """Whether the books agree."""
        return not self.differences

    @property
    def differing(self) -> int:
        """How many places differ, also those that aren't listed."""
        return sum(check.differences for check in self.checks)


class _Message(NamedTuple):
    message: str


def run_audit(
    reader: Reader,
    *,
    integrity: bool = False,
    on_progress: Progress = lambda _done, _total: None,
) -> AuditResult:
    """Audit the whole database in one snapshot; `integrity` checks the file itself, too.

    Raises:
        StoreFaultError: the database can't be read.
        QueryTimeoutError: the reader was interrupted.
    """
    reader.begin_read()
    try:
        return audit_snapshot(reader, integrity=integrity, on_progress=on_progress)
    finally:
        reader.end_read()


def audit_snapshot(
    reader: Reader,
    *,
    integrity: bool = False,
    on_progress: Progress = lambda _done, _total: None,
) -> AuditResult:
    """Audit the whole database, in the snapshot or the transaction that the reader holds."""
    began_ns = time.monotonic_ns()
    findings = Findings()
    if integrity:
        _check_integrity(reader, findings)
    check_commits_order(reader, findings)
    workspaces = reader.rows("audit_profiles", Audited)
    for done, workspace in enumerate(workspaces):
        on_progress(done, len(workspaces))
        _check_workspace(reader, workspace, findings)
    on_progress(len(workspaces), len(workspaces))
    return AuditResult(
        findings.requests,
        findings.credits_micro,
        findings.checks(),
        findings.differences(),
        (time.monotonic_ns() - began_ns) // _NS_PER_MS,
    )


def audit_data(result: AuditResult) -> AuditData:
    """A result as it goes out."""
    return AuditData(
        result.agrees,
        result.requests,
        to_number(result.credits_micro),
        result.differing,
        result.took_ms,
        [CheckData(*check) for check in result.checks],
        [DifferenceData(*difference) for difference in result.differences],
    )


def audit_keep(result: AuditResult) -> AuditKeep:
    """The arguments of `audits.keep` for a result."""
    detail = _ENCODER.encode(audit_data(result)).decode()
    return AuditKeep(result.took_ms, result.requests, result.differing, detail)


def keep_audit(tx: Transaction, kept: AuditKeep) -> Nothing:
    """Keep an audit that has just ended; of all of them the newest stay."""
    tx.db.execute(
        "audits_insert",
        started_at_ms=tx.now_ms - kept.took_ms,
        ended_at_ms=tx.now_ms,
        requests=kept.requests,
        differences=kept.differences,
        detail=kept.detail,
    )
    tx.db.execute("audits_forget", kept=AUDITS_KEPT)
    return Nothing()


def _check_workspace(reader: Reader, workspace: Audited, findings: Findings) -> None:
    profile_id, timezone, _ = workspace
    with findings.checking("workspaces", 1):
        if timezone is None:
            where = f"profile_id {profile_id}"
            findings.add([Difference("workspaces", profile_id, where, "a workspace", NOTHING)])
    sums = check_log(reader, workspace, findings)
    check_quarters(reader, workspace, sums, findings)
    check_days(reader, workspace, findings)
    check_commits(reader, workspace, sums, findings)
    check_charges(reader, workspace, sums, findings)
    check_corrections(reader, workspace, sums, findings)
    check_ledger(reader, workspace, sums, findings)


def _check_integrity(reader: Reader, findings: Findings) -> None:
    with findings.checking("integrity", 1):
        rows = reader.rows("audit_integrity", _Message, limit=_INTEGRITY_MESSAGES_MAX)
        findings.add(
            Difference("integrity", None, "the file", INTEGRITY_OK, row.message)
            for row in rows
            if row.message != INTEGRITY_OK
        )


COMMANDS = (Command("audits.keep", AuditKeep, keep_audit),)
