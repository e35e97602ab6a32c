"""A store whose next commit fails: before it is done, or after."""

from __future__ import annotations

from farebox.store.contract import StoreFaultError
from farebox.store.sqlite.database import SqliteDatabase


class BrokenStore(SqliteDatabase):
    """A database that fails when it is told to."""

    fails: str | None = None

    def commit(self) -> None:
        """Commit, unless it fails; then nobody is told whether it did."""
        fails, BrokenStore.fails = BrokenStore.fails, None
        if fails != "before":
            super().commit()
        if fails is not None:
            self.has_failed = True
            message = "a planned fault"
            raise StoreFaultError(message)
