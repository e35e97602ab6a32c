"""A secret appears once, in the answer that makes it (SPEC 7.4): a whole session is looked through.

What a customer writes into a free text of its own (a name, a request's id, a filter that is told
back) is kept and told as it was sent, unless it has the form of a key or token of ours.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from farebox.core.key import holds_secret
from farebox.store.sqlite.database import open_reader
from tests.secrets import pages, wrong_places
from tests.secrets.session import GIVEN_SUFFIX, QUEUE_ROWS, Session
from tests.secrets.wrong_places import EVENT_TYPE, EVENTS, ROWS, Wrong

FILES = {"farebox.db", "farebox.db-wal", "farebox.db-shm", "backup.db", "stdout", "stderr"}
ERRORS = {400, 401, 403, 404, 405, 409, 413, 415, 422, 503}
COMBINED = (
    '192.0.2.1 - - [05/May/2026:12:00:00 +0000] "POST /people/search?key={key} HTTP/1.1" 200 12'
    ' "https://x.example/?k={key}" "curl {key}" "{key}"\n'
)
MAPPING = '[combined]\ntrailing = ["http_x_api_key"]\n'


class Shop(NamedTuple):
    """What the session's workspace has; each key and token is a secret that is looked for."""

    key_id: str
    key: str
    rotated: str
    foreign: str
    revoked: str
    suspended: str
    meter: str
    link: str


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with Session(tmp_path) as made:
        yield made


def set_up(session: Session) -> Shop:
    """A workspace with keys of every kind, and a suspended one."""
    session.manage("POST", "/log_types", {"slug": "people_search", "name": "P", "credits": 3})
    session.manage("POST", "/plans", {"slug": "gold", "name": "Gold", "credits_per_month": 2000})
    for name in ("Acme", "Suspended"):
        session.manage("POST", "/workspaces", {"name": name, "plan": "gold"})
    keys = "/workspaces/1/keys"
    key = session.make("key", keys, {"name": "Production"})
    rotated = session.make("rotated", f"{keys}/{key['key_id']}/rotate", {"overlap_seconds": 3600})
    imported = session.foreign("imported")
    session.make("imported", keys, {"key": imported})
    short = session.search.add("short import", session.foreign("longer")[:10])
    session.make("short import", keys, {"key": short})
    revoked = session.make("revoked", keys, {})
    session.manage("DELETE", f"{keys}/{revoked['key_id']}")
    suspended = session.make("suspended", "/workspaces/2/keys", {})
    session.manage("PATCH", "/workspaces/2", {"status": "suspended"})
    meter = session.make("meter", "/tokens", {"name": "Gateway", "scope": "meter"})
    link = session.make("link", "/workspaces/1/links", {"role": "manage"})
    # No address that anything is sent to; what is sent would be signed with the secret.
    webhook = session.make("webhook", "/webhooks", {"url": "https://127.0.0.1:9/"})
    session.manage("POST", f"/webhooks/{webhook['webhook_id']}/test", {})
    session.manage("GET", f"/webhooks/{webhook['webhook_id']}/deliveries")
    # The same Idempotency-Key with another body, and a key that is there already.
    session.call(
        "POST",
        f"/admin/v1{keys}",
        {"key": session.foreign("never imported")},
        token=session.admin,
        headers={"Idempotency-Key": "make imported"},
    )
    session.call("POST", f"/admin/v1{keys}", {"key": imported}, token=session.admin)
    return Shop(
        key["key_id"],
        key["key"],
        rotated["key"],
        imported,
        revoked["key"],
        suspended["key"],
        meter["token"],
        link["url"].rpartition("#")[2],
    )


