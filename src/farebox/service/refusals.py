"""Refusals: counted to the call, and the newest of each workspace explained.

A process tells of its refusals in numbered batches. A batch is counted once, however often it
comes: its number is kept in the transaction that counts it. Refusals are in no book and no report.
"""

from __future__ import annotations

from farebox.core.instant import MS_PER_DAY
from farebox.engine.transaction import Command, Transaction
from farebox.service.forms.common import Nothing
from farebox.service.forms.refusal import RefusalsNote

EXPLAINED_KEPT = 1_000
# A process that has told of nothing for so long has ended.
SOURCE_KEPT_MS = 35 * MS_PER_DAY


def note_refusals(tx: Transaction, batch: RefusalsNote) -> Nothing:
    """Count a batch, unless it was counted already."""
    counted = tx.db.integer("refusal_source_sequence", source=batch.source)
    if batch.sequence <= counted:
        return Nothing()
    if counted == 0:
        tx.db.execute("refusal_sources_forget", before_ms=tx.now_ms - SOURCE_KEPT_MS)
    tx.db.execute(
        "refusal_source_put", source=batch.source, sequence=batch.sequence, at_ms=tx.now_ms
    )
    tx.db.execute_many("refusals_add", sorted(batch.sums))
    first_id = tx.db.integer("refusal_log_last") + 1
    tx.db.execute_many(
        "refusal_log_add",
        [(refusal_id, *row) for refusal_id, row in enumerate(batch.explained, first_id)],
    )
    for profile_id in sorted({row.profile_id for row in batch.explained}):
        tx.db.execute("refusal_log_prune", profile_id=profile_id, kept=EXPLAINED_KEPT)
    return Nothing()


COMMANDS = (Command("refusals.note", RefusalsNote, note_refusals),)
