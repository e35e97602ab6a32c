"""What all wire forms share: JSON values, exact numbers, media types.

Credits leave as JSON numbers and come in as numbers or as the same text in quotes, decoded from
their text into `Decimal`; no float ever touches them. `ENCODER` writes every answer.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

JSON = "application/json"

Json = None | bool | int | float | str | list["Json"] | tuple["Json", ...] | dict[str, "Json"]
JsonObject = dict[str, Json]

# A filter's list.
Item = TypeVar("Item")
LIST_ITEMS_MAX = 1000
Items = Annotated[list[Item], Meta(max_length=LIST_ITEMS_MAX)]

# An answer's amount of credits, as `core.credits.to_number` gives it.
Number = int | Decimal

# A request's amount of credits. msgspec decodes JSON numbers to Decimal from their text.
CreditsIn = Annotated[
    Decimal,
    Meta(
        extra_json_schema={
            "minimum": 0,
            "maximum": 1_000_000_000,
            "pattern": r"^[0-9]{1,9}(\.[0-9]{1,6})?$",
        }
    ),
]

ProfileId = Annotated[
    int | None,
    Meta(
        description="Optional. The workspace; it must be the one that the API key belongs to.",
        examples=[1],
    ),
]

ENCODER = msgspec.json.Encoder(decimal_format="number")
