"""A command and the transaction it runs in.

A command is a write of one use case: a name, the type of its arguments, and a function that runs
in the recorder inside one transaction. It raises `FareboxError` to refuse: then nothing of it
remains.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from farebox.engine.books import Books
from farebox.engine.entropy import Entropy
from farebox.engine.zones import Zones
from farebox.store.contract import Writer


class Transaction:
    """What a command works with. `now_ms` is the one instant of the whole transaction."""

    def __init__(
        self,
        db: Writer,
        books: Books,
        zones: Zones,
        entropy: Entropy,
        now_ms: int,
        actor: str,
        commit_id: int,
    ) -> None:
        self.db = db
        self.books = books
        self.zones = zones
        self.entropy = entropy
        self.now_ms = now_ms
        self.actor = actor
        self.commit_id = commit_id
        # Workspaces whose zone changed: their days are built anew after the commit.
        self.rezoned: set[int] = set()

    def change(
        self,
        action: str,
        kind: str,
        ref: str | int,
        *,
        profile_id: int | None = None,
        detail: dict[str, object] | None = None,
    ) -> None:
        """Keep who changed what and when; every process follows these to refresh its memory.

        `kind` is the noun in the directory: plan, log_type, workspace, user, key or token.
        `detail` must hold no secret.
        """
        self.db.execute(
            "changes_insert",
            at_ms=self.now_ms,
            actor=self.actor,
            action=action,
            kind=kind,
            ref=str(ref),
            profile_id=profile_id,
            detail=msgspec.json.encode(detail or {}).decode(),
        )


class Command(NamedTuple):
    """A registered write. `run` returns the answer, a `msgspec.Struct`.

    `without_secret` gives the answer that a repeat with the same Idempotency-Key gets. Before one
    that `passes_dues` all periods that have ended are closed: it changes what they begin with.
    """

    name: str
    arguments: type[msgspec.Struct]
    run: Callable[[Transaction, Any], msgspec.Struct]
    without_secret: Callable[[Any], msgspec.Struct] | None = None
    passes_dues: bool = False
