"""Farebox meters, limits and reports the use of an HTTP API that is sold by credits.

`Client`, `AsyncClient` and `FareboxMiddleware` (for ASGI; the one for WSGI is in
`farebox.embed.wsgi`) are loaded when they are first asked for, so that `import farebox` costs
nothing. What type checkers see of this stands in `__init__.pyi`.
"""

from importlib import import_module

__version__ = "0.1.0"
__all__ = ["AsyncClient", "Client", "FareboxMiddleware", "__version__"]

_ROOMS = {
    "AsyncClient": "farebox.client",
    "Client": "farebox.client",
    "FareboxMiddleware": "farebox.embed.asgi",
}


def __getattr__(name: str) -> object:
    if name not in _ROOMS:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    found: object = getattr(import_module(_ROOMS[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
