"""The admin writes of a `AsyncClient`. They need a token of the scope `admin`."""

from __future__ import annotations

from farebox.client import admin_calls as calls
from farebox.client.admin_calls import GrantKind
from farebox.client.aio_driver import AsyncDriver
from farebox.client.forms import Credits, Moment
from farebox.core.link import SECONDS_DEFAULT, Role
from farebox.service.forms.key import KeyCreate, KeyMade
from farebox.service.forms.link import LinkMade
from farebox.service.forms.money import GrantData
from farebox.service.forms.workspace import WorkspaceCreate, WorkspaceData


class AsyncAdmin:
    """What a sign-up flow needs. Each call is done once, however often it had to be sent.

    With an `idempotency_key` of your own that holds over a restart of your program, too; the
    repeat of a call that made a key or a link then tells no secret: `key` or `url` is None.
    """

    def __init__(self, driver: AsyncDriver) -> None:
        self._driver = driver
        self._caller = driver.caller

    async def create_workspace(
        self, workspace: WorkspaceCreate, *, idempotency_key: str | None = None
    ) -> WorkspaceData:
        """Make a workspace, with its owner and its first plan credits."""
        return await self._driver.run(
            calls.create_workspace(self._caller, workspace, idempotency_key)
        )

    async def create_key(
        self, profile_id: int, key: KeyCreate | None = None, *, idempotency_key: str | None = None
    ) -> KeyMade:
        """Make an API key of a workspace; its `key` is shown here and never again."""
        form = key or KeyCreate()
        return await self._driver.run(
            calls.create_key(self._caller, profile_id, form, idempotency_key)
        )

    async def rotate_key(
        self,
        profile_id: int,
        key_id: str,
        *,
        overlap_seconds: int = 0,
        idempotency_key: str | None = None,
    ) -> KeyMade:
        """Make an API key in the place of another, which works on for `overlap_seconds`."""
        return await self._driver.run(
            calls.rotate_key(self._caller, profile_id, key_id, overlap_seconds, idempotency_key)
        )

    async def revoke_key(self, profile_id: int, key_id: str) -> None:
        """End an API key for good, at once."""
        await self._driver.run(calls.revoke_key(self._caller, profile_id, key_id))

    async def grant(
        self,
        profile_id: int,
        credits: Credits,
        *,
        kind: GrantKind = "topup",
        expires_at: Moment | None = None,
        priority: int = 0,
        idempotency_key: str | None = None,
    ) -> GrantData:
        """Give credits to a workspace."""
        return await self._driver.run(
            calls.grant(
                self._caller, profile_id, credits, kind, expires_at, priority, idempotency_key
            )
        )

    async def create_link(
        self,
        profile_id: int,
        role: Role,
        *,
        expires_in_seconds: int = SECONDS_DEFAULT,
        idempotency_key: str | None = None,
    ) -> LinkMade:
        """Make a link into the dashboard of a workspace; its `url` is shown here and never again.

        Whoever has it gets in. `view` only shows, `manage` also changes API keys and alerts.
        """
        return await self._driver.run(
            calls.create_link(self._caller, profile_id, role, expires_in_seconds, idempotency_key)
        )

    async def revoke_links(self, profile_id: int) -> None:
        """End all links into the dashboard of a workspace, and sign everyone out of it."""
        await self._driver.run(calls.revoke_links(self._caller, profile_id))
