"""A session with a real server in which secrets are used, rightly and wrongly, and looked for.

Every answer is looked through as it comes, files and command lines when `look` is called. What is
found is gathered in `traces`: where, and which secret.
"""

from __future__ import annotations

import json
import random
import string
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import httpx

from farebox.core.key import KEY_PREFIX, TOKEN_PREFIX, mint
from tests.secrets.canaries import Search, foreign_key
from tests.support.server import RunningServer

SEED = 20260505
QUEUE_ROWS = 50
COMMAND_SECONDS_MAX = 60
# Characters at the end of a link that stand for nothing but its signature.
SIGNATURE_LENGTH = 20
# Of the files that the session gives to the program.
GIVEN_SUFFIX = ".given"


class Session:
    """A context manager: the server runs inside of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.search = Search()
        self.traces: list[str] = []
        self.statuses: Counter[int] = Counter()
        self.chance = random.Random(SEED)
        alphabet = string.ascii_letters + string.digits
        self.admin = self.search.add("admin", "".join(self.chance.choices(alphabet, k=40)))
        self.server = RunningServer(
            folder,
            {
                "FAREBOX_ADMIN_TOKEN": self.admin,
                "FAREBOX_SECRET": self.foreign("program's"),
                "FAREBOX_CAPTURE_BODIES": "on",
                "FAREBOX_LOG_LEVEL": "debug",
                "FAREBOX_QUEUE_ROWS": str(QUEUE_ROWS),
                "FAREBOX_CUSTOMER_REQUESTS_PER_MINUTE": "100000",
            },
        )
        self.server.token = self.admin
        # Nobody made these two.
        self.unknown = [
            self.search.add("unknown key", self._mint(KEY_PREFIX)),
            self.search.add("unknown token", self._mint(TOKEN_PREFIX)),
        ]

    def __enter__(self) -> Self:
        self.server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.__exit__()

    def foreign(self, name: str) -> str:
        """A new secret of no form of ours."""
        return self.search.add(name, foreign_key(self.chance))

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        token: str | None = None,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        told: str = "",
    ) -> httpx.Response:
        """The answer to a call, looked through; it may tell the secret `told`."""
        sent = dict(headers or {})
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        if key is not None:
            sent["X-API-Key"] = key
        if body is not None:
            content = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        response = self.server.client.request(
            method, self.server.url + path, headers=sent, content=content
        )
        self.statuses[response.status_code] += 1
        self.check(f"the answer to {method} {path[:40]}", _all_of(response), told)
        return response

    def manage(self, method: str, path: str, body: object = None, **more: Any) -> Any:  # noqa: ANN401 - any JSON
        """What a call of the admin API answers."""
        response = self.call(method, f"/admin/v1{path}", body, token=self.admin, **more)
        return response.json() if response.content else None

    def make(self, name: str, path: str, body: object) -> dict[str, Any]:
        """Have a secret made, or imported, which is told once: not again by the same call."""
        headers = {"Idempotency-Key": f"make {name}"}
        made: dict[str, Any] = self.manage("POST", path, body, headers=headers, told=name)
        fields = {"tokens": "token", "webhooks": "secret", "links": "url"}
        field = fields.get(path.rpartition("/")[2], "key")
        assert isinstance(made[field], str)
        secret = made[field]
        if field == "url":
            # Whatever else is signed says much the same before its signature.
            secret = secret[-SIGNATURE_LENGTH:]
        if secret not in self.search.secrets.values():
            self.search.add(name, secret)
        again = self.manage("POST", path, body, headers=headers)
        assert again == {**made, field: None}
        return made

    def run(self, *arguments: str, text: str = "", told: str = "") -> str:
        """What a command prints, looked through; it may tell the secret `told`."""
        done = subprocess.run(
            [sys.executable, "-m", "farebox", *arguments],
            env=self.server.environment,
            input=text.encode(),
            capture_output=True,
            timeout=COMMAND_SECONDS_MAX,
            check=False,
        )
        for name, output in (("stdout", done.stdout), ("stderr", done.stderr)):
            self.check(f"the {name} of {' '.join(arguments[:2])}", output, told)
        assert done.returncode in {0, 1, 2}, done.stderr
        return done.stdout.decode()

    def look(self, when: str) -> set[str]:
        """Look through all files, the metrics, and the command lines; the names of the files."""
        seen = set()
        for path in sorted(self.folder.rglob("*")):
            # Logs to be imported hold keys; what is made of them may not.
            if path.is_file() and path.suffix != GIVEN_SUFFIX:
                self.check(f"{path.name} {when}", path.read_bytes())
                seen.add(path.name)
        if self.server.process is not None:
            self.call("GET", "/metrics")
            for pid in (self.server.process.pid, self.server.recorder_pid()):
                self.check(f"a command line {when}", Path(f"/proc/{pid}/cmdline").read_bytes())
        return seen

    def check(self, where: str, data: bytes, told: str = "") -> None:
        """Note what of the secrets is found, but for the one that may be told there."""
        found = self.search.found(data) - {told}
        self.traces += [f"{where}: {name}" for name in sorted(found)]

    def _mint(self, prefix: str) -> str:
        return mint(prefix, self.chance.randrange).reveal()


def _all_of(response: httpx.Response) -> bytes:
    head = b"".join(name + b": " + value + b"\n" for name, value in response.headers.raw)
    return head + b"\n" + response.content
