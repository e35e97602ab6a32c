"""The truth: what every table must say, worked out again from the log rows and the transfers.

It shares no code with what it checks: days are found by the standard library's dates, sums by
plain loops. `differences` names what disagrees; `digest` is the state as far as it may not depend
on order, batching or repetition.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import apsw

from tests.support.homes import Look

QUARTER_MS = 900_000
Sums = dict[tuple[Any, ...], tuple[int, int, int]]


def differences(db: Look) -> list[str]:
    """What is wrong in a database, in words; nothing is."""
    found = _broken(db) if isinstance(db, apsw.Connection) else []
    if found:
        return found  # there is no sense in what else it says
    checks = (_identities, _rollups, _days, _charges, _ledger, _accounts, _periods, _purses, _dues)
    for check in checks:
        found += check(db)
    return found


def _broken(db: apsw.Connection) -> list[str]:
    """What SQLite finds wrong with its file."""
    found = [f"integrity: {line}" for line in _column(db, "pragma integrity_check") if line != "ok"]
    return found + [f"foreign keys: {row}" for row in db.execute("pragma foreign_key_check")]


def digest(db: Look) -> dict[str, object]:
    """The state that any order, batching and repetition of the same events must lead to."""
    tables = ("quarters", "days", "day_log_types", "day_keys", "identities", "charges")
    state: dict[str, object] = {name: _all(db, f"select * from {name}") for name in tables}
    state["requests"] = _all(
        db,
        "select profile_id, time_ms, key_id, log_type_id, channel, credits_micro, status_code"
        " from requests",
    )
    state["balances"] = _all(
        db,
        "select profile_id, sum(credits_micro - debits_micro) from accounts"
        " where account like 'grant:%' or account = 'overdraft' group by profile_id",
    )
    state["spent"] = _all(
        db, "select * from accounts where account in ('spent', 'history', 'issued', 'expired')"
    )
    state["periods"] = _all(db, "select * from periods")
    return state


def local_day(ms: int, timezone: str) -> int:
    """The workspace day of an instant, counted from 1970-01-01."""
    return (
        datetime.fromtimestamp(ms // 1000, ZoneInfo(timezone)).toordinal()
        - datetime(1970, 1, 1, tzinfo=UTC).toordinal()
    )


def _identities(db: Look) -> Iterable[str]:
    rows = _all(db, "select profile_id, count(*) from requests group by profile_id")
    # A reservation that was voided has used up its identity, and made no request.
    ids = _all(
        db,
        "select profile_id, count(*) from identities where content <> zeroblob(16)"
        " group by profile_id",
    )
    if rows != ids:
        yield f"log rows {rows} are not identities {ids}"


def _rollups(db: Look) -> Iterable[str]:
    base: Sums = {}
    for profile_id, time_ms, key_id, log_type_id, channel, credits_micro in db.execute(
        "select profile_id, time_ms, key_id, log_type_id, channel, credits_micro from requests"
    ):
        key = (profile_id, time_ms // QUARTER_MS, key_id, log_type_id, channel)
        _add(base, key, 1, credits_micro, time_ms)
    yield from _compared(
        "quarters",
        base,
        db,
        "select profile_id, quarter, key_id, log_type_id, channel, requests, credits_micro, last_ms"
        " from quarters",
    )


def _days(db: Look) -> Iterable[str]:
    """The days that reports read; those being built are looked at by their own tests."""
    zones = {
        profile_id: (version, timezone)
        for profile_id, version, timezone in db.execute(
            "select w.profile_id, w.zone_version, z.timezone from workspaces w"
            " join workspace_zones z using (profile_id, zone_version)"
        )
    }
    by_day, by_type, by_key = days_of_log(db, zones)
    live = "from {} join workspaces w using (profile_id, zone_version)"
    for name, columns, sums in (
        ("days", "day, log_type_id, key_id", by_day),
        ("day_log_types", "day, log_type_id", by_type),
        ("day_keys", "day, key_id, channel", by_key),
    ):
        query = (
            f"select profile_id, zone_version, {columns}, requests, credits_micro, last_ms "
            + live.format(name)
        )
        yield from _compared(name, sums, db, query)
        stale = _all(
            db,
            f"select profile_id, d.zone_version from {name} d join workspaces w using (profile_id)"
            " where d.zone_version < w.zone_version",
        )
        if stale:
            yield f"{name} holds versions that are past: {stale[:3]}"


def days_of_log(db: Look, zones: dict[int, tuple[int, str]]) -> tuple[Sums, Sums, Sums]:
    """The three rollups by day, from the log; `zones` gives each workspace's version and zone."""
    by_day: Sums = {}
    by_type: Sums = {}
    by_key: Sums = {}
    for profile_id, time_ms, key_id, log_type_id, channel, credits_micro in db.execute(
        "select profile_id, time_ms, key_id, log_type_id, channel, credits_micro from requests"
    ):
        version, timezone = zones[profile_id]
        day = (profile_id, version, local_day(time_ms, timezone))
        _add(by_day, (*day, log_type_id, key_id), 1, credits_micro, time_ms)
        _add(by_type, (*day, log_type_id), 1, credits_micro, time_ms)
        _add(by_key, (*day, key_id, channel), 1, credits_micro, time_ms)
    return by_day, by_type, by_key


def _charges(db: Look) -> Iterable[str]:
    log = _all(
        db,
        f"select profile_id, at_ms / {QUARTER_MS}, log_type_id, count(*), sum(credits_micro)"
        " from requests join commits using (commit_id) group by 1, 2, 3",
    )
    charges = _all(
        db,
        "select profile_id, quarter, log_type_id, sum(requests), sum(credits_micro) from charges"
        " group by 1, 2, 3",
    )
    if log != charges:
        yield f"charges {charges} are not those of the log {log}"


