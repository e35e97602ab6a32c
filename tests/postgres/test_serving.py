"""Everything works over PostgreSQL, and nothing that it leaves holds the password."""

from __future__ import annotations

import asyncio
import re
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from farebox import FareboxMiddleware
from farebox.service.audit import run_audit
from tests.postgres.office import SECRET, Office
from tests.support.cluster import PASSWORD
from tests.support.server import RunningServer

# What was held, or is free again, is told by all.
HELD_SECONDS_MAX = 1.5
LINE = '192.0.2.1 - - [05/May/2026:12:00:0{} +0000] "GET /people HTTP/1.1" 200 5 "-" "curl"\n'


def post(server: RunningServer, path: str, body: object) -> Any:  # noqa: ANN401 - any JSON
    response = server.call("POST", path, body)
    assert response.is_success, response.text
    return response.json()


def command_lines() -> str:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                found.append((entry / "cmdline").read_text().replace("\0", " "))
            except (OSError, UnicodeDecodeError):
                continue
    return "\n".join(found)


def test_a_request_is_admitted_settled_and_reported_and_the_password_shows_nowhere(
    office: Office,
) -> None:
    key = office.sell()
    with office.server() as server:
        told = [command_lines()]
        assert server.recorder_pid() is not None
        assert str(office.database) in told[0]
        asked = post(server, "/v1/authorize", {"key": key, "log_type": "people"})
        settled = {"reservation_id": asked["reservation_id"], "status_code": 200}
        post(server, "/v1/settle", settled)
        paths = ("/metrics", "/readyz", "/docs/en/operating", "/openapi.json", "/nowhere")
        told += [server.client.get(server.url + path).text for path in paths]
        told += [str(office.run("audit")), str(office.run("workspaces", "list", "--json"))]
        assert office.json("audit")["requests"] == 1
    told += [server.stdout.read_text(), server.errors()]
    assert f"serves {office.database} on" in told[-2]
    assert PASSWORD not in "".join(told)
    with closing(office.database.open_reader()) as reader:
        assert run_audit(reader).requests == 1


def test_what_one_machine_has_admitted_another_one_settles(office: Office) -> None:
    key = office.sell()
    with office.server() as server:
        asked = post(server, "/v1/authorize", {"key": key, "log_type": "people"})
    with office.server("other") as other:
        assert other.place != server.place
        settled = {"reservation_id": asked["reservation_id"], "status_code": 200}
        post(other, "/v1/settle", settled)
        assert office.json("audit")["requests"] == 1


