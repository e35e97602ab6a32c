"""The dashboard in a session: signing in rightly and wrongly, and a key made on its page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlencode

import httpx

from tests.secrets.session import Session

HIDDEN = re.compile(r'type="hidden" name="(\w+)" value="([^"]*)"')
NEW_KEY = re.compile(r"fbx_[0-9A-Za-z]{38}")
SEEN = ("", "/keys", "/keys/new", "/alerts", "/usage", "/logs")


def sign_in(session: Session, path: str, field: str, secrets: Sequence[str]) -> None:
    """Try to sign in with some secrets, and look at the pages as whoever that makes one."""
    for secret in secrets:
        fields = hidden(session.call("GET", path))
        answer = send(session, path, {**fields, field: secret})
        assert answer.status_code in {httpx.codes.SEE_OTHER, httpx.codes.UNAUTHORIZED, 403}
        for page in SEEN:
            session.call("GET", f"/dashboard{page}")
        session.call("GET", "/operator")


def make_key(session: Session) -> str:
    """Make a key on its page, send the form again, and look for it; who came by a link may."""
    path, name = "/dashboard/keys/new", "page's key"
    fields = {**hidden(session.call("GET", path)), "name": name, "channel": "api"}
    made = send(session, path, fields)
    found = NEW_KEY.search(made.text)
    assert found is not None, made.text
    secret = found[0]
    session.search.add(name, secret)
    assert send(session, path, fields).status_code == httpx.codes.OK
    for page in SEEN:
        session.call("GET", f"/dashboard{page}")
    return secret


def hidden(page: httpx.Response) -> dict[str, str]:
    """The hidden fields of a page's last form."""
    return dict(HIDDEN.findall(page.text))


def send(session: Session, path: str, fields: dict[str, str]) -> httpx.Response:
    """The answer to a form."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return session.call("POST", path, content=urlencode(fields).encode(), headers=headers)
