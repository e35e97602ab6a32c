"""Tests of `farebox demo`, the real program: what it prints works, and what is called counts."""

from __future__ import annotations

import json
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import msgspec
import pytest

from farebox.cli.failure import CliError
from farebox.contract.operations import OPERATIONS
from farebox.demo import run
from farebox.demo.endpoints import ENDPOINTS, Endpoint
from farebox.demo.people import contact, search_people
from farebox.demo.run import run_demo
from farebox.engine.sync_link import SyncLink
from farebox.settings import Settings
from farebox.store.sqlite.database import SqliteDatabase
from tests.demo.running import RunningDemo
from tests.support.processes import processes_below

DAYS = 7


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDemo]:
    folder = tmp_path_factory.mktemp("demo")
    running = RunningDemo(folder, "--days", str(DAYS), "--keep", str(folder / "kept.db"))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def client(demo: RunningDemo) -> Iterator[httpx.Client]:
    headers = {"x-api-key": demo.value("API key")}
    with httpx.Client(base_url=demo.url, headers=headers) as found:
        yield found


def use_of(client: httpx.Client, demo: RunningDemo, slug: str) -> tuple[int, int]:
    """Credits and requests of a log type in the printed daily report."""
    words = shlex.split(demo.curl_of("/api_keys/usage/daily"))
    body = json.loads(words[words.index("-d") + 1])
    answer = client.post("/api_keys/usage/daily", json=body)
    assert answer.status_code == 200
    by_log_type = {entry["slug"]: entry for entry in answer.json()["data"]["by_log_type"]}
    totals = by_log_type[slug]["totals"]
    return totals["credits"], totals["requests"]


def test_every_printed_curl_line_works_when_pasted(demo: RunningDemo) -> None:
    operations = {operation.path: operation for operation in OPERATIONS}
    pasted = set()
    for line in demo.curls():
        answer = demo.paste(line)
        (url,) = (word for word in shlex.split(line) if word.startswith(demo.url))
        path = url.removeprefix(demo.url)
        pasted.add(path)
        if path.startswith("/sample/"):
            assert answer.status == 200, line
            assert json.loads(answer.output)["data"]
            continue
        operation = operations[path]
        assert answer.status == operation.success_status, (line, answer.output)
        if operation.response is not None:
            msgspec.json.decode(answer.output, type=operation.response)
    customer = {o.path for o in OPERATIONS if o.audience == "customer"}
    sample = {f"/sample{endpoint.path}" for endpoint in ENDPOINTS}
    assert pasted == customer | sample | {"/v1/authorize", "/v1/requests", "/api/v1/events"}


def test_what_is_printed_shows_something(demo: RunningDemo) -> None:
    answers = {path: json.loads(demo.paste(demo.curl_of(path)).output) for path in (
        "/api_keys/usage/daily", "/api_keys/usage/breakdown", "/api_keys/logs",
        "/api_keys/logs/lookup", "/api_keys", "/api_keys/refusals", "/v1/quotas",
    )}  # fmt: skip
    assert len(answers["/api_keys/usage/daily"]["data"]["series"]) == DAYS
    assert len(answers["/api_keys/usage/breakdown"]["data"]["by_key"]) == 3
    assert len(answers["/api_keys/logs"]["data"]["query_logs"]) == 3
    assert "data engineer" in answers["/api_keys/logs/lookup"]["data"]["request_body"]
    assert len(answers["/api_keys"]["data"]) == 4
    assert answers["/api_keys/refusals"]["data"]["totals"]["refusals"] > 0
    assert answers["/v1/quotas"]["credits_left"] > 0


PAGES = ["Dashboard", "Manage its keys", "Operator"]
LABELS = [*PAGES, "Documentation", "Reference", "OpenAPI", "Metrics"]


@pytest.mark.parametrize("label", LABELS)
def test_every_printed_address_answers(demo: RunningDemo, label: str) -> None:
    assert httpx.get(demo.value(label), follow_redirects=True).status_code == 200


