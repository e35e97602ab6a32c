"""The terms of auto top-up: whether it is enabled, how much it brings, and when it happens.

It can be enabled only while both amounts are there; they are above 0 or null.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from msgspec import UNSET, UnsetType

from farebox.core.phrase import Phrase
from farebox.service import fields
from farebox.service.forms.workspace import WorkspaceChange, WorkspaceCreate

_NEEDED = Phrase("a number of credits above 0 while credits are topped up by themselves")


class AutoTopUp(NamedTuple):
    """As it is stored."""

    is_auto_top_up_credits_enabled: int = 0
    auto_top_up_credit_micro: int | None = None
    auto_top_up_balance_fall_below_micro: int | None = None
    is_auto_top_up_granted: int = 0


def changed(before: AutoTopUp, sent: WorkspaceCreate | WorkspaceChange) -> AutoTopUp:
    """The terms with what was sent; the rest stays.

    Raises:
        FareboxError: 422, an amount is not above 0, or it is enabled without both.
    """
    after = AutoTopUp(
        _switch(before.is_auto_top_up_credits_enabled, sent.is_auto_top_up_credits_enabled),
        _micro(
            "auto_top_up_credit",
            before.auto_top_up_credit_micro,
            sent.auto_top_up_credit,
        ),
        _micro(
            "auto_top_up_balance_fall_below",
            before.auto_top_up_balance_fall_below_micro,
            sent.auto_top_up_balance_fall_below,
        ),
        _switch(before.is_auto_top_up_granted, sent.is_auto_top_up_granted),
    )
    if after.is_auto_top_up_credits_enabled:
        if after.auto_top_up_credit_micro is None:
            raise fields.refuse(field="auto_top_up_credit", expected=_NEEDED)
        if after.auto_top_up_balance_fall_below_micro is None:
            raise fields.refuse(field="auto_top_up_balance_fall_below", expected=_NEEDED)
    return after


def _switch(before: int, sent: bool | UnsetType) -> int:  # noqa: FBT001 - a value of a form
    return before if sent is UNSET else int(sent)


def _micro(field: str, before: int | None, sent: Decimal | UnsetType | None) -> int | None:
    if sent is UNSET:
        return before
    return None if sent is None else fields.credits_above_0(field, sent)
