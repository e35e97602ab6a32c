"""Credits now: a workspace's period and purse at an instant, as the recorder would bring them up.

The recorder opens periods and expires grants when it touches a workspace or its clock gets there.
What it hasn't written yet is worked out here by the same rules of the ledger, so that an answer is
right at every instant, and nothing is written for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from farebox.core.calendar import bridge, natural_window, zone_of
from farebox.core.ledger import NEVER_MS, Grant, Purse, expire, issue
from farebox.core.quotas import PeriodSums
from farebox.engine.books import Terms
from farebox.engine.known import json_ids
from farebox.engine.purses import read_purses
from farebox.engine.telling import HeldOf, nothing_held
from farebox.service.reading import snapshot
from farebox.store.contract import Reader


class CreditsNow(NamedTuple):
    """The open period with what moved in it, its plan, what there is, and what of it is held."""

    period: PeriodSums
    plan_id: int
    purse: Purse
    held_micro: int = 0

    def left_micro(self, now_ms: int) -> int:
        """What can be spent: the balance less what is held; below zero when overdrawn."""
        return self.purse.balance_micro(now_ms) - self.held_micro


class _TermsRow(NamedTuple):
    """The terms of a workspace, and the period opened last; null where none was opened yet."""

    profile_id: int
    plan_id: int
    next_plan_id: int | None
    anchor_day: int
    created_at_ms: int
    timezone: str
    credits_per_month_micro: int
    start_ms: int | None
    end_ms: int | None
    period_plan_id: int | None
    opening_micro: int | None
    granted_micro: int | None
    expired_micro: int | None
    charged_micro: int | None
    corrected_micro: int | None

    @property
    def terms(self) -> Terms:
        return Terms._make(self[1:7])


class _HeldRow(NamedTuple):
    profile_id: int
    held_micro: int


def credits_now(
    reader: Reader, profile_id: int, now_ms: int, held: HeldOf = nothing_held
) -> CreditsNow:
    """The credits of a workspace at `now_ms`; `held` is the gatekeeper's, where it matters."""
    with snapshot(reader):
        return credits_of_some(reader, [profile_id], now_ms, held)[profile_id]


def credits_of_some(
    reader: Reader, profile_ids: Sequence[int], now_ms: int, held: HeldOf
) -> dict[int, CreditsNow]:
    """The credits of workspaces, which are there, at `now_ms`: a few queries for all of them.

    To be called in a snapshot.
    """
    ids = json_ids(profile_ids)
    here = {profile_id: held(profile_id) for profile_id in profile_ids}
    node_id = max((one.node_id for one in here.values()), default=0)
    beyond = reader.ask("credits_held", _HeldRow, profile_ids=ids, node_id=node_id, now_ms=now_ms)
    rows = reader.rows("credits_terms", _TermsRow, profile_ids=ids)
    purses = read_purses(reader, profile_ids)
    held_micro = {profile_id: one.micro for profile_id, one in here.items()}
    for row in beyond.rows():
        held_micro[row.profile_id] += row.held_micro
    return {
        row.profile_id: _at(row, purses[row.profile_id].purse, now_ms)._replace(
            held_micro=held_micro[row.profile_id]
        )
        for row in rows
    }


def _at(row: _TermsRow, purse: Purse, now_ms: int) -> CreditsNow:
    terms = row.terms
    if row.start_ms is None:
        first = natural_window(
            "month",
            min(now_ms, terms.created_at_ms),
            zone_of(terms.timezone),
            anchor_day=terms.anchor_day,
        )
        state = _opened(purse, terms, first.start_ms, first.end_ms)
    else:
        assert row.period_plan_id is not None
        period = PeriodSums._make((*row[7:9], *row[10:]))
        state = CreditsNow(period, row.period_plan_id, purse)
    while _due_ms(state) <= now_ms:
        state = _past_due(state, terms)
    return state


def _due_ms(state: CreditsNow) -> int:
    ends = [g.expires_at_ms or NEVER_MS for g in state.purse.grants if g.left_micro]
    return min([state.period.end_ms, *ends])


def _past_due(state: CreditsNow, terms: Terms) -> CreditsNow:
    """The state after the next instant at which something ends."""
    due_ms = _due_ms(state)
    purse, transfers = expire(state.purse, due_ms)
    if due_ms < state.period.end_ms:
        expired_micro = state.period.expired_micro + sum(t.amount_micro for t in transfers)
        period = state.period._replace(expired_micro=expired_micro)
        return state._replace(period=period, purse=purse)
    window = bridge("month", due_ms, zone_of(terms.timezone), anchor_day=terms.anchor_day)
    return _opened(purse, terms, due_ms, window.end_ms)


def _opened(purse: Purse, terms: Terms, start_ms: int, end_ms: int) -> CreditsNow:
    """A new period with its plan credits."""
    opening_micro = purse.book_micro
    granted_micro = terms.credits_per_month_micro
    if granted_micro:
        purse, _ = issue(purse, Grant(0, "plan", 0, start_ms, end_ms, granted_micro))
    period = PeriodSums(start_ms, end_ms, opening_micro, granted_micro, 0, 0, 0)
    plan_id = terms.plan_id if terms.next_plan_id is None else terms.next_plan_id
    return CreditsNow(period, plan_id, purse)
