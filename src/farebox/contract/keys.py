"""The keys of a workspace, as its users see them. No answer here holds a secret."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from farebox.contract import kinds
from farebox.contract.operation import Operation
from farebox.contract.profile import ProfileRequest
from farebox.contract.usage import FiltersMetadata

UserId = Annotated[
    str, Meta(description="Id of the user, a UUID.", extra_json_schema={"format": "uuid"})
]
MaskedAuthentication = Annotated[str, Meta(description="The masked API key.")]


class KeyData(Struct, frozen=True):
    """One key, without its secret."""

    key_id: Annotated[str, Meta(description="The key's id, which is unique; a mask need not be.")]
    name: Annotated[str, Meta(description="Name of the key; may be empty.")]
    masked_authentication: MaskedAuthentication
    user_id: UserId
    created_at: Annotated[
        str, Meta(description="When the key was made, in the workspace's timezone.")
    ]
    last_used: Annotated[
        str | None,
        Meta(description="Time of the key's last request, in the workspace's timezone."),
    ]
    expires_at: Annotated[
        str | None, Meta(description="When the key expires, in the workspace's timezone.")
    ]
    status: Annotated[
        Literal["active", "expired", "revoked"], Meta(description="Whether the key can be used.")
    ]
    rotated_from: Annotated[
        str | None, Meta(description="The key id of the key that this one replaces.")
    ]


class KeysAnswer(Struct, frozen=True):
    """The answer of the list of keys."""

    metadata: FiltersMetadata
    data: list[KeyData]


LIST = Operation(
    operation_id="api_keys_list",
    methods=("POST", "GET"),
    path="/api_keys",
    tag="API Keys",
    title="API Keys",
    summary="List the workspace's API keys",
    description="All API keys of the workspace, the newest first, revoked ones included.",
    audience="customer",
    security="key",
    request=ProfileRequest,
    request_example={},
    response=KeysAnswer,
    response_example={
        "metadata": {"filters": {}},
        "data": [
            {
                "key_id": "key_5hZ0c2rWq8Lm",
                "name": "Production",
                "masked_authentication": "f••••••••••••••••a7Q",
                "user_id": "0192f3c4-7a5b-4d1e-8f20-3b6c9d2e4a71",
                "created_at": "2026-04-02 09:15:00.000",
                "last_used": "2026-05-05 11:09:42.508",
                "expires_at": None,
                "status": "active",
                "rotated_from": None,
            }
        ],
    },
    errors=kinds.CUSTOMER,
    is_vendor_shaped=True,
)

OPERATIONS = (LIST,)
