"""What a provider changes while calls are admitted: in the world, and in the reference."""

from __future__ import annotations

from farebox.core.calendar import ZoneSince
from farebox.core.errors import KEY_ENDED, FareboxError
from farebox.core.instant import to_iso_ms
from tests.gate.driver import Driver
from tests.gate.reference import Key
from tests.gate.scene import MICRO, PLAN
from tests.gate.world import Process


class Admin:
    """Changes, each by way of a process: that one knows of it at once, others a moment later."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._world = driver.world
        self._reference = driver.reference

    def grant(
        self, process: Process, profile_id: int, credits: int, ends_in_ms: int | None, priority: int
    ) -> None:
        """Give credits."""
        fields: dict[str, object] = {
            "profile_id": profile_id,
            "credits": credits,
            "kind": "topup" if ends_in_ms is None else "promotion",
            "priority": priority,
        }
        if ends_in_ms is not None:
            fields["expires_at"] = to_iso_ms(self._world.recorder_clock.now_ms() + ends_in_ms)
        self._world.call("grants.create", fields)
        self._reference.workspaces[profile_id].granted_micro += credits * MICRO
        self._driver.follow(process)

    def change_plan(self, process: Process, profile_id: int, slug: str) -> None:
        """Put a workspace under another plan."""
        self._world.call("workspaces.change", {"profile_id": profile_id, "plan": slug})
        self._reference.workspaces[profile_id].change_plan(PLAN[slug])
        self._driver.follow(process)

    def change_zone(self, process: Process, profile_id: int, timezone: str) -> None:
        """Move a workspace to another timezone."""
        workspace = self._reference.workspaces[profile_id]
        self._world.call("workspaces.change", {"profile_id": profile_id, "timezone": timezone})
        if timezone != workspace.zones[-1].timezone:
            since = ZoneSince(self._world.recorder_clock.now_ms(), timezone)
            workspace.zones = (*workspace.zones, since)
        self._world.tick()
        self._driver.follow(process)

    def change_terms(self, process: Process, profile_id: int, what: str) -> None:
        """Toggle sharing or suspension, or change how many licences there are."""
        workspace = self._reference.workspaces[profile_id]
        fields: dict[str, object] = {"profile_id": profile_id}
        if what == "sharing":
            workspace.is_sharing = not workspace.is_sharing
            fields["is_quota_sharing_enabled"] = workspace.is_sharing
        elif what == "suspended":
            workspace.is_suspended = not workspace.is_suspended
            fields["status"] = "suspended" if workspace.is_suspended else "active"
        else:
            workspace.licences = 5 - workspace.licences
            fields["licences"] = workspace.licences
        self._world.call("workspaces.change", fields)
        self._driver.follow(process)

    def rotate(self, process: Process, key: Key, overlap_seconds: int) -> None:
        """Make a key in the place of another."""
        now_ms = self._world.recorder_clock.now_ms()
        ends_ms = now_ms + overlap_seconds * 1000
        fields: dict[str, object] = {
            "profile_id": key.profile_id,
            "key_id": key.key_id,
            "overlap_seconds": overlap_seconds,
        }
        has_ended = key.is_revoked or (key.expires_ms is not None and key.expires_ms <= now_ms)
        try:
            made = self._world.call("keys.rotate", fields)
        except FareboxError as error:
            if error.kind is not KEY_ENDED or not has_ended:
                raise
            return
        assert not has_ended
        new = Key(
            made.key_id,
            key.profile_id,
            key.user_id,
            key.channel,
            key.family_id,
            key.cap_micro,
            key.expires_ms,
        )
        key.expires_ms = ends_ms if key.expires_ms is None else min(ends_ms, key.expires_ms)
        self._reference.keys.append(new)
        self._driver.follow(process)

    def revoke(self, process: Process, key: Key) -> None:
        """End a key."""
        fields: dict[str, object] = {"profile_id": key.profile_id, "key_id": key.key_id}
        self._world.call("keys.revoke", fields)
        key.is_revoked = True
        self._driver.follow(process)

    def cap(self, process: Process, key: Key, credits: int | None) -> None:
        """Change the cap of a key and of its family."""
        fields: dict[str, object] = {
            "profile_id": key.profile_id,
            "key_id": key.key_id,
            "credits_cap": credits,
        }
        self._world.call("keys.change", fields)
        for one in self._reference.keys:
            if one.family_id == key.family_id:
                one.cap_micro = None if credits is None else credits * MICRO
        self._driver.follow(process)

    def refused(self) -> None:
        """Ask for what isn't there: whatever the recorder remembers, it has to forget."""
        try:
            self._world.call("keys.revoke", {"profile_id": 1, "key_id": "key_none"})
        except FareboxError:
            return
        message = "there is no such key"
        raise AssertionError(message)
