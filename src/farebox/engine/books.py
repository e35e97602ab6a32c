"""The books: each workspace's purse and period in memory, and every movement of credits noted.

Only a recorder has books. A workspace is loaded at first use and brought up to the present
before anything moves: grants past their end expire, periods past theirs are closed and the next
are opened with their plan credits, each at its own instant however late it is noticed. After a
rollback the memory is dropped (`forget`), so that it can never differ from what was committed; and
after every transaction, where others write too. Only what was drawn may be charged without holding
its workspace alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from farebox.core.calendar import bridge, natural_window, zone_of
from farebox.core.ledger import (
    ISSUED,
    SPENT,
    Grant,
    GrantKind,
    Purse,
    Transfer,
    charge,
    charge_drawn,
    draw,
    expire,
    give_back,
    issue,
)
from farebox.engine.held import Held
from farebox.engine.journal import Journal
from farebox.engine.purses import PeriodRow, PurseRead, read_purse
from farebox.store.contract import Writer


class Terms(NamedTuple):
    """What the next period of a workspace depends on."""

    plan_id: int
    next_plan_id: int | None
    anchor_day: int
    created_at_ms: int
    timezone: str
    credits_per_month_micro: int


class Account(NamedTuple):
    """A workspace's credits in memory."""

    purse: Purse
    period: PeriodRow

    @property
    def due_ms(self) -> int:
        """When something ends by itself: the period, or a grant."""
        ends = [
            g.expires_at_ms
            for g in self.purse.grants
            if g.expires_at_ms is not None and g.left_micro
        ]
        return min([self.period.end_ms, *ends])


