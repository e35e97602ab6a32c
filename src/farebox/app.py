"""The program behind the server: puts the parts together, and takes them apart again.

Start: reach the recorder (or start it), read the directory, have an admin token. Stop: accept
nothing new, finish what has begun, record what waits, hang up; the recorder ends by itself.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Lifespan, Receive, Scope, Send

from farebox import __version__
from farebox.api import (
    admin,
    customer,
    customer_logs,
    customer_usage,
    dispatch,
    forward_auth,
    gate,
    health,
    metering,
)
from farebox.api.context import Context, Gather
from farebox.api.errors import error_response
from farebox.api.fast_lane import PATH, FastLane
from farebox.contract.operations import OPERATIONS
from farebox.contract.texts import language_of
from farebox.core.errors import FareboxError
from farebox.core.key import digest
from farebox.dashboard import operator, site, workspace
from farebox.engine.clock import SteadyClock
from farebox.pages import app as pages
from farebox.parts import facts, make_desk
from farebox.service.alert_watch import AlertWatcher, are_any
from farebox.service.duties import Duty
from farebox.service.forms.key import TokenEnsure, TokenEnsured
from farebox.service.housekeeping import Housekeeper, look_around
from farebox.settings import Settings
from farebox.store.contract import Reader
from farebox.webhooks.deliverer import Deliverer
from farebox.webhooks.sender import Resolve, Sender, resolve

ACTOR = "start"
GC_THRESHOLD = 20_000
HANDLERS = {
    **customer.HANDLERS,
    **customer_usage.HANDLERS,
    **customer_logs.HANDLERS,
    **metering.HANDLERS,
    **gate.HANDLERS,
    **forward_auth.HANDLERS,
    **admin.HANDLERS,
    **health.HANDLERS,
}
log = logging.getLogger("farebox")

MoreRoutes = Callable[[Context], Sequence[BaseRoute]]
Beside = Callable[[Context], Sequence[Coroutine[None, None, None]]]


def _print_token(token: str) -> None:
    """Tell the first admin token, once: it can't be told again."""
    sys.stdout.write(f"The admin token, shown this once: {token}\n")
    sys.stdout.flush()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """What whoever serves adds: `on_ready` gets the URL, `on_token` a token that was just made.

    `more_routes` are tried before the program's own. `resolve` finds the addresses of the hosts
    that webhooks go to. `beside` runs while it serves; `gather` is the context's.
    """

    on_ready: Callable[[str], None] = lambda _: None
    on_token: Callable[[str], None] = _print_token
    more_routes: MoreRoutes = lambda _: ()
    resolve: Resolve = resolve
    beside: Beside = lambda _: ()
    gather: Gather | None = None


class Application(Starlette):
    """The ASGI application. The gate's hot path goes before everything else."""

    hot: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call."""
        if self.hot is not None and scope.get("path") == PATH:
            await self.hot(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def make_app(context: Context, settings: Settings, hooks: Hooks) -> Application:
    """The ASGI application."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await ensure_admin_token(context, settings, hooks.on_token)
        await start(context)
        _spare_the_collector()
        log.info("farebox %s serves %s", __version__, settings.database)
        watching = [asyncio.create_task(work) for work in make_watchers(context, settings, hooks)]
        try:
            yield
        finally:
            for task in watching:
                task.cancel()
            await asyncio.gather(*watching, return_exceptions=True)
            await stop(context)

    desk = make_desk(context, settings)
    app = _application(
        context,
        [
            *hooks.more_routes(context),
            *dispatch.routes(
                context, [o for o in OPERATIONS if o.operation_id in HANDLERS], HANDLERS
            ),
            *site.asset_routes(),
            *site.routes(desk, "workspace", workspace.PAGES),
            *site.routes(desk, "operator", operator.PAGES),
            *pages.routes(facts(settings)),
        ],
        lifespan,
    )
    app.hot = FastLane(context, super(Application, app).__call__)
    return app


