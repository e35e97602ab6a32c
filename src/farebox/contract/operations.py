"""All operations: the one list that routes, documents and tests are made from."""

from __future__ import annotations

from farebox.contract import (
    admin,
    forward_auth,
    gate,
    keys,
    logs,
    metering,
    profile,
    quotas,
    refusals,
    service,
    usage,
)
from farebox.contract.operation import Operation

# In the order of the documentation.
OPERATIONS: tuple[Operation, ...] = (
    *profile.OPERATIONS,
    *quotas.OPERATIONS,
    *keys.OPERATIONS,
    *usage.OPERATIONS,
    *logs.OPERATIONS,
    *refusals.OPERATIONS,
    *metering.OPERATIONS,
    *gate.OPERATIONS,
    *forward_auth.OPERATIONS,
    *admin.OPERATIONS,
    *service.OPERATIONS,
)
BY_ID: dict[str, Operation] = {operation.operation_id: operation for operation in OPERATIONS}

TAGS: dict[str, str] = {
    "Profile": "The workspace, its user, its credits, and its quota windows.",
    "Quotas": "The credits of the workspace, in the form of another vendor.",
    "API Keys": "The API keys of the workspace, their requests and their use.",
    "Metering": "Recording the requests of your API.",
    "Gate": "Admitting or refusing the requests of your API before they cost anything.",
    "Admin": "Managing plans, log types, workspaces, keys and grants.",
    "Service": "Health, metrics and documentation of the program.",
}
