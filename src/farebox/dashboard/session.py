"""Sessions: who looks at the pages, as a signed cookie that says so.

    visitor     nobody yet; it binds the sign-in form to this browser
    key         signed in with an API key: sees its workspace, may revoke that key
    link        came by a link of the provider: sees the workspace or, as `manage`, changes it too
    operator    signed in with a token of the scope `admin`

The cookie holds ids and no secret, so there is nothing to store; what it says is checked against
the directory at every request. A session ends with the key, token or link that it was begun with;
one of a workspace also when the workspace gets another `session_epoch`. Signing out only has this
browser forget its cookie. Workspace and operator have cookies of their own, each for its own paths.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from farebox.core.errors import INVALID_SESSION, FareboxError
from farebox.core.instant import MS_PER_HOUR, MS_PER_SECOND
from farebox.core.link import Role
from farebox.dashboard.cookies import end_cookie, set_cookie
from farebox.engine.entropy import Entropy
from farebox.engine.seal import Seal
from farebox.engine.secret import ProgramSecret

Area = Literal["workspace", "operator"]
Kind = Literal["visitor", "key", "link", "operator"]

ROOTS: dict[Area, str] = {"workspace": "/dashboard", "operator": "/operator"}
SESSION_MS = 12 * MS_PER_HOUR
PREFIX = "fbs_"
PURPOSE = "sessions"
_ACTORS: dict[Kind, str] = {"key": "key", "link": "link", "operator": "token"}


class Session(msgspec.Struct, array_like=True, frozen=True):
    """One sign-in. `ref` is the id of the key, link or token; a visitor has none.

    `session_epoch` is that of the workspace when the session or its link was made.
    """

    session_id: str
    area: Area
    kind: Kind
    expires_ms: int
    profile_id: int = 0
    ref: str = ""
    role: Role = "view"
    session_epoch: str = ""

    @property
    def actor(self) -> str:
        """Whom the changes name."""
        return f"{_ACTORS[self.kind]}:{self.ref}"


class Sessions:
    """Makes and reads the cookies."""

    def __init__(self, secret: ProgramSecret, entropy: Entropy, *, is_framed: bool) -> None:
        self._seal = Seal(Session, PREFIX, PURPOSE, secret.derive, wrong=INVALID_SESSION)
        self._entropy = entropy
        self._is_framed = is_framed

    def make(
        self,
        area: Area,
        kind: Kind,
        expires_ms: int,
        *,
        profile_id: int = 0,
        ref: str = "",
        role: Role = "view",
        session_epoch: str = "",
    ) -> Session:
        """A session with an id that nobody can guess."""
        session_id = self._entropy.random_bytes(16).hex()
        return Session(session_id, area, kind, expires_ms, profile_id, ref, role, session_epoch)

    def read(self, request: Request, area: Area, now_ms: int) -> Session | None:
        """The session of a request, if its cookie is ours and hasn't ended."""
        text = request.cookies.get(_name(area))
        if text is None:
            return None
        try:
            session = self._seal.open(text)
        except FareboxError as error:
            if error.kind is not INVALID_SESSION:
                raise
            return None
        return session if session.area == area and now_ms < session.expires_ms else None

    def keep(self, response: Response, session: Session, now_ms: int, *, is_secure: bool) -> None:
        """Have the browser send a session from now on."""
        area = session.area
        set_cookie(
            response,
            _name(area),
            self._seal.seal(session),
            path=ROOTS[area],
            seconds=max(0, session.expires_ms - now_ms) // MS_PER_SECOND,
            is_secure=is_secure,
            is_framed=self._is_framed_in(area),
        )

    def end(self, response: Response, area: Area, *, is_secure: bool) -> None:
        """Have the browser forget the session."""
        end_cookie(
            response,
            _name(area),
            path=ROOTS[area],
            is_secure=is_secure,
            is_framed=self._is_framed_in(area),
        )

    def _is_framed_in(self, area: Area) -> bool:
        """Whether others may show the pages of an area; the operator's never."""
        return self._is_framed and area == "workspace"


def _name(area: Area) -> str:
    return f"farebox_{area}"
