"""A batch: some records written in one open transaction, each request exactly once.

Identity, log row, rollups, ledger and commit belong together; whoever calls commits or rolls back
all of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from msgspec import structs

from farebox.core.calendar import QUARTER_MS
from farebox.core.instant import MS_PER_MINUTE
from farebox.core.ledger import HISTORY, SPENT, Transfer
from farebox.core.request import MeteredRequest
from farebox.core.rollup import QuarterKey, Usage, tally_quarters
from farebox.engine.books import Books
from farebox.engine.claims import Claimed
from farebox.engine.messages import Record, Recorded
from farebox.engine.session import Session
from farebox.store.contract import Writer


def write_batch(
    session: Session, records: Sequence[Record], commit_id: int, now_ms: int
) -> list[Recorded]:
    """Write records in the open transaction; one outcome each, in their order."""
    db, books = session.db, session.books
    rows = [row for record in records for row in record.rows]
    found = session.claims.claim(rows)
    if found.fresh:
        _insert_log(db, found.fresh, commit_id)
        usual, imported = _by_origin(records, found)
        merged = _merged(usual, imported)
        session.days.add(merged)
        session.counters.add(merged)
        drawn = session.teller.spend(records, found.fresh, now_ms)
        _settle(session, usual, imported, drawn, commit_id, now_ms)
        _keep_captures(db, records, found)
        db.send(
            "ingest_add",
            minute=now_ms // MS_PER_MINUTE,
            requests=len(found.fresh),
            credits_micro=sum(row.credits_micro for row in found.fresh),
        )
    is_admitted = any(record.spends for record in records)
    known = [rows[index][:2] for index in (*found.duplicates, *found.conflicts)]
    ended = session.ends.ended(known) if is_admitted else set()
    outcomes = [
        structs.replace(
            outcome,
            balances=_balances(books, record, commit_id, now_ms),
            taken=_taken(ended, record, outcome),
        )
        if record.spends
        else outcome
        for record, outcome in zip(records, _outcomes(records, found, commit_id), strict=True)
    ]
    # To look a balance up may let a period end: then credits move, too.
    if found.fresh or is_admitted:
        db.send("commits_insert", commit_id=commit_id, at_ms=now_ms)
    return outcomes


def halves(record: Record) -> tuple[Record, Record]:
    """A record of at least two rows as two. A capture is kept with its row, wherever it comes."""
    half = len(record.rows) // 2
    return (
        structs.replace(record, rows=record.rows[:half]),
        structs.replace(record, rows=record.rows[half:]),
    )


def joined(first: Recorded, second: Recorded, at: int) -> Recorded:
    """The outcome of two halves as one; the second began `at` this index."""
    return Recorded(
        first.call_id,
        max(first.commit_id, second.commit_id),
        first.duplicates + [at + index for index in second.duplicates],
        first.conflicts + [at + index for index in second.conflicts],
        first.rejected + [(at + index, code) for index, code in second.rejected],
        sorted((dict(first.balances) | dict(second.balances)).items()),
        first.taken + [at + index for index in second.taken],
    )


def _insert_log(db: Writer, rows: Sequence[MeteredRequest], commit_id: int) -> None:
    tail = (commit_id,)
    db.send_many("requests_insert", [row[:1] + row[3:] + tail for row in rows])


def _by_origin(
    records: Sequence[Record], found: Claimed[MeteredRequest]
) -> tuple[dict[QuarterKey, Usage], dict[QuarterKey, Usage]]:
    """Quarter sums of reported and of imported requests."""
    imports = {record.is_import for record in records}
    if len(imports) == 1:
        sums = tally_quarters(found.fresh)
        return ({}, sums) if imports == {True} else (sums, {})
    imported_ids = {row.query_log_id for r in records if r.is_import for row in r.rows}
    return (
        tally_quarters(row for row in found.fresh if row.query_log_id not in imported_ids),
        tally_quarters(row for row in found.fresh if row.query_log_id in imported_ids),
    )


def _merged(
    left: dict[QuarterKey, Usage], right: dict[QuarterKey, Usage]
) -> dict[QuarterKey, Usage]:
    if not left or not right:
        return left or right
    merged = dict(left)
    for key, usage in right.items():
        merged[key] = usage.plus(merged[key]) if key in merged else usage
    return merged


def _balances(books: Books, record: Record, commit_id: int, now_ms: int) -> list[tuple[int, int]]:
    """What the workspaces of a record have left."""
    return [
        (profile_id, books.account(profile_id, commit_id, now_ms).purse.balance_micro(now_ms))
        for profile_id in sorted({row.profile_id for row in record.rows})
    ]


def _taken(ended: Collection[tuple[int, bytes]], record: Record, outcome: Recorded) -> list[int]:
    """Which of the rows that were known before had been ended by another process."""
    known = (*outcome.duplicates, *outcome.conflicts)
    return [index for index in known if record.rows[index][:2] in ended]


def _settle(
    session: Session,
    usual: dict[QuarterKey, Usage],
    imported: dict[QuarterKey, Usage],
    drawn: Mapping[int, Mapping[int, int]],
    commit_id: int,
    now_ms: int,
) -> None:
    """Charge what was recorded.

    What was admitted goes to what was drawn for it, imports of former periods to `history`, the
    rest to the purse.
    """
    books = session.books
    charges: dict[tuple[int, int, int], tuple[int, int]] = {}
    for sums, is_import in ((usual, False), (imported, True)):
        for (profile_id, quarter, _, log_type_id, _), usage in sums.items():
            former = is_import and _is_former(books, profile_id, quarter, commit_id, now_ms)
            key = (profile_id, log_type_id, int(former))
            requests, credits_micro = charges.get(key, (0, 0))
            charges[key] = (requests + usage.requests, credits_micro + usage.credits_micro)
    amounts: dict[tuple[int, int], int] = {}
    for (profile_id, _, is_history), (_, credits_micro) in charges.items():
        amounts[profile_id, is_history] = amounts.get((profile_id, is_history), 0) + credits_micro
    for (profile_id, is_history), amount_micro in sorted(amounts.items()):
        account = books.account(profile_id, commit_id, now_ms)
        if not is_history:
            held = drawn.get(profile_id, {})
            books.charge_drawn(profile_id, held, commit_id, now_ms)
            rest_micro = amount_micro - sum(held.values())
            books.charge(profile_id, rest_micro, commit_id, now_ms)
        elif amount_micro:
            transfer = Transfer("history", HISTORY, SPENT, amount_micro)
            start_ms = account.period.start_ms
            books.journal.add(profile_id, start_ms, [transfer], commit_id, now_ms)
    quarter = now_ms // QUARTER_MS
    session.db.send_many(
        "charges_add",
        [
            (profile_id, quarter, log_type_id, is_history, requests, credits_micro)
            for (profile_id, log_type_id, is_history), (requests, credits_micro) in sorted(
                charges.items()
            )
        ],
    )


def _is_former(books: Books, profile_id: int, quarter: int, commit_id: int, now_ms: int) -> bool:
    return quarter * QUARTER_MS < books.account(profile_id, commit_id, now_ms).period.start_ms


def _keep_captures(db: Writer, records: Iterable[Record], found: Claimed[MeteredRequest]) -> None:
    captures = [capture for record in records for capture in record.captures]
    if captures:
        fresh = {row.query_log_id for row in found.fresh}
        db.send_many("captures_insert", [c for c in captures if c.query_log_id in fresh])


def _outcomes(
    records: Sequence[Record], found: Claimed[MeteredRequest], commit_id: int
) -> list[Recorded]:
    outcomes = []
    start = 0
    for record in records:
        end = start + len(record.rows)
        outcomes.append(
            Recorded(
                record.call_id,
                commit_id,
                _within(found.duplicates, start, end),
                _within(found.conflicts, start, end),
                [],
            )
        )
        start = end
    return outcomes


def _within(indexes: list[int], start: int, end: int) -> list[int]:
    return [index - start for index in indexes if start <= index < end] if indexes else []
