"""An audit, as it goes out and as it is kept."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from farebox.service.forms.common import Number


class DifferenceData(Struct, frozen=True):
    """A place where two sides of the books disagree."""

    check: Annotated[str, Meta(description="What was checked.")]
    profile_id: Annotated[
        int | None, Meta(description="Id of the workspace; `null` when none is concerned.")
    ]
    where: Annotated[str, Meta(description="The row, named by its columns.")]
    expected: Annotated[str, Meta(description="What it should say.")]
    found: Annotated[str, Meta(description="What it says.")]


class CheckData(Struct, frozen=True):
    """One check of an audit."""

    check: Annotated[str, Meta(description="What was checked.")]
    rows: Annotated[int, Meta(description="How many rows it compared.")]
    differences: Annotated[int, Meta(description="How many places differ.")]
    took_ms: Annotated[int, Meta(description="How long it took, in milliseconds.")]


class AuditData(Struct, frozen=True):
    """An audit: what was compared, and what differs."""

    agrees: Annotated[bool, Meta(description="Whether the books agree.")]
    requests: Annotated[int, Meta(description="The log rows that were audited.")]
    credits: Annotated[Number, Meta(description="The credits that they cost.")]
    differing: Annotated[int, Meta(description="How many places differ.")]
    took_ms: Annotated[int, Meta(description="How long it took, in milliseconds.")]
    checks: Annotated[list[CheckData], Meta(description="Every check that was made.")]
    differences: Annotated[
        list[DifferenceData], Meta(description="The first differences of each check.")
    ]


class AuditKeep(Struct, frozen=True):
    """An audit that has just ended and is to be kept. `detail` is its `AuditData` as JSON."""

    took_ms: int
    requests: int
    differences: int
    detail: str
