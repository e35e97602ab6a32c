"""Backups and restores, as they go out."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from farebox.service.forms.common import Number, Stamp

Commit = Annotated[int, Meta(description="The last commit that it holds.")]
At = Annotated[Stamp | None, Meta(description="When that was, ISO 8601 in UTC; `null` is never.")]
Requests = Annotated[int, Meta(description="The log rows that it holds.")]


class BackupData(Struct, frozen=True):
    """A backup that was written and read again."""

    file: Annotated[str, Meta(description="Where it lies.")]
    bytes: Annotated[int, Meta(description="How large it is.")]
    commit_id: Commit
    committed_at: At
    took_ms: Annotated[int, Meta(description="How long it took, in milliseconds.")]


class RestoredData(Struct, frozen=True):
    """A database that was restored by other means, and is ready to be served."""

    database: Annotated[str, Meta(description="Where it lies.")]
    steps: Annotated[int, Meta(description="How many steps its schema was brought forward.")]
    leases_ended: Annotated[int, Meta(description="How many leases were ended that it held.")]


class MovedData(Struct, frozen=True):
    """A database that has moved to a server."""

    database: Annotated[str, Meta(description="Where it lies, without a password.")]
    tables: Annotated[int, Meta(description="How many tables were copied.")]
    rows: Annotated[int, Meta(description="How many rows were copied.")]
    requests: Requests
    credits: Annotated[Number, Meta(description="What those cost.")]
    replaced: Annotated[
        int, Meta(description="Texts with the character NUL, which was replaced by U+FFFD.")
    ]
    took_ms: Annotated[int, Meta(description="How long it took, in milliseconds.")]


class MigratedData(Struct, frozen=True):
    """A schema that is up to date."""

    database: Annotated[str, Meta(description="Where it lies, without a password.")]
    steps: Annotated[list[str], Meta(description="The steps that were taken.")]


class RestoreData(Struct, frozen=True):
    """A database that was put in the place of another."""

    database: Annotated[str, Meta(description="Where it lies.")]
    kept_as: Annotated[str | None, Meta(description="Where the former one lies, if there was one.")]
    commit_id: Commit
    committed_at: At
    requests: Annotated[int | None, Meta(description="The log rows, if they were audited.")]
    took_ms: Annotated[int, Meta(description="How long it took, in milliseconds.")]
