"""Purses as the database has them: what is left of grants, what is owed, and the open period."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from farebox.core.ledger import Grant, GrantKind, Purse
from farebox.engine.known import json_ids
from farebox.store.contract import Reader


class GrantRow(NamedTuple):
    """A grant that something is left or drawn of."""

    profile_id: int
    grant_id: int
    kind: GrantKind
    priority: int
    created_at_ms: int
    expires_at_ms: int | None
    left_micro: int
    drawn_micro: int


class PurseRow(NamedTuple):
    """What a workspace owes, and the period opened last; null where none was opened yet.

    `due_ms` is when something ends by itself, as it was told last: then, or later.
    """

    profile_id: int
    owed_micro: int
    due_ms: int
    start_ms: int | None
    end_ms: int | None
    plan_id: int | None
    plan_micro: int | None


class PeriodRow(NamedTuple):
    """The period that is open; `plan_micro` is what its plan has given in it."""

    start_ms: int
    end_ms: int
    plan_id: int
    plan_micro: int


class PurseRead(NamedTuple):
    """A workspace's purse, its last period, and when it was told to be due."""

    purse: Purse
    period: PeriodRow | None
    due_ms: int


def purses_of(rows: Iterable[PurseRow], grants: Iterable[GrantRow]) -> dict[int, PurseRead]:
    """What some rows say, by workspace."""
    of_profile: dict[int, list[Grant]] = defaultdict(list)
    for grant in grants:
        of_profile[grant.profile_id].append(Grant._make(grant[1:]))
    return {
        row.profile_id: PurseRead(
            Purse(tuple(of_profile[row.profile_id]), row.owed_micro),
            None if row.start_ms is None else PeriodRow._make(row[3:]),
            row.due_ms,
        )
        for row in rows
    }


def read_purse(reader: Reader, profile_id: int) -> PurseRead:
    """A workspace's, which is there."""
    return read_purses(reader, [profile_id])[profile_id]


def read_purses(reader: Reader, profile_ids: Iterable[int]) -> dict[int, PurseRead]:
    """Those of some workspaces."""
    ids = json_ids(profile_ids)
    return purses_of(
        reader.rows("purses", PurseRow, profile_ids=ids),
        reader.rows("purse_grants", GrantRow, profile_ids=ids),
    )
