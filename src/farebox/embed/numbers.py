"""Numbers: what the middleware of this process has counted, for a route of the provider's own.

Where it is told and to whom is the provider's to say: under the mount every customer could read it.
"""

from __future__ import annotations

from farebox.embed.life import Life
from farebox.service.numbers import render, total


def metrics() -> bytes:
    """The numbers of all middleware in this process, as Prometheus reads them.

    A server of several processes has as many of them, each with numbers of its own.
    """
    return render(total(life.numbers() for life in list(Life.living)))
