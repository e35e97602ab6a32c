"""Keys and tokens, as they come in and go out. A secret leaves in the answer that made it only."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from farebox.core.ip_range import RANGES_MAX, TEXT_LENGTH_MAX
from farebox.service.forms.common import CreatedAt, CreditsIn, Number, Stamp
from farebox.service.forms.workspace import UserId

KeyId = Annotated[str, Meta(description="Id of the API key, which is unique and never changes.")]
Name = Annotated[
    str,
    Meta(
        description="Name of the key, at most 100 characters; may be empty.",
        extra_json_schema={"maxLength": 100},
    ),
]
ExpiresAt = Annotated[
    Stamp | None,
    Meta(description="When the key expires, RFC 3339, in the future; `null` is never."),
]
Channel = Annotated[
    Literal["api", "portal"], Meta(description="Which quota the key's calls count against.")
]
LogTypeSlugs = Annotated[
    Annotated[
        list[Annotated[str, Meta(max_length=64)]],
        Meta(max_length=1000, extra_json_schema={"minItems": 1}),
    ]
    | None,
    Meta(
        description=(
            "Slugs of the log types that the key may call; `null` is all. A key for some of them "
            "may not call what is mapped to none."
        )
    ),
]
IpRanges = Annotated[
    Annotated[
        list[Annotated[str, Meta(max_length=TEXT_LENGTH_MAX)]],
        Meta(max_length=RANGES_MAX, extra_json_schema={"minItems": 1}),
    ]
    | None,
    Meta(
        description=(
            "IPv4 or IPv6 addresses and CIDR ranges that the key may be used from, at most 100; "
            "`null` is any."
        ),
        examples=[["192.0.2.0/24", "2001:db8::1"]],
    ),
]
CREDITS_CAP = (
    "The most credits that the key may use in one billing period, together with the keys that it "
    "was rotated from and to; `null` is no cap, 0 allows only free calls."
)
CreditsCapIn = Annotated[CreditsIn | None, Meta(description=CREDITS_CAP)]
TokenName = Annotated[
    str,
    Meta(
        description="What the token is for, at most 100 characters.",
        extra_json_schema={"minLength": 1, "maxLength": 100},
    ),
]
Scope = Annotated[
    Literal["meter", "admin"],
    Meta(description="What the token may do; `admin` may do all that `meter` may."),
]


class KeyCreate(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A new key, or one that exists already and is to be imported."""

    user_id: UserId | None = None
    name: Name = ""
    expires_at: ExpiresAt = None
    channel: Channel = "api"
    log_type_slugs: LogTypeSlugs = None
    ip_ranges: IpRanges = None
    credits_cap: CreditsCapIn = None
    key: (
        Annotated[
            str,
            Meta(
                description=(
                    "A key that exists already, 8 to 512 printable ASCII characters. Default: a "
                    "new one is made."
                ),
                extra_json_schema={"minLength": 8, "maxLength": 512},
            ),
        ]
        | None
    ) = None

    def __repr__(self) -> str:
        """Without the key."""
        return f"{type(self).__name__}(name={self.name!r})"


class KeyMake(KeyCreate, kw_only=True, frozen=True):
    """The same, and the workspace it is for."""

    profile_id: int


class KeyPatch(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What of a key is to change."""

    name: Name | UnsetType = UNSET
    expires_at: ExpiresAt | UnsetType = UNSET
    log_type_slugs: LogTypeSlugs | UnsetType = UNSET
    ip_ranges: IpRanges | UnsetType = UNSET
    credits_cap: CreditsCapIn | UnsetType = UNSET


class KeyChange(KeyPatch, kw_only=True, frozen=True):
    """The change of the key with this id."""

    profile_id: int
    key_id: str


class KeyRotate(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A new key for an old one, which works on for a while."""

    overlap_seconds: Annotated[
        int,
        Meta(
            description="How long the old key still works, at most 365 days.",
            ge=0,
            le=31_536_000,
        ),
    ]


class KeyRotation(KeyRotate, kw_only=True, frozen=True):
    """The rotation of the key with this id."""

    profile_id: int
    key_id: str


class KeyRevoke(Struct, kw_only=True, frozen=True):
    """The end of the key with this id."""

    profile_id: int
    key_id: str


class IssuedKey(Struct, kw_only=True, frozen=True):
    """A key without its secret."""

    key_id: KeyId
    name: Name
    masked_authentication: Annotated[str, Meta(description="The masked API key.")]
    user_id: UserId
    channel: Channel
    created_at: CreatedAt
    expires_at: Annotated[Stamp | None, Meta(description="When the key expires, ISO 8601 in UTC.")]
    status: Annotated[
        Literal["active", "expired", "revoked"], Meta(description="Whether the key can be used.")
    ]
    rotated_from: Annotated[
        str | None, Meta(description="The key id of the key that this one replaces.")
    ]
    family_id: Annotated[
        str,
        Meta(
            description=(
                "The key id of the first key of its rotations. The keys of a family share one cap."
            )
        ),
    ]
    log_type_slugs: LogTypeSlugs
    ip_ranges: IpRanges
    credits_cap: Annotated[Number | None, Meta(description=CREDITS_CAP)]


class KeyMade(IssuedKey, kw_only=True, frozen=True):
    """A new key, with its secret: it is shown here and never again."""

    key: Annotated[
        str | None, Meta(description="The API key itself; `null` when the call is repeated.")
    ]

    def __repr__(self) -> str:
        """Without the secret."""
        return f"KeyMade(key_id={self.key_id!r})"


class TokenCreate(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A new bearer token."""

    name: TokenName
    scope: Scope


class TokenEnsure(Struct, kw_only=True, frozen=True):
    """The token that must be good for administration: by its digest, or any."""

    digest: bytes | None = None


class TokenRevoke(Struct, kw_only=True, frozen=True):
    """The end of the token with this id."""

    token_id: str


class TokenData(Struct, kw_only=True, frozen=True):
    """A token without its secret."""

    token_id: Annotated[str, Meta(description="Id of the token.")]
    name: TokenName
    scope: Scope
    created_at: CreatedAt
    revoked_at: Annotated[
        Stamp | None, Meta(description="When the token was revoked, ISO 8601 in UTC.")
    ]


class TokenMade(TokenData, kw_only=True, frozen=True):
    """A new token, with its secret: it is shown here and never again."""

    token: Annotated[
        str | None, Meta(description="The token itself; `null` when the call is repeated.")
    ]

    def __repr__(self) -> str:
        """Without the secret."""
        return f"TokenMade(token_id={self.token_id!r})"


class TokenEnsured(Struct, kw_only=True, frozen=True):
    """The token that was made because there was none; None otherwise."""

    token: str | None

    def __repr__(self) -> str:
        """Without the secret."""
        return "TokenEnsured()"
