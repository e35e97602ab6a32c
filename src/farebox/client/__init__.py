"""The typed client, for a provider's own gateways and back ends.

It needs nothing of the server: the core and the wire forms only. Its logic is in flows without
I/O (`call`), which `Client` and `AsyncClient` drive.
"""

from __future__ import annotations

from farebox.client.admin import Admin
from farebox.client.aio_admin import AsyncAdmin
from farebox.client.aio_authorization import AsyncAuthorization, AsyncReservation, Authorizing
from farebox.client.aio_client import AsyncClient
from farebox.client.authorization import Authorization, Reservation
from farebox.client.buffer import Batching, FailedRow
from farebox.client.client import Client
from farebox.client.errors import (
    ApiError,
    BufferFullError,
    ClosedError,
    FareboxClientError,
    TransportError,
)
from farebox.client.retry import RetryPolicy
from farebox.contract.gate import Admitted, Denied, LimitData, SettleAnswer
from farebox.contract.metering import RecordAnswer, RequestRow
from farebox.core.key import Secret
from farebox.service.forms.key import KeyCreate, KeyMade
from farebox.service.forms.link import LinkMade
from farebox.service.forms.money import GrantData
from farebox.service.forms.workspace import WorkspaceCreate, WorkspaceData

__all__ = [
    "Admin",
    "Admitted",
    "ApiError",
    "AsyncAdmin",
    "AsyncAuthorization",
    "AsyncClient",
    "AsyncReservation",
    "Authorization",
    "Authorizing",
    "Batching",
    "BufferFullError",
    "Client",
    "ClosedError",
    "Denied",
    "FailedRow",
    "FareboxClientError",
    "GrantData",
    "KeyCreate",
    "KeyMade",
    "LimitData",
    "LinkMade",
    "RecordAnswer",
    "RequestRow",
    "Reservation",
    "RetryPolicy",
    "Secret",
    "SettleAnswer",
    "TransportError",
    "WorkspaceCreate",
    "WorkspaceData",
]