def make_customer_app(context: Context) -> Application:
    """The customer endpoints alone, of parts that somebody else starts and stops."""
    operations = [operation for operation in OPERATIONS if operation.audience == "customer"]
    return _application(context, dispatch.routes(context, operations, HANDLERS), None)


def _application(
    context: Context, routes: Sequence[BaseRoute], lifespan: Lifespan[Starlette] | None
) -> Application:
    async def failed(request: Request, error: Exception) -> Response:
        language = language_of(request.headers.get("accept-language"))
        return error_response(error, "general", language, context.entropy)

    async def missing(request: Request, _: Exception) -> Response:
        return dispatch.no_route(context, request)

    app = Application(
        routes=routes,
        exception_handlers={FareboxError: failed, 404: missing, Exception: failed},
        lifespan=lifespan,
    )
    # A path with a slash too many is another path: a redirect would drop a body or leak a header.
    app.router.redirect_slashes = False
    return app


async def ensure_admin_token(
    context: Context, settings: Settings, on_token: Callable[[str], None]
) -> None:
    """Have the configured admin token, or else one; a new one is told.

    Raises:
        FareboxError: 503, there is no recorder.
    """
    configured = digest(settings.admin_token) if settings.admin_token else None
    ensured = await context.link.call(
        "tokens.ensure_admin", TokenEnsure(digest=configured), TokenEnsured, actor=ACTOR
    )
    if ensured.token is not None:
        on_token(ensured.token)


async def start(context: Context) -> None:
    """Reach the recorder, read the directory, begin to record.

    Raises:
        FareboxError: 503, there is no recorder or no database to read.
    """
    await context.link.connect()
    if isinstance(context.clock, SteadyClock):
        high_water_ms = await context.readers.run(lambda r: r.integer("clock_high_water"))
        context.clock.not_before(high_water_ms)
    await context.follower.start()
    context.gatekeeper.start()
    context.record_queue.start()
    context.self_recorder.start()
    context.refusal_log.start()


def _spare_the_collector() -> None:
    """What was just read stays: it needn't be looked at again, nor at every small batch."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD)


async def stop(context: Context) -> None:
    """Record what waits and let everything go."""
    await context.record_queue.close()
    await context.gatekeeper.close()
    await context.self_recorder.close()
    await context.refusal_log.close()
    await context.link.leave()
    await context.follower.close()
    context.readers.close()
    log.info("farebox has stopped")


def make_watchers(
    context: Context, settings: Settings, hooks: Hooks
) -> list[Coroutine[None, None, None]]:
    """What runs beside the server while it serves, each until it is cancelled."""
    sender = Sender(__version__, is_private_allowed=settings.webhook_private, resolve=hooks.resolve)
    return [
        make_housekeeper(context, settings).run(),
        Deliverer(
            context.link,
            context.readers.run,
            context.clock,
            context.metrics,
            context.secret,
            sender,
        ).run(),
        AlertWatcher(
            context.link,
            context.readers.run,
            context.directory,
            context.clock,
            context.metrics,
            _duty(context, "alerts", are_any),
        ).run(),
        *hooks.beside(context),
    ]


def make_housekeeper(context: Context, settings: Settings) -> Housekeeper:
    """What looks after the server while it serves."""
    assert isinstance(context.clock, SteadyClock)
    return Housekeeper(
        context.link,
        lambda now_ms: context.readers.run(partial(look_around, now_ms=now_ms)),
        context.clock,
        context.metrics,
        _duty(context, "audit"),
        capture_days=settings.capture_days,
        audit_minutes=settings.audit_minutes,
        auditor=context.auditor,
    )


def _duty(
    context: Context, name: str, is_wanted: Callable[[Reader], bool] = lambda _: True
) -> Duty:
    """What of all processes one does."""
    return Duty(
        name,
        context.link,
        context.readers.run,
        context.clock,
        context.entropy,
        is_wanted=is_wanted,
    )