def test_machines_tell_the_same_credits_while_reservations_are_open(office: Office) -> None:
    key = office.sell()

    def left(server: RunningServer) -> float:
        answer = server.client.get(f"{server.url}/v1/quotas", headers={"X-API-Key": key})
        told: float = answer.json()["credits_left"]
        return told

    settings = {"FAREBOX_CUSTOMER_REQUESTS_PER_MINUTE": "1000000"}
    with (
        office.server(**settings) as one,
        office.server("other", FAREBOX_WORKERS="2", **settings) as other,
    ):
        asked = {"key": key, "log_type": "people"}
        ids = [post(s, "/v1/authorize", asked)["reservation_id"] for s in (one, other) * 4]
        for ended in (0, 4, 8):
            for number, reservation_id in enumerate(ids[max(0, ended - 4) : ended]):
                post((one, other)[number // 2], "/v1/void", {"reservation_id": reservation_id})
            expected = 1000 - 3 * (len(ids) - ended)
            began = time.monotonic()
            while (told := [left(one), *(left(other) for _ in range(8))]) != [expected] * 9:
                assert time.monotonic() - began < HELD_SECONDS_MAX, f"{told}, not {expected}"


def test_a_start_without_what_all_machines_must_share_names_it(office: Office) -> None:
    ran = office.run("serve", FAREBOX_SECRET=None)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("farebox: FAREBOX_SECRET must be set where FAREBOX_DATABASE is")


@pytest.mark.parametrize("arguments", [("serve",), ("audit",), ("plans", "list")])
def test_a_password_on_a_command_line_is_refused_and_not_repeated(
    office: Office, arguments: tuple[str, ...]
) -> None:
    ran = office.run(*arguments, "--database", office.database.url.reveal())
    assert (ran.status, ran.out) == (2, "")
    assert "PGPASSFILE" in " ".join(ran.err.split())
    assert PASSWORD not in ran.err


@pytest.mark.parametrize(
    ("was", "becomes", "words"),
    [
        (f":{PASSWORD}", ":another-password", "password authentication failed"),
        ("farebox_", "missing_", "does not exist"),
        ("127.0.0.1:", "127.0.0.1:1,127.0.0.1:", ""),
        ("127.0.0.1", "nowhere.invalid", "nowhere.invalid"),
        ("127.0.0.1:", "127.0.0.9:1,127.0.0.9:", "Multiple connection attempts failed"),
        ("/farebox_", "?ssl_mode=require&dbname=farebox_", "unknown to libpq: ssl_mode"),
        ("/farebox_", "?sslmode=often&dbname=farebox_", 'invalid sslmode value: "often"'),
    ],
)
def test_a_server_that_lets_nobody_in_is_told_in_one_line(
    office: Office, was: str, becomes: str, words: str
) -> None:
    url = office.database.url.reveal().replace(was, becomes)
    ran = office.run("plans", "list", FAREBOX_DATABASE=url)
    if not words:
        assert "the database is new" in ran.err, "the second of two hosts has answered"
        return
    assert (ran.status, ran.out) == (1, "")
    assert words in ran.err
    assert re.fullmatch(r"farebox: [^\n]+\n", ran.err)
    assert PASSWORD not in ran.err
    assert "another-password" not in ran.err


def test_a_log_is_imported_and_counts_once(office: Office, tmp_path: Path) -> None:
    office.sell()
    log = tmp_path / "access.log"
    log.write_text("".join(LINE.format(number) for number in range(5)))
    mapping = tmp_path / "mapping.toml"
    key_id = office.json("keys", "list", "1")[0]["key_id"]
    mapping.write_text('[paths]\n"/people" = "people"\n')
    arguments = ("import", str(log), "--mapping", str(mapping), "--key-id", key_id)
    counted = [office.json(*arguments) for _ in range(2)]
    assert [c["accepted"] for c in counted] == [5, 0]
    assert [c["duplicates"] for c in counted] == [0, 5]
    assert office.json("audit")["requests"] == 5


def test_an_app_is_looked_after_over_it(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    key = office.sell()
    runtime = office.server().environment["FAREBOX_RUNTIME_DIR"]
    monkeypatch.setenv("FAREBOX_RUNTIME_DIR", runtime)

    async def people(_: Request) -> PlainTextResponse:
        return PlainTextResponse("found")

    async def use() -> list[int]:
        app = FareboxMiddleware(
            Starlette(routes=[Route("/people", people)]),
            database=office.database.url.reveal(),
            secret=SECRET,
            middleware_wait=True,
        )
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
            return [
                (await client.get("/people", headers=headers)).status_code
                for headers in ({"X-API-Key": key}, {"X-API-Key": "another-key"})
            ]

    with office.recorder():
        assert asyncio.run(use()) == [200, 401]
    with closing(office.database.open_reader()) as reader:
        assert run_audit(reader).requests == 1


def test_a_backup_is_left_to_postgresql(office: Office, tmp_path: Path) -> None:
    ran = office.run("backup", str(tmp_path / "backup"))
    assert (ran.status, ran.out) == (1, "")
    assert "pg_basebackup" in ran.err
    ran = office.run("restore", str(tmp_path / "backup"))
    assert ran.status == 1
    assert "farebox restored" in ran.err
    assert not (tmp_path / "backup").exists()
