"""The server: takes its port, starts the program, and serves it until told to stop.

The port comes first: nothing is made and no token told by a server that can't listen. What
prevents a start is raised as it is, for one clear line.
"""

from __future__ import annotations

import resource
import signal
import socket
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import cast

import uvicorn
import uvloop

from farebox.api.bounds import Bounds
from farebox.api.connection import BoundedConnection
from farebox.app import Hooks, make_app
from farebox.cli.failure import CliError
from farebox.core.origin import origin_of
from farebox.parts import make_context
from farebox.settings import Settings

GRACE_SECONDS = 10
# What a server opens besides connections: its database, its recorder, webhooks, a margin.
OTHER_FILES = 192


class Server(uvicorn.Server):
    """The HTTP server; calls `on_ready` with its URL once it listens."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[str], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then tell."""
        await super().startup(sockets)
        if self.started:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            self._on_ready(origin_of(host, port))


def take_port(host: str, port: int, *, is_shared: bool = False) -> socket.socket:
    """A socket that holds the port, or any free one for 0, and doesn't listen yet.

    A port that `is_shared` is held by several processes, each with a socket of its own: the kernel
    spreads the connections over those that listen.

    Raises:
        CliError: the port is taken, or the host is none of this machine.
    """
    holder = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if is_shared:
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        holder.bind((host, port))
    except OSError as error:
        holder.close()
        message = (
            f"can't listen on port {port} of {host}: {(error.strerror or str(error)).lower()}. "
            "Choose another port with --port, such as --port 8081."
        )
        raise CliError(message) from error
    return holder


def bounds_of(files_max: int) -> Bounds:
    """The bounds of a server that may have so many files open: each connection is one."""
    usual = Bounds()
    if files_max == resource.RLIM_INFINITY:
        return usual
    room = files_max - OTHER_FILES - usual.surplus_connections
    return usual._replace(connections=min(usual.connections, max(room, files_max // 2)))


def serve(settings: Settings, hooks: Hooks, *, is_shared: bool = False) -> int:
    """Serve until told to stop; the exit status. Others serve on a port that `is_shared`.

    Raises:
        CliError: the port can't be taken.
        FareboxError: 503, there is no recorder or no database to read.
    """
    with take_port(settings.host, settings.port, is_shared=is_shared) as holder:
        taken = replace(settings, port=holder.getsockname()[1])
        return uvloop.run(_run(taken, hooks, holder))


async def _run(settings: Settings, hooks: Hooks, holder: socket.socket) -> int:
    app = make_app(replace(make_context(settings), gather=hooks.gather), settings, hooks)
    files_max, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    connection = partial(BoundedConnection, bounds=bounds_of(files_max))
    config = uvicorn.Config(
        app,
        http=cast("type[BoundedConnection]", connection),
        ws="none",
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = Server(config, hooks.on_ready)
    # Also while it starts. uvicorn raises what stopped it once more when it is done; being told
    # to stop is no failure.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, server.handle_exit)
    async with app.router.lifespan_context(app):
        await server.serve(sockets=[holder])
    return 0 if server.started or server.should_exit else 1
