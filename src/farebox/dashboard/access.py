"""Access: what a session's cookie says, held against what is true now.

A key that was revoked or has expired, a token that was revoked, a workspace that is gone or whose
links were revoked: each ends the sessions that stand on it, on every process within a second, and
the sign-in page says so. A suspended workspace is told so.
"""

from __future__ import annotations

from farebox.core.errors import SUSPENDED, FareboxError
from farebox.dashboard.session import Session
from farebox.dashboard.visit import Visit
from farebox.engine.directory import Directory


async def session_of(visit: Visit) -> Session | None:
    """The session of a visit, if there is one and it still holds.

    Raises:
        FareboxError: 503, the store is gone.
    """
    desk = visit.desk
    session = desk.sessions.read(visit.request, visit.area, visit.now_ms)
    if session is None or session.kind == "visitor":
        return session
    if session.kind != "operator":
        await desk.follower.ensure_fresh()
        if _is_grounded(desk.directory, session, visit.now_ms):
            return session
    # An operator's pages are few, and are to show what was made elsewhere a moment ago; and what a
    # session stands on may be younger than what this process knows.
    await desk.follower.catch_up()
    if not _is_grounded(desk.directory, session, visit.now_ms):
        visit.has_ended = True
        return None
    return session


def check_open(visit: Visit) -> None:
    """See that the session's workspace is open. One can sign out of a suspended one all the same.

    Raises:
        FareboxError: 403, it is suspended.
    """
    found = visit.desk.directory.workspaces.get(visit.session.profile_id)
    if found is not None and found.status == "suspended":
        raise FareboxError(SUSPENDED)


def _is_grounded(directory: Directory, session: Session, now_ms: int) -> bool:
    match session.kind:
        case "key":
            key = directory.keys.get(session.ref)
            is_active = key is not None and key.status(now_ms) == "active"
            return is_active and _is_of_now(directory, session)
        case "operator":
            token = directory.token_of_id(session.ref)
            return token is not None and token.scope == "admin"
        case "link":
            return _is_of_now(directory, session)
        case "visitor":
            return True


def _is_of_now(directory: Directory, session: Session) -> bool:
    """Whether the sessions of its workspace weren't ended since it began."""
    found = directory.workspaces.get(session.profile_id)
    return found is not None and found.session_epoch == session.session_epoch
