"""Links into the dashboard, as they come in and go out. The link itself leaves once."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from farebox.core.link import SECONDS_DEFAULT, SECONDS_MAX, SECONDS_MIN, Role
from farebox.service.forms.common import Stamp

LinkId = Annotated[str, Meta(description="Id of the link, which the record of changes names.")]
LinkRole = Annotated[
    Role,
    Meta(
        description=(
            "What it lets one do: `view` only shows, `manage` also makes, changes and ends API "
            "keys and alerts."
        )
    ),
]
ExpiresInSeconds = Annotated[
    int,
    Meta(
        description="How long the link works, from a minute to 31 days.",
        ge=SECONDS_MIN,
        le=SECONDS_MAX,
    ),
]


class LinkCreate(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A new link."""

    role: LinkRole
    expires_in_seconds: ExpiresInSeconds = SECONDS_DEFAULT


class LinkMake(LinkCreate, kw_only=True, frozen=True):
    """The same, and the workspace it leads to."""

    profile_id: int


class LinksRevoke(Struct, kw_only=True, frozen=True):
    """The end of all links into a workspace, and of all that was signed in to it."""

    profile_id: int


class LinkBegun(Struct, kw_only=True, frozen=True):
    """A link as the recorder made it; it is signed where it is shown."""

    link_id: str
    profile_id: int
    role: Role
    made_ms: int
    expires_ms: int
    session_epoch: str
    is_new: bool


class LinkMade(Struct, kw_only=True, frozen=True):
    """A new link: it is shown here and never again."""

    link_id: LinkId
    role: LinkRole
    expires_at: Annotated[Stamp, Meta(description="When the link stops working, ISO 8601 in UTC.")]
    url: Annotated[
        str | None,
        Meta(
            description=(
                "The link itself; whoever has it gets in. `null` when the call is repeated."
            )
        ),
    ]

    def __repr__(self) -> str:
        """Without the link."""
        return f"LinkMade(link_id={self.link_id!r})"
