"""An example as its README has it: its own server in a process, and the command line beside it."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import ssl
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple, Self

import httpx

from farebox.engine.spawn import RecorderProcess, recorder_command
from farebox.engine.sync_link import SyncLink
from tests.support.calls import call
from tests.support.recorders import until

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = ROOT / "examples"
BLOCK = re.compile(r"(?:^ {4}.*\n)+", re.MULTILINE)
LISTENS = re.compile(rb"http://127\.0\.0\.1:(\d+)")
PORTS = {"uvicorn": ["--port", "0"], "gunicorn": ["--bind", "127.0.0.1:0"]}
STOP_SECONDS_MAX = 30.0
# To read all authorities for each connection takes longer than the call.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
DATABASE = "farebox.db"
SEARCH, REDEEM = "/people/search", "/people/redeem"


class Buyer(NamedTuple):
    """A workspace and its key."""

    profile_id: int
    key: str


class SetUp(NamedTuple):
    """What the set-up of the examples, which is the same for all, has left in a folder."""

    folder: Path
    first: Buyer


def readme_commands(name: str) -> list[str]:
    """The three commands of an example's README."""
    text = (EXAMPLES / name / "README.md").read_text("utf-8")
    return [line.strip() for line in BLOCK.findall(text)[0].splitlines()]


def set_up(name: str, folder: Path) -> SetUp:
    """Do once what takes ten programs; each `Example` gets a copy of what they made."""
    _, command, _ = readme_commands(name)
    told = _run(EXAMPLES / name, _environment(folder), *shlex.split(command))
    (key,) = re.findall(r"\bfbx_\w+", told)
    return SetUp(folder, Buyer(1, key))


class Example:
    """Set up when it is made, running while it is entered."""

    def __init__(
        self, name: str, folder: Path, made: SetUp, settings: dict[str, str] | None = None
    ) -> None:
        self._folder = EXAMPLES / name
        self._errors = folder / "stderr"
        self.database = folder / DATABASE
        shutil.copytree(made.folder, folder, dirs_exist_ok=True)
        self._environment = {**_environment(folder), **(settings or {})}
        self._recorder = RecorderProcess(recorder_command(self.database))
        *_, self._serve = readme_commands(name)
        self.first = made.first
        self._plans = 0
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Serve on a free port."""
        program, *arguments = shlex.split(self._serve)
        told_bytes = self._errors.stat().st_size if self._errors.exists() else 0
        with self._errors.open("ab") as errors:
            # A group of its own: a server may have workers, and all are to be killed at once.
            self._process = subprocess.Popen(
                [program, *PORTS[program], *arguments],
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,
            )

        def is_ready() -> bool:
            assert self._process is not None
            assert self._process.poll() is None, self.errors()
            found = LISTENS.search(self._errors.read_bytes()[told_bytes:])
            self.url = f"http://127.0.0.1:{int(found[1])}" if found else ""
            return found is not None and self._answers()

        until(is_ready)

    def stop(self) -> None:
        """End in good order."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            status = self._process.wait(STOP_SECONDS_MAX)
            self._process = None
            assert status in {0, -signal.SIGTERM}, self.errors()
        self._recorder.end(STOP_SECONDS_MAX)

    def kill(self) -> None:
        """Kill the server with all its workers."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(STOP_SECONDS_MAX)
        self._process = None

    def run(self, *command: str) -> str:
        """What a command of the example's folder prints."""
        return _run(self._folder, self._environment, *command)

    def farebox(self, *arguments: str) -> Any:  # noqa: ANN401 - any JSON
        """What `farebox` says in JSON."""
        return json.loads(self.run("farebox", *arguments, "--json"))

    def buyer(self, **plan: object) -> Buyer:
        """A workspace on a plan of its own, and its key."""
        self._plans += 1
        slug = f"plan-{self._plans}"
        with SyncLink(self.database, self._recorder) as link:
            call(link, "plans.create", slug=slug, name=slug, **{"credits_per_month": 1_000, **plan})
            profile_id = call(link, "workspaces.create", name=slug, plan=slug).profile_id
            key = call(link, "keys.create", profile_id=profile_id)
        return Buyer(profile_id, key.key)

    def calls_until_killed(self, buyer: Buyer, callers: int, enough: int) -> list[int]:
        """The statuses that some callers got until the server was killed, after enough of them."""
        statuses: list[int] = []
        are_enough = threading.Event()

        def caller(_: int) -> None:
            try:
                while True:
                    statuses.append(self.search(buyer).status_code)
                    if len(statuses) >= enough:
                        are_enough.set()
            except httpx.TransportError:
                return

        with ThreadPoolExecutor(callers) as pool:
            calling = pool.map(caller, range(callers))
            assert are_enough.wait(STOP_SECONDS_MAX)
            self.kill()
            list(calling)
        return statuses

    def post(self, path: str, buyer: Buyer | None, body: object) -> httpx.Response:
        """The answer to a call, on a connection of its own."""
        headers = {} if buyer is None else {"X-API-Key": buyer.key}
        url = self.url + path
        return httpx.post(url, json=body, headers=headers, timeout=30, verify=NO_TLS)

    def search(self, buyer: Buyer | None) -> httpx.Response:
        """The answer to a search."""
        return self.post(SEARCH, buyer, {"query": "engineer"})

    def usage(self, buyer: Buyer) -> dict[str | None, tuple[int, float]]:
        """Requests and credits by endpoint, as the customer reads them in the same app."""
        today = datetime.now(UTC).date()
        dates = {
            "start_date": str(today - timedelta(days=2)),
            "end_date": str(today + timedelta(days=2)),
        }
        report = self.post("/farebox/api_keys/usage/breakdown", buyer, dates)
        assert report.status_code == httpx.codes.OK, report.text
        return {
            entry["slug"]: (entry["requests"], entry["credits"])
            for entry in report.json()["data"]["by_endpoint"]
        }

    def errors(self) -> str:
        """What the server has written to stderr so far."""
        return self._errors.read_text()

    def _answers(self) -> bool:
        try:
            answer = httpx.get(f"{self.url}/health", timeout=5, verify=NO_TLS)
        except httpx.TransportError:
            return False
        return answer.status_code == httpx.codes.OK


def _environment(folder: Path) -> dict[str, str]:
    """One in which the program is found, without the settings of whoever runs the tests."""
    scripts = Path(sys.executable).parent
    return {
        **{k: v for k, v in os.environ.items() if not k.startswith("FAREBOX_")},
        "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "FAREBOX_DATABASE": f"sqlite:///{folder / DATABASE}",
    }


def _run(folder: Path, environment: dict[str, str], *command: str) -> str:
    """What a command prints."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout
