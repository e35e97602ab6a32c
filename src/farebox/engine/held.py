"""What a transaction holds: the workspaces that it alone may change, where others write too.

Adding to sums needs less than that, so whoever records takes less. A part that finds that it needs
more says so, and the transaction begins anew with it.
"""

from __future__ import annotations

from collections.abc import Iterable


class LockNeededError(Exception):
    """A transaction must hold a workspace alone to go on; nothing of it may be committed."""

    def __init__(self, profile_id: int) -> None:
        super().__init__(f"workspace {profile_id} is not held alone")
        self.profile_id = profile_id


class Held:
    """Those of the open transaction; all, where nobody else writes."""

    def __init__(self) -> None:
        self._profile_ids: frozenset[int] | None = None

    def take(self, profile_ids: Iterable[int] | None) -> None:
        """Begin a transaction that holds these, or all."""
        self._profile_ids = None if profile_ids is None else frozenset(profile_ids)

    def has(self, profile_id: int) -> bool:
        """Whether a workspace is held alone."""
        return self._profile_ids is None or profile_id in self._profile_ids

    def need(self, profile_id: int) -> None:
        """Go on only with a workspace that is held alone.

        Raises:
            LockNeededError: it isn't.
        """
        if not self.has(profile_id):
            raise LockNeededError(profile_id)
