"""What the forms share: exact credits, stamps, and the names of things."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from msgspec import Meta, Struct

# An answer's amount of credits, as `core.credits.to_number` gives it.
Number = int | Decimal

_CREDITS_PATTERN = r"^[0-9]{1,10}(\.[0-9]{1,6})?$"
_AMOUNT = {"type": ["number", "string"], "maximum": 1_000_000_000, "pattern": _CREDITS_PATTERN}

# msgspec decodes JSON numbers to Decimal from their text.
CreditsIn = Annotated[Decimal, Meta(extra_json_schema={**_AMOUNT, "minimum": 0})]
CreditsAbove0In = Annotated[Decimal, Meta(extra_json_schema={**_AMOUNT, "exclusiveMinimum": 0})]
SignedCreditsIn = Annotated[
    Decimal,
    Meta(
        extra_json_schema={
            **_AMOUNT,
            "minimum": -1_000_000_000,
            "pattern": "^-?" + _CREDITS_PATTERN[1:],
        }
    ),
]

_STAMP = {"format": "date-time"}
Stamp = Annotated[str, Meta(extra_json_schema=_STAMP)]
CreatedAt = Annotated[
    str, Meta(description="When it was made, ISO 8601 in UTC.", extra_json_schema=_STAMP)
]
LimitIn = Annotated[int, Meta(ge=0, le=10**12)]

ProfileId = Annotated[int, Meta(description="Id of the workspace.")]
Slug = Annotated[
    str,
    Meta(
        description=(
            "Its name for programs: 1 to 64 of a-z, 0-9, `_`, `-` and `.`, beginning with a letter "
            "or digit. It never changes."
        ),
        extra_json_schema={"pattern": r"^[a-z0-9][a-z0-9_.-]{0,63}$"},
    ),
]


class Nothing(Struct, frozen=True):
    """The answer of a command that has nothing to tell."""
