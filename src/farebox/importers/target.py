"""The request line and its target: what method was called on what path.

A path is kept as it was sent, without query and fragment; bytes that may not stand in a URL are
percent-encoded, so that a path is always printable ASCII. `*` and `host:port` are no paths.
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import quote

from farebox.importers.refusal import Reason, Refused

PATH_LENGTH_MAX = 8192
_METHOD = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,31}", re.ASCII)
_PLAIN_PATH = re.compile(r"/[\x21\x24-\x3e\x40-\x7e]*")
_ORIGIN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*", re.ASCII)
# Everything printable that isn't a query's or a fragment's beginning: nothing is encoded twice.
_SAFE = "!$%&'()*+,-./:;<=>@[\\]^_`{|}~"


def split_request_line(line: str) -> tuple[str, str]:
    """The method and the target of `POST /v1/x?y=1 HTTP/1.1`; HTTP/0.9 has no version.

    Raises:
        Refused: not a request line; scanners send all sorts of bytes.
    """
    method, _, rest = line.partition(" ")
    target, _, version = rest.rpartition(" ")
    if version.startswith("HTTP/") and target:
        return method, target
    if rest and " " not in rest:
        return method, rest
    raise Refused(Reason.BAD_REQUEST)


@lru_cache(maxsize=256)
def check_method(method: str) -> str:
    """The method as it was sent.

    Raises:
        Refused: not a method's name.
    """
    if not _METHOD.fullmatch(method):
        raise Refused(Reason.BAD_REQUEST)
    return method


def path_of(target: str) -> str:
    """The path of a request's target, without query and fragment.

    Raises:
        Refused: not a path, or too long.
    """
    path = target.partition("?")[0]
    if not _PLAIN_PATH.fullmatch(path):
        path = path.partition("#")[0]
        origin = _ORIGIN.match(path)
        if origin:
            path = path[origin.end() :] or "/"
        if not path.startswith("/"):
            raise Refused(Reason.BAD_REQUEST)
        path = quote(path, safe=_SAFE, errors="surrogateescape")
    if len(path) > PATH_LENGTH_MAX:
        raise Refused(Reason.PATH_TOO_LONG)
    return path