@pytest.mark.parametrize("endpoint", ENDPOINTS[:2], ids=lambda endpoint: endpoint.slug)
def test_a_sample_search_is_charged_and_in_the_daily_report(
    client: httpx.Client, demo: RunningDemo, endpoint: Endpoint
) -> None:
    credits, requests = use_of(client, demo, endpoint.slug)
    answer = client.post("/sample" + endpoint.path, json={"query": "buyer"})
    assert answer.status_code == 200
    assert "farebox-credits" not in answer.headers
    assert '"hour";q=' in answer.headers["ratelimit-policy"]
    assert use_of(client, demo, endpoint.slug) == (credits + endpoint.credits, requests + 1)


def test_redeeming_costs_by_what_is_found(client: httpx.Client, demo: RunningDemo) -> None:
    people = [one.person_id for one in search_people("buyer", None, 300)[0]]
    for email, phone, cost in ((True, True, 30), (True, False, 15), (False, False, 0)):
        person_id = next(
            one for one in people
            if (contact(one).email is not None, contact(one).phone is not None) == (email, phone)
        )  # fmt: skip
        credits, requests = use_of(client, demo, "people_redeem")
        answer = client.post("/sample/people/redeem", json={"person_id": person_id})
        data = answer.json()["data"]
        assert (data["email"] is not None, data["phone"] is not None) == (email, phone)
        assert "farebox-credits" not in answer.headers
        assert use_of(client, demo, "people_redeem") == (credits + cost, requests + 1)


def test_a_sample_call_with_a_wrong_key_is_refused_and_not_counted(
    client: httpx.Client, demo: RunningDemo
) -> None:
    before = use_of(client, demo, "people_search")
    answer = httpx.post(
        demo.url + "/sample/people/search",
        headers={"x-api-key": "fbx_nobody"},
        json={"query": "buyer"},
    )
    assert answer.status_code == 401
    assert set(answer.json()) == {"code", "message", "details"}
    assert use_of(client, demo, "people_search") == before


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("people/search", "{}"),
        ("people/search", '{"query": ""}'),
        ("people/search", '{"query": "buyer", "per_page": 26}'),
        ("people/search", "not json"),
        ("people/redeem", '{"person_id": "per_1"}'),
    ],
)
def test_a_sample_call_with_a_wrong_body_is_counted_and_free(
    client: httpx.Client, demo: RunningDemo, path: str, body: str
) -> None:
    slug = path.replace("/", "_")
    credits, requests = use_of(client, demo, slug)
    answer = client.post(
        "/sample/" + path, content=body, headers={"content-type": "application/json"}
    )
    assert answer.status_code == 400
    assert set(answer.json()) == {"code", "message", "details"}
    assert use_of(client, demo, slug) == (credits, requests + 1)


def test_a_sample_call_is_refused_when_its_credits_are_used_up(
    client: httpx.Client, demo: RunningDemo
) -> None:
    headers = {"Authorization": f"Bearer {demo.value('Admin token')}"}
    admin = httpx.Client(base_url=demo.url + "/admin/v1", headers=headers)
    with admin:
        plan = {"slug": "poor", "name": "Poor", "credits_per_month": 4, "unmapped": "deny"}
        assert admin.post("/plans", json=plan).status_code == 201
        made = admin.post("/workspaces", json={"name": "Poor", "plan": "poor"}).json()
        key = admin.post(f"/workspaces/{made['profile_id']}/keys", json={}).json()["key"]
    statuses = [
        client.post(
            "/sample/people/search", json={"query": "buyer"}, headers={"x-api-key": key}
        ).status_code
        for _ in range(3)
    ]
    assert statuses == [200, 402, 402]
    unknown = client.get("/sample/nowhere", headers={"x-api-key": key})
    assert unknown.status_code == 403


