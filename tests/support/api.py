"""The whole server in one process: the real application over a recorder that is called directly.

Requests go through the ASGI interface as a web server would hand them over. The clock is the
harness's; a test may take the store away (`store.is_gone`), or the recorder alone, let the store go
right after the next write (`store.is_going`), or make reading fail (`store.fault`).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx

from farebox.api.context import Context
from farebox.api.intake import Intake
from farebox.api.own_limit import OwnLimit
from farebox.api.self_record import SelfRecorder
from farebox.app import Hooks, make_app
from farebox.engine.clock import SteadyClock
from farebox.engine.follower import Follower
from farebox.engine.gatekeeper import Gatekeeper
from farebox.engine.link import Link, failure, unavailable
from farebox.engine.messages import Answered, Call, Drawn, Failed, Message, Recorded, Voided
from farebox.engine.spawn import RecorderProcess
from farebox.parts import make_context
from farebox.service.admit import Admitter
from farebox.service.capture import CapturePolicy
from farebox.service.readers import Readers
from farebox.service.record import Packer
from farebox.service.record_queue import RecordQueue
from farebox.service.refusal_log import RefusalLog
from farebox.service.settle import Settler
from farebox.settings import read_settings
from farebox.store.contract import Row, SqlValue, StoreFaultError
from farebox.store.sqlite.database import SqliteDatabase, open_reader
from tests.support.harness import Harness

Result = TypeVar("Result")
BASE_URL = "http://farebox.test"


class Store:
    """What may go wrong with it."""

    def __init__(self) -> None:
        self.is_gone = False
        self.is_going = False
        self.is_recorder_gone = False
        self.fault: Exception | None = None

    def check(self) -> None:
        """Fail as the store would."""
        if self.is_gone:
            message = "the disk is gone"
            raise StoreFaultError(message)
        if self.fault is not None:
            raise self.fault


class FaultyReader(SqliteDatabase):
    """A reader that fails when it is told to."""

    def __init__(self, path: Path, store: Store) -> None:
        store.check()
        super().__init__(open_reader(path).connection)
        self._store = store

    def rows(self, name: str, /, row_type: type[Row], **params: SqlValue) -> list[Row]:
        """As the real one."""
        self._store.check()
        return super().rows(name, row_type, **params)

    def one(self, name: str, /, row_type: type[Row], **params: SqlValue) -> Row | None:
        """As the real one."""
        self._store.check()
        return super().one(name, row_type, **params)

    def value(self, name: str, /, **params: SqlValue) -> SqlValue:
        """As the real one."""
        self._store.check()
        return super().value(name, **params)


class DirectLink(Link):
    """A link that calls the recorder at once; 503 while the store is gone."""

    def __init__(self, harness: Harness, store: Store) -> None:
        super().__init__(harness.path, RecorderProcess(["false"]))
        self._harness = harness
        self._store = store

    async def connect(self) -> None:
        """Nothing is to be reached."""

    async def close(self) -> None:
        """Nothing is to be hung up."""

    async def _ask(self, message: Message) -> Recorded | Answered | Drawn | Voided:
        """The reply to a message."""
        return self._ask_now(message)

    def _ask_now(self, message: Message) -> Recorded | Answered | Drawn | Voided:
        if self._store.is_gone or self._store.is_recorder_gone:
            raise unavailable("the disk is gone")  # noqa: EM101, TRY003 - not a message to format
        (reply,) = self._harness.recorder.handle([message])
        if self._store.is_going and isinstance(message, Call):
            self._store.is_gone = True
        if isinstance(reply, Failed):
            raise failure(reply)
        return reply


class Api:
    """A running server and a client of it. A context manager; all its methods are synchronous."""

    def __init__(self, harness: Harness, settings: Mapping[str, str] | None = None) -> None:
        self.harness = harness
        self.store = Store()
        self.admin_token = ""
        self._settings = read_settings(
            {"FAREBOX_DATABASE": f"sqlite:///{harness.path}", **(settings or {})}
        )
        self._runner = asyncio.Runner()

    def __enter__(self) -> Self:
        self._runner.__enter__()
        self.run(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self.store.is_gone, self.store.is_recorder_gone, self.store.fault = False, False, None
        self.run(self._stop())
        self._runner.close()

    def run(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        """What a coroutine gives, on the server's own event loop."""
        return self._runner.run(coroutine)

    def request(
        self,
        method: str,
        path: str,
        *,
        key: str | None = None,
        token: str | None = None,
        body: object = None,
        content: bytes | None = None,
        language: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """The answer to a request; `body` is sent as JSON, `content` as it is."""
        sent = dict(headers or {})
        if key is not None:
            sent["X-API-Key"] = key
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        if language is not None:
            sent["Accept-Language"] = language
        if body is not None:
            content = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        self._client.cookies.clear()  # whoever has some sends them on its own
        return self.run(self._client.request(method, path, content=content, headers=sent))

    def post(self, path: str, key: str, body: object = None, **more: Any) -> httpx.Response:  # noqa: ANN401 - as `request`
        """The answer to a POST with a key."""
        return self.request("POST", path, key=key, body=body, **more)

    def data(self, path: str, key: str, body: object = None) -> Any:  # noqa: ANN401 - any JSON
        """The `data` of a successful POST, with exact numbers."""
        response = self.post(path, key, body)
        assert response.status_code == httpx.codes.OK, response.text
        return exact(response)["data"]

    def flush(self) -> None:
        """Have the server's own calls, and those that it let through, recorded."""
        self.run(self.context.self_recorder.flush())
        self.run(self.context.record_queue.flush())

    async def _start(self) -> None:
        self.context = self._make_context()
        hooks = Hooks(on_token=self._take_token, resolve=_nowhere)
        self.app = make_app(self.context, self._settings, hooks)
        self._lifespan = self.app.router.lifespan_context(self.app)
        await self._lifespan.__aenter__()
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        self._client = httpx.AsyncClient(transport=transport, base_url=BASE_URL)

    async def _stop(self) -> None:
        await self._client.aclose()
        await self._lifespan.__aexit__(None, None, None)

    def _make_context(self) -> Context:
        harness, settings = self.harness, self._settings
        made = make_context(settings)
        made.readers.close()
        now_ms = harness.clock.now_ms
        clock = SteadyClock(wall=now_ms, steady=now_ms)
        link = DirectLink(harness, self.store)
        policy = CapturePolicy(
            settings.capture_bodies, settings.capture_bytes, settings.key_headers
        )
        packer = Packer(made.directory, harness.entropy)
        gatekeeper = Gatekeeper(link, clock, harness.entropy, hold_ms=made.gatekeeper.hold_ms)
        refusal_log = RefusalLog(link, made.metrics, harness.entropy)
        readers = Readers(self._open_reader)
        self_recorder = SelfRecorder(link, made.metrics)
        return replace(
            made,
            clock=clock,
            entropy=harness.entropy,
            link=link,
            follower=Follower(made.directory, self._open_reader),
            readers=readers,
            own_limit=OwnLimit(
                settings.customer_requests_per_minute, readers.run, self_recorder.flush
            ),
            intake=Intake(packer, link, clock, policy, made.metrics),
            self_recorder=self_recorder,
            refusal_log=refusal_log,
            gatekeeper=gatekeeper,
            admitter=Admitter(made.directory, gatekeeper, refusal_log, harness.entropy),
            settler=Settler(made.directory, harness.entropy),
            record_queue=RecordQueue(gatekeeper, made.metrics),
        )

    def _open_reader(self) -> SqliteDatabase:
        return FaultyReader(self.harness.path, self.store)

    def _take_token(self, token: str) -> None:
        self.admin_token = token


async def _nowhere(_host: str, _port: int) -> list[str]:
    """No test sends anything to a stranger."""
    return []


def exact(response: httpx.Response) -> Any:  # noqa: ANN401 - any JSON
    """What the JSON of an answer says, with exact numbers."""
    return json.loads(response.content, parse_float=Decimal)
