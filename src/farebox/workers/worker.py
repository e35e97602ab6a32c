"""A worker: `python -m farebox.workers.worker DESCRIPTOR`, one of several servers on one port.

Its settings are its supervisor's, by the environment; the descriptor is its line to it.
"""

from __future__ import annotations

import sys

from farebox.app import Hooks, MoreRoutes
from farebox.cli.failure import told
from farebox.logs import set_up_logging
from farebox.server import serve
from farebox.settings import process_environment, read_settings
from farebox.workers.channel import Channel, channel_of


def run_worker(channel: Channel, more_routes: MoreRoutes) -> int:
    """Serve until told to stop; the exit status."""
    settings = read_settings(process_environment())
    set_up_logging(settings.log_level)
    hooks = Hooks(
        on_ready=channel.tell_ready,
        beside=lambda context: [channel.run(context)],
        gather=channel.gather,
        more_routes=more_routes,
    )
    status = serve(settings, hooks, is_shared=True)
    channel.finish()
    return status


def main(more_routes: MoreRoutes = lambda _: ()) -> int:
    """Run as a worker; the exit status."""
    return told(lambda: run_worker(channel_of(int(sys.argv[1])), more_routes))


if __name__ == "__main__":
    raise SystemExit(main())