def use(session: Session, shop: Shop) -> None:
    """Keys and tokens where they belong, good ones and bad ones."""
    for secret in (*shop, *session.unknown, session.admin, session.foreign("unknown foreign")):
        for headers in (
            {"X-API-Key": secret},
            {"pubrio-api-key": secret},
            {"Authorization": f"Bearer {secret}"},
        ):
            for path in ("/user", "/v1/quotas", "/profile/usage", "/api_keys", "/admin/v1/tokens"):
                session.call("GET", path, headers=headers)
            session.call("POST", "/api_keys/logs", {}, headers=headers)
            session.call("POST", ROWS, {"requests": []}, headers=headers)
            session.call("POST", EVENTS, [], headers=headers)


def use_pages(session: Session, shop: Shop) -> None:
    """The dashboard, by keys, tokens and links; the last way in may make a key."""
    wrong = [shop.revoked, shop.meter, *session.unknown, session.admin, session.foreign("guess")]
    pages.sign_in(session, "/dashboard/sign-in", "key", [shop.foreign, shop.key, *wrong])
    pages.sign_in(session, "/operator/sign-in", "token", [shop.key, *wrong])
    pages.sign_in(session, "/dashboard/link", "token", [shop.key, shop.link[:-1], shop.link])
    assert pages.make_key(session)


def report(session: Session, shop: Shop, secret: str, turn: str) -> None:
    """Requests of a key that is named by itself, with headers and bodies that hold it."""
    told = {
        "X-API-Key": secret,
        "Authorization": f"Bearer {secret}",
        "Cookie": f"session={secret}",
        "x-auth": secret,
        "Referer": f"https://x.example/?k={secret}",
        "User-Agent": secret,
    }
    row = {
        "id": f"row {turn}",
        "source": secret,
        "key": secret,
        "path": f"/people/search?key={secret}#{secret}",
        "request_headers": told,
        "request_body": json.dumps({"api_key": secret}),
        "response_body": f"you sent {secret}" * 2000,
    }
    for _ in range(2):
        response = session.call("POST", ROWS, {"requests": [row]}, token=shop.meter)
        assert response.json()["accepted"] + response.json()["duplicates"] == 1, response.text
    conflicting = {**row, "credits": 9}
    session.call("POST", ROWS, {"requests": [conflicting]}, token=shop.meter)
    event = {"specversion": "1.0", "id": f"event {turn}", "source": secret}
    event |= {"type": "people_search", "subject": shop.key_id}
    data = {"request_headers": {"X-API-Key": secret}, "path": f"/x?{secret}"}
    headers = {"Content-Type": EVENT_TYPE}
    body = {**event, "data": data}
    assert session.call("POST", EVENTS, body, token=shop.meter, headers=headers).is_success
    logs = session.call("POST", "/api_keys/logs", {}, key=shop.rotated).json()["data"]
    for log in logs["query_logs"]:
        found = {"query_log_id": log["query_log_id"]}
        session.call("POST", "/api_keys/logs/lookup", found, key=shop.rotated)


def misplace(session: Session, shop: Shop) -> None:
    """Every secret in every wrong place."""
    secrets = [shop.key, shop.foreign, shop.meter, shop.link, session.admin, *session.unknown]
    for number, secret in enumerate(secrets):
        # A body that is too large is told so once.
        bodies = [w for w in wrong_places.bodies(secret) if number == 0 or _is_small(w)]
        calls = [*wrong_places.urls(secret), *wrong_places.headers(secret), *bodies]
        calls += wrong_places.rows(secret, shop.key_id)
        if holds_secret(secret):
            calls += wrong_places.of_our_form(secret, shop.key_id)
        for wrong in calls:
            send(session, shop, wrong)


def _is_small(wrong: Wrong) -> bool:
    return wrong.content is None or len(wrong.content) < 1_000_000


def send(session: Session, shop: Shop, wrong: Wrong) -> None:
    """Make a call with the credentials of its audience."""
    tokens = {"admin": session.admin, "meter": shop.meter}
    session.call(
        wrong.method,
        wrong.path,
        wrong.body,
        token=tokens.get(wrong.audience),
        key=shop.rotated if wrong.audience == "customer" else None,
        headers=wrong.headers,
        content=wrong.content,
    )


