"""Links: how a provider lets somebody into the dashboard of a workspace, for a while.

What a link proves stands behind its `#`, which browsers send to nobody, so it is in no log and no
referrer. The page it leads to posts it, and it becomes a session.
"""

from __future__ import annotations

from typing import Literal

from farebox.core.instant import MS_PER_DAY, MS_PER_SECOND

# `view` only shows; `manage` also makes, changes and ends keys and alerts.
Role = Literal["view", "manage"]
PAGE = "/dashboard/link"
SECONDS_DEFAULT = 3_600
SECONDS_MIN = 60
SECONDS_MAX = 31 * MS_PER_DAY // MS_PER_SECOND


def link_url(base_url: str, token: str) -> str:
    """The link that a token makes; `base_url` is where people reach the server."""
    return f"{base_url}{PAGE}#{token}"
