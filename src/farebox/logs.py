"""Structured logs: one JSON object a line on standard error, without secrets.

Nothing that holds a key or a token is logged on purpose; what looks like one of ours is struck out
all the same, wherever it comes from.
"""

from __future__ import annotations

import logging
import sys
import traceback

import msgspec

from farebox.core.instant import to_iso_ms
from farebox.core.key import strike_out

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """`{"time", "level", "logger", "message", …extra fields…, "error"?}`."""

    def format(self, record: logging.LogRecord) -> str:
        """One line of JSON."""
        fields: dict[str, object] = {
            "time": to_iso_ms(int(record.created * 1000)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        fields |= {k: v for k, v in vars(record).items() if k not in _STANDARD}
        if record.exc_info and record.exc_info[1] is not None:
            fields["error"] = "".join(traceback.format_exception(record.exc_info[1]))
        return strike_out(msgspec.json.encode(_encodable(fields)).decode())


def _encodable(value: object) -> object:
    """The value; where a text holds what UTF-8 can't, such as a file's odd name, as escapes.

    A line that can't be written would be told by the logging library itself, as it came in.
    """
    match value:
        case None | int() | float():
            return value
        case dict():
            return {_escaped(name): _encodable(inner) for name, inner in value.items()}
        case list() | tuple() | set():
            return [_encodable(inner) for inner in value]
        case _:
            return _escaped(value)


def _escaped(value: object) -> str:
    return str(value).encode("utf-8", "backslashreplace").decode()


def set_up_logging(level: str) -> None:
    """Log to standard error from `level` up."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # It tells at length of every start and stop, which we tell in a line of our own.
    logging.getLogger("uvicorn").setLevel("WARNING")
    # They tell the URL of every call, and a webhook's may hold a secret of its receiver.
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel("WARNING")