def overfill(session: Session, shop: Shop) -> None:
    """More rows than may wait: 503."""
    rows = [{"id": f"o{n}", "key": shop.key} for n in range(QUEUE_ROWS + 1)]
    assert session.call("POST", ROWS, {"requests": rows}, token=shop.meter).status_code == 503


def import_logs(session: Session, shop: Shop) -> None:
    """Logs that hold keys, known ones and others, whole lines and broken ones."""
    given = {
        name: session.folder / f"{name}{GIVEN_SUFFIX}" for name in ("combined", "json", "toml")
    }
    combined, keyed = given["combined"], given["json"]
    secrets = (shop.key, shop.foreign, *session.unknown, session.admin)
    lines = [COMBINED.format(key=secret) for secret in secrets]
    combined.write_text("".join([*lines, *(line[:90] + "\n" for line in lines), *secrets]))
    keyed.write_text(
        "".join(
            json.dumps(
                {
                    "time_iso8601": "2026-05-05T12:00:00+00:00",
                    "remote_addr": secret if is_broken else "192.0.2.1",
                    "request": f"GET /people/search?k={secret} HTTP/1.1",
                    "status": "200",
                    "http_x_api_key": secret,
                    "http_user_agent": secret,
                    "http_referer": secret,
                    "request_id": f"import {number}",
                }
            )
            + "\n"
            for number, secret in enumerate(secrets)
            for is_broken in (False, True)
        )
    )
    mapping = given["toml"]
    mapping.write_text(MAPPING)
    for _ in range(2):
        session.run("import", str(combined), "--mapping", str(mapping))
        session.run("import", str(keyed), "--json")
    wrong = f'source = "{shop.key}"\n[key]\nheader = "{shop.key} x"\n"{shop.key}" = 1\n'
    mapping.write_text(wrong)
    session.run("import", str(keyed), "--mapping", str(mapping))


def command(session: Session, shop: Shop) -> None:
    """The command line: a key from standard input, lists, audit, backup."""
    given = session.foreign("given")
    session.run("keys", "create", "1", "--import", text=given + "\n", told="given")
    session.run("keys", "create", "1", "--import", text=shop.foreign + "\n")
    for arguments in (["keys", "list", "1"], ["tokens", "list"], ["statement", "1"], ["audit"]):
        session.run(*arguments)
        session.run(*arguments, "--json")
    session.run("backup", str(session.folder / "backup.db"))
    assert (session.folder / "backup.db").exists()


def prove(session: Session) -> None:
    """There was something to look through: captures, first answers, requests and a log."""
    reader = open_reader(session.server.database)
    for (count,) in reader.connection.execute(
        "select count(*) from captures where request_body like '%***%'"
        " union all select count(*) from idempotency_keys"
        " union all select count(*) from requests"
    ):
        assert count >= 3
    reader.close()
    assert '"level":"warning"' in session.server.errors()


@pytest.mark.timeout(300)
def test_no_secret_leaves_a_trace(session: Session) -> None:
    shop = set_up(session)
    use(session, shop)
    use_pages(session, shop)
    misplace(session, shop)
    for number, secret in enumerate((shop.key, shop.rotated, shop.foreign)):
        report(session, shop, secret, str(number))
    overfill(session, shop)
    import_logs(session, shop)
    command(session, shop)
    assert session.look("while it was served") >= FILES
    prove(session)
    session.server.kill_recorder()
    report(session, shop, shop.key, "after the recorder was killed")
    session.server.kill_recorder()
    session.server.stop(signal.SIGKILL)
    assert session.look("after all was killed") >= FILES
    session.server.start()
    report(session, shop, shop.foreign, "after a restart")
    session.look("after a restart")
    session.server.stop()
    session.look("at the end")
    assert session.statuses.keys() >= ERRORS | {200, 201, 204}
    assert not session.traces, "\n".join(dict.fromkeys(session.traces))