class Books:
    """The credits of all workspaces in use. Its methods are called inside a transaction."""

    def __init__(self, db: Writer, held: Held) -> None:
        self._db = db
        self._held = held
        # What was read, and not looked at yet.
        self._read: dict[int, PurseRead] = {}
        self._accounts: dict[int, Account] = {}
        # When something is due, as the workspaces' rows tell it.
        self._told_ms: dict[int, int] = {}
        # Read for those that are passed together.
        self._terms: dict[int, Terms] = {}
        self._last_grant_ids: dict[int, int] = {}
        # Every movement, until it is written.
        self.journal = Journal(db)
        # Workspaces whose plan changed with their period: the caller announces them.
        self.replanned: set[int] = set()
        # Workspaces that now owe: what processes have drawn must come back.
        self.overdrawn: set[int] = set()
        self._moved: set[int] = set()

    def forget(self) -> None:
        """Drop what is in memory: after a rollback it may be ahead of the database."""
        self._read.clear()
        self._accounts.clear()
        self._told_ms.clear()
        self._terms.clear()
        self._last_grant_ids.clear()
        self.replanned.clear()
        self.overdrawn.clear()
        self.journal.forget()
        self._moved.clear()

    def know(self, read: Mapping[int, PurseRead]) -> None:
        """Take what was read of workspaces."""
        self._read.update(read)

    def account(self, profile_id: int, commit_id: int, now_ms: int) -> Account:
        """A workspace's credits, brought up to `now_ms`."""
        account = self._accounts.get(profile_id)
        if account is not None and account.due_ms > now_ms:
            return account
        if account is None:
            account = self._load(profile_id, commit_id, now_ms)
        while account.due_ms <= now_ms:
            self._held.need(profile_id)
            account = self._pass_due(profile_id, account, commit_id)
        self._accounts[profile_id] = account
        self._moved.add(profile_id)
        return account

    def pass_dues(self, profile_ids: Sequence[int], commit_id: int, now_ms: int) -> None:
        """Bring workspaces up to `now_ms`, and tell their next due instants in any case.

        A grant that was spent before its end was due, too; what comes after it must be known.
        """
        terms = {p: self._db.ask("terms_get", Terms, profile_id=p) for p in profile_ids}
        last = {p: self._db.ask("grant_last", _GrantId, profile_id=p) for p in profile_ids}
        self._terms = {profile_id: asked.rows()[0] for profile_id, asked in terms.items()}
        self._last_grant_ids = {p: asked.rows()[0].grant_id or 0 for p, asked in last.items()}
        for profile_id in profile_ids:
            self.account(profile_id, commit_id, now_ms)
        self._moved.update(profile_ids)
        self._terms.clear()
        self._last_grant_ids.clear()

    def charge(
        self, profile_id: int, amount_micro: int, commit_id: int, now_ms: int
    ) -> list[Transfer]:
        """Charge reported usage, below zero if need be."""
        if not amount_micro:
            return []
        account = self._own(profile_id, commit_id, now_ms)
        purse, transfers = charge(account.purse, amount_micro, now_ms)
        if purse.owed_micro > account.purse.owed_micro == 0:
            self.overdrawn.add(profile_id)
        self._put(profile_id, purse, transfers, commit_id, now_ms)
        return transfers

    def charge_drawn(
        self, profile_id: int, amounts_micro: Mapping[int, int], commit_id: int, now_ms: int
    ) -> None:
        """Charge requests that were admitted, to what was drawn for them, by grant id."""
        if not amounts_micro:
            return
        account = self.account(profile_id, commit_id, now_ms)
        self._put(profile_id, *charge_drawn(account.purse, amounts_micro), commit_id, now_ms)

    def draw(
        self, profile_id: int, amount_micro: int, commit_id: int, now_ms: int
    ) -> list[tuple[Grant, int]]:
        """Set an amount apart that is there: from which grants, and how much of each."""
        account = self._own(profile_id, commit_id, now_ms)
        purse, transfers, pieces = draw(account.purse, amount_micro, now_ms)
        self._put(profile_id, purse, transfers, commit_id, now_ms)
        return pieces

    def give_back(
        self, profile_id: int, amounts_micro: Mapping[int, int], commit_id: int, now_ms: int
    ) -> None:
        """Return what was drawn and not used, by grant id."""
        account = self._own(profile_id, commit_id, now_ms)
        self._put(profile_id, *give_back(account.purse, amounts_micro, now_ms), commit_id, now_ms)
        # A grant that has credits again may be the next to end.
        self._moved.add(profile_id)

    def correct(self, profile_id: int, signed_micro: int, commit_id: int, now_ms: int) -> None:
        """Charge more (above 0), or give back as a grant that doesn't expire (below 0)."""
        account = self._own(profile_id, commit_id, now_ms)
        if signed_micro < 0:
            self.grant(profile_id, "correction", -signed_micro, commit_id, now_ms, source=SPENT)
            return
        purse, transfers = charge(account.purse, signed_micro, now_ms, "correction")
        if purse.owed_micro > account.purse.owed_micro == 0:
            self.overdrawn.add(profile_id)
        self._put(profile_id, purse, transfers, commit_id, now_ms)

    def grant(
        self,
        profile_id: int,
        kind: GrantKind,
        credits_micro: int,
        commit_id: int,
        now_ms: int,
        *,
        expires_at_ms: int | None = None,
        priority: int = 0,
        source: str = ISSUED,
    ) -> int:
        """Give credits; the new grant's id."""
        account = self._own(profile_id, commit_id, now_ms)
        account, grant_id = self._issue(
            profile_id,
            account,
            Grant(0, kind, priority, now_ms, expires_at_ms, credits_micro),
            commit_id,
            source=source,
        )
        self._accounts[profile_id] = account
        self._moved.add(profile_id)
        return grant_id

    def move_plan(
        self, profile_id: int, plan_id: int, plan_micro: int, commit_id: int, now_ms: int
    ) -> None:
        """Put the open period under another plan, and grant what that one gives beyond the last.

        What counts is what the period was given already, so that no round of changes gives twice.
        """
        account = self._own(profile_id, commit_id, now_ms)
        start_ms, end_ms, _, given_micro = account.period
        period = PeriodRow(start_ms, end_ms, plan_id, max(given_micro, plan_micro))
        self._db.execute(
            "period_plan",
            profile_id=profile_id,
            start_ms=start_ms,
            plan_id=plan_id,
            plan_micro=period.plan_micro,
        )
        self._accounts[profile_id] = account._replace(period=period)
        if plan_micro > given_micro:
            missing_micro = plan_micro - given_micro
            self.grant(profile_id, "plan", missing_micro, commit_id, now_ms, expires_at_ms=end_ms)

    def _put(
        self,
        profile_id: int,
        purse: Purse,
        transfers: list[Transfer],
        commit_id: int,
        now_ms: int,
    ) -> None:
        """Keep what a purse has become, and note how."""
        account = self._accounts[profile_id]
        self._accounts[profile_id] = account._replace(purse=purse)
        self.journal.add(profile_id, account.period.start_ms, transfers, commit_id, now_ms)

    def write(self, now_ms: int) -> None:
        """Write what has moved, and when something is due where that comes sooner or has passed."""
        self.journal.write()
        told = []
        for profile_id in sorted(self._moved):
            due_ms, told_ms = self._accounts[profile_id].due_ms, self._told_ms[profile_id]
            # Only who holds it alone brings a due instant forward.
            if (due_ms < told_ms or told_ms <= now_ms) and self._held.has(profile_id):
                self._told_ms[profile_id] = due_ms
                told.append((profile_id, due_ms))
        self._db.send_many("dues_put", told)

    def take_dues(self) -> list[tuple[int, int]]:
        """(due_ms, profile_id) of the workspaces whose next due instant may have moved."""
        moved, self._moved = self._moved, set()
        return [(self._accounts[profile_id].due_ms, profile_id) for profile_id in sorted(moved)]

    def _own(self, profile_id: int, commit_id: int, now_ms: int) -> Account:
        """A workspace's credits, for whoever holds it alone."""
        self._held.need(profile_id)
        return self.account(profile_id, commit_id, now_ms)

    def _load(self, profile_id: int, commit_id: int, now_ms: int) -> Account:
        read = self._read.pop(profile_id, None)
        purse, period, due_ms = read_purse(self._db, profile_id) if read is None else read
        self._told_ms[profile_id] = due_ms
        if period is not None:
            return Account(purse, period)
        self._held.need(profile_id)
        terms = self._terms_of(profile_id)
        first = natural_window(
            "month",
            min(now_ms, terms.created_at_ms),
            zone_of(terms.timezone),
            anchor_day=terms.anchor_day,
        )
        return self._open(profile_id, purse, terms, first.start_ms, first.end_ms, commit_id)

    def _pass_due(self, profile_id: int, account: Account, commit_id: int) -> Account:
        """Pass the next instant at which something ends, as of that instant."""
        due_ms = account.due_ms
        purse, transfers = expire(account.purse, due_ms)
        self.journal.add(profile_id, account.period.start_ms, transfers, commit_id, due_ms - 1)
        if due_ms < account.period.end_ms:
            return account._replace(purse=purse)
        terms = self._terms_of(profile_id)
        window = bridge("month", due_ms, zone_of(terms.timezone), anchor_day=terms.anchor_day)
        return self._open(profile_id, purse, terms, due_ms, window.end_ms, commit_id)

    def _open(
        self,
        profile_id: int,
        purse: Purse,
        terms: Terms,
        start_ms: int,
        end_ms: int,
        commit_id: int,
    ) -> Account:
        plan_id = terms.plan_id if terms.next_plan_id is None else terms.next_plan_id
        if terms.next_plan_id is not None:
            self._db.send("terms_take_next_plan", profile_id=profile_id)
            self._db.send(
                "workspace_plans_insert", profile_id=profile_id, from_ms=start_ms, plan_id=plan_id
            )
            self.replanned.add(profile_id)
        if profile_id in self._terms:
            self._terms[profile_id] = terms._replace(plan_id=plan_id, next_plan_id=None)
        self._db.send(
            "period_insert",
            profile_id=profile_id,
            start_ms=start_ms,
            end_ms=end_ms,
            plan_id=plan_id,
            plan_micro=terms.credits_per_month_micro,
            opening_micro=purse.book_micro,
        )
        period = PeriodRow(start_ms, end_ms, plan_id, terms.credits_per_month_micro)
        account = Account(purse, period)
        if terms.credits_per_month_micro:
            plan_grant = Grant(0, "plan", 0, start_ms, end_ms, terms.credits_per_month_micro)
            account, _ = self._issue(profile_id, account, plan_grant, commit_id)
        return account

    def _issue(
        self,
        profile_id: int,
        account: Account,
        grant: Grant,
        commit_id: int,
        *,
        source: str = ISSUED,
    ) -> tuple[Account, int]:
        if profile_id in self._last_grant_ids:
            grant_id = self._last_grant_ids[profile_id] + 1
            self._last_grant_ids[profile_id] = grant_id
        else:
            grant_id = self._db.integer("grant_last", profile_id=profile_id) + 1
        grant = grant._replace(grant_id=grant_id)
        self._db.send(
            "grant_insert",
            profile_id=profile_id,
            grant_id=grant_id,
            kind=grant.kind,
            credits_micro=grant.left_micro,
            priority=grant.priority,
            created_at_ms=grant.created_at_ms,
            expires_at_ms=grant.expires_at_ms,
        )
        purse, transfers = issue(account.purse, grant, source)
        start_ms, at_ms = account.period.start_ms, grant.created_at_ms
        self.journal.add(profile_id, start_ms, transfers, commit_id, at_ms)
        return account._replace(purse=purse), grant_id

    def _terms_of(self, profile_id: int) -> Terms:
        terms = self._terms.get(profile_id)
        if terms is None:
            terms = self._db.one("terms_get", Terms, profile_id=profile_id)
        assert terms is not None  # callers have looked the workspace up
        return terms


class _GrantId(NamedTuple):
    grant_id: int | None