def _ledger(db: Look) -> Iterable[str]:
    log = _all(
        db,
        "select profile_id, commit_id, sum(credits_micro) from requests group by 1, 2"
        " having sum(credits_micro) > 0",
    )
    ledger = _all(
        db,
        "select profile_id, commit_id, sum(amount_micro) from transfers"
        " where kind in ('charge', 'history') and credit_account = 'spent' group by 1, 2",
    )
    if log != ledger:
        yield f"the ledger {ledger} is not the log {log}"
    misnumbered = _column(
        db,
        "select commit_id from transfers group by commit_id having min(ordinal) <> 1"
        " or max(ordinal) <> count(*)",
    )
    if misnumbered:
        yield f"the transfers of commits {misnumbered} are not numbered from 1"
    history = _all(db, "select sum(amount_micro) from transfers where kind = 'history'")
    charged = _all(db, "select sum(credits_micro) from charges where is_history = 1")
    if (history[0][0] or 0) != (charged[0][0] or 0):
        yield f"history {history} is not {charged}"


def _accounts(db: Look) -> Iterable[str]:
    sums: dict[tuple[int, str], list[int]] = defaultdict(lambda: [0, 0])
    for profile_id, debit, credit, amount in db.execute(
        "select profile_id, debit_account, credit_account, amount_micro from transfers"
    ):
        sums[profile_id, debit][0] += amount
        sums[profile_id, credit][1] += amount
    stored = {
        (profile_id, account): [debits, credited]
        for profile_id, account, debits, credited in db.execute("select * from accounts")
    }
    if dict(sums) != stored:
        yield f"accounts {stored} are not the transfers' {dict(sums)}"


def _periods(db: Look) -> Iterable[str]:
    for (profile_id,) in _all(db, "select distinct profile_id from periods"):
        transfers = _all(
            db,
            "select at_ms, kind, debit_account, credit_account, amount_micro from transfers"
            " where profile_id = ?",
            profile_id,
        )
        end_before = None
        for start_ms, end_ms, *stored in db.execute(
            "select start_ms, end_ms, opening_micro, granted_micro, expired_micro, charged_micro,"
            " corrected_micro from periods where profile_id = ? order by start_ms",
            (profile_id,),
        ):
            if end_before not in (None, start_ms):
                yield f"workspace {profile_id}: a period begins at {start_ms}, not {end_before}"
            end_before = end_ms
            inside = [t for t in transfers if start_ms <= t[0] < end_ms]
            told = [_moved(t for t in transfers if t[0] < start_ms)]
            told += [sum(t[4] for t in inside if t[1] == k) for k in ("grant", "expiry", "charge")]
            corrections = [t for t in inside if t[1] == "correction"]
            told += [sum(t[4] if t[3] == "spent" else -t[4] for t in corrections)]
            if stored != told:
                yield f"workspace {profile_id}: the period {start_ms} says {stored}, not {told}"


def _moved(transfers: Iterable[tuple[Any, ...]]) -> int:
    """What transfers add to a workspace's balance."""
    return sum(_sign(t[3]) * t[4] - _sign(t[2]) * t[4] for t in transfers)


def _sign(account: str) -> int:
    return int(account.startswith(("grant:", "drawn:")) or account == "overdraft")


def _purses(db: Look) -> Iterable[str]:
    """Nobody owes who has a grant to pay with; what a grant gave is what was moved."""
    owing = _column(
        db,
        "select profile_id from accounts a where account = 'overdraft'"
        " and debits_micro > credits_micro and exists (select 1 from accounts g where"
        " g.profile_id = a.profile_id and g.account like 'grant:%'"
        " and g.credits_micro > g.debits_micro)",
    )
    if owing:
        yield f"workspaces {owing} owe although they have credits"
    unlike = _all(
        db,
        "select g.profile_id, g.grant_id, g.credits_micro, sum(t.amount_micro) from grants g"
        " left join transfers t on t.profile_id = g.profile_id"
        " and t.credit_account = 'grant:' || g.grant_id and t.kind <> 'return'"
        " group by 1, 2, 3 having coalesce(sum(t.amount_micro), 0) <> g.credits_micro",
    )
    if unlike:
        yield f"grants that moved another amount than they say: {unlike}"


def _dues(db: Look) -> Iterable[str]:
    """Nothing ends before its workspace says so: it would be noticed late."""
    late = _column(
        db,
        "select w.profile_id from workspaces w where w.due_ms > (select max(p.end_ms)"
        " from periods p where p.profile_id = w.profile_id) or exists (select 1 from grants g"
        " join accounts a on a.profile_id = g.profile_id and a.account = 'grant:' || g.grant_id"
        " where g.profile_id = w.profile_id and a.credits_micro > a.debits_micro"
        " and g.expires_at_ms < w.due_ms)",
    )
    if late:
        yield f"workspaces {late} are due before they say"


def _compared(name: str, truth: Sums, db: Look, query: str) -> Iterable[str]:
    stored = {row[:-3]: row[-3:] for row in db.execute(query)}
    for key in truth.keys() | stored.keys():
        if truth.get(key) != stored.get(key):
            yield f"{name} {key} says {stored.get(key)}, not {truth.get(key)}"


def _add(sums: Sums, key: tuple[Any, ...], requests: int, credits_micro: int, ms: int) -> None:
    before = sums.get(key, (0, 0, 0))
    sums[key] = (before[0] + requests, before[1] + credits_micro, max(before[2], ms))


def _all(db: Look, query: str, *values: int) -> list[tuple[Any, ...]]:
    return sorted(db.execute(query, values), key=repr)


def _column(db: Look, query: str) -> list[Any]:
    return [row[0] for row in db.execute(query)]
