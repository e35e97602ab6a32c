"""The admin API: how the provider manages what Farebox meters."""

from __future__ import annotations

from farebox.contract.admin import keys, links, money, plans, refusals, webhooks, workspaces
from farebox.contract.operation import Operation

OPERATIONS: tuple[Operation, ...] = (
    *plans.OPERATIONS,
    *workspaces.OPERATIONS,
    *keys.OPERATIONS,
    *links.OPERATIONS,
    *money.OPERATIONS,
    *webhooks.OPERATIONS,
    *refusals.OPERATIONS,
)