def test_a_sample_path_that_is_none_is_told(client: httpx.Client) -> None:
    answer = client.get("/sample/nowhere")
    assert answer.status_code == 404
    assert set(answer.json()) == {"code", "message", "details"}


def test_a_sample_endpoint_answers_post_only(client: httpx.Client) -> None:
    answer = client.get("/sample/people/search")
    assert answer.status_code == 405
    assert set(answer.json()) == {"code", "message", "details"}


def test_a_sample_call_is_in_the_log_as_it_was(client: httpx.Client) -> None:
    assert client.post("/sample/companies/search", json={"query": "solar"}).status_code == 200
    logs = client.post("/api_keys/logs", json={"log_type_slugs": ["company_search"]}).json()
    newest = logs["data"]["query_logs"][0]
    assert (newest["method"], newest["path"]) == ("POST", "/companies/search")
    assert (newest["status_code"], newest["credits"]) == (200, 1)
    assert newest["authentication_type"] == "x-api-key"
    assert newest["ip"] == "127.0.0.1"


def test_audit_agrees_with_all_that_was_called(demo: RunningDemo) -> None:
    audit = subprocess.run(
        [
            sys.executable,
            "-m",
            "farebox",
            "audit",
            "--database",
            f"sqlite:///{demo.value('Database')}",
        ],
        capture_output=True,
        env=demo.environment,
        text=True,
        timeout=60,
        check=False,
    )
    assert audit.returncode == 0, audit.stdout + audit.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_ends_quietly_and_leaves_nothing_behind(tmp_path: Path, number: signal.Signals) -> None:
    running = RunningDemo(tmp_path, "--days", "1")
    database = Path(running.value("Database"))
    assert database.is_file()
    assert running.stop(number) == 0
    assert running.errors() == ""
    assert not database.parent.exists()


def test_it_serves_with_as_many_workers_as_are_set(tmp_path: Path) -> None:
    running = RunningDemo(tmp_path, "--days", "1", FAREBOX_WORKERS="2")
    assert len(processes_below(running.process.pid, b"farebox.demo.worker")) == 2
    for line in running.curls():
        assert running.paste(line).status < 300, line
    database = Path(running.value("Database"))
    assert running.stop() == 0
    assert running.errors() == ""
    assert not database.parent.exists()


def test_a_taken_port_is_told_with_the_flag_that_helps() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CliError, match=rf"port {port} .*--port"):
            run_demo({}, port=str(port), days=1, keep=None)


def test_a_kept_database_is_never_written_over(tmp_path: Path) -> None:
    kept = tmp_path / "kept.db"
    kept.write_bytes(b"precious")
    with pytest.raises(CliError, match="exists already"):
        run_demo({}, port="0", days=1, keep=kept)
    assert kept.read_bytes() == b"precious"


def test_a_folder_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(CliError, match="no folder"):
        run_demo({}, port="0", days=1, keep=tmp_path / "missing" / "kept.db")


def test_the_database_that_is_configured_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[Path] = []

    def noted(settings: Settings, environment: Mapping[str, str], days: int) -> int:
        assert "FAREBOX_DATABASE" not in environment
        used.append(Path(str(settings.database)))
        return days

    monkeypatch.setattr(run, "_run", noted)
    mine = tmp_path / "mine.db"
    assert run_demo({"FAREBOX_DATABASE": f"sqlite:///{mine}"}, port="0", days=3, keep=None) == 3
    assert mine not in used
    assert not mine.exists()


def test_an_interrupt_while_the_world_is_made_is_no_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[Path] = []

    def interrupted(link: SyncLink, reader: SqliteDatabase, *_: object, **__: object) -> None:
        del link
        made.append(Path(reader.connection.filename))
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "make_world", interrupted)
    before = signal.getsignal(signal.SIGTERM)
    assert run_demo({}, port="0", days=1, keep=None) == 0
    (database,) = made
    assert not database.parent.exists()
    assert signal.getsignal(signal.SIGTERM) == before
