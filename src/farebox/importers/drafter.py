"""The drafter: makes drafts of lines, as the mapping says.

It owns what a line needs to be a request: a time, a method and a path, and a key or a key id.
Everything else may be absent; what is there and wrong refuses the line, so that nothing is
recorded otherwise than it was logged.
"""

from __future__ import annotations

from functools import lru_cache

from farebox.core.key import Secret
from farebox.core.log_type import LogType, PathTable
from farebox.importers.draft import Draft
from farebox.importers.formats import Format
from farebox.importers.identity import Ordinals, line_digest, line_request_id
from farebox.importers.lines import LINE_BYTES_MAX
from farebox.importers.mapping import ImportMapping
from farebox.importers.places import Places
from farebox.importers.refusal import Reason, Refused
from farebox.importers.row import Row
from farebox.importers.target import check_method, path_of, split_request_line
from farebox.importers.values import (
    REMEMBERED_MAX,
    channel_of,
    credits_micro_of,
    duration_ms_of,
    ip_of,
    key_id_of,
    request_id_of,
    secret_of,
    size_of,
    slug_of,
    status_code_of,
    time_ms_of,
)


class Drafter:
    """Makes drafts of the lines of one file, in their order.

    Raises:
        FareboxError: the mapping names what a line of this format can't have.
    """

    def __init__(self, log_format: Format, mapping: ImportMapping) -> None:
        self._format = log_format
        self._source = mapping.source
        self._ordinals = Ordinals()
        places = Places(log_format, mapping)
        roles = places.roles()
        self._time = roles["time"]
        self._request = roles["request"]
        self._method = roles["method"]
        self._path = roles["path"]
        self._status_code = roles["status_code"]
        self._response_size = roles["response_size"]
        self._ip = roles["ip"]
        self._durations = places.durations()
        self._keys = places.keys()
        self._key_id = places.find("key_id", mapping.key_id)
        self._request_id = places.find("request_id", mapping.request_id)
        self._log_type = places.find("log_type", mapping.log_type)
        self._channel = places.find("channel", mapping.channel)
        self._credits = places.find("credits", mapping.credits)
        places.raise_problems()
        self._slugs = [route.slug for route in mapping.routes]
        self._routes = PathTable(
            LogType(at, route.slug, route.slug, route.method, route.template, ())
            for at, route in enumerate(mapping.routes)
        )
        # Remembered per file, so that no secret outlives its import.
        self._secret = lru_cache(REMEMBERED_MAX)(secret_of)

    def draft(self, line_number: int, line: bytes) -> Draft:
        """The draft of a line without its line end.

        Raises:
            Refused: the line can't be imported.
        """
        if len(line) > LINE_BYTES_MAX:
            raise Refused(Reason.TOO_LONG)
        row = self._format.read(line)
        time_ms = time_ms_of(self._time(row))
        method, path = self._target(row)
        key, authentication_type = self._key(row)
        # By position: naming sixteen fields takes as long as parsing the line does.
        return Draft(
            line_number,
            self._identify(row, time_ms, line),
            self._source,
            key,
            None if key else key_id_of(self._key_id(row)),
            self._slug(row, method, path),
            method,
            path,
            time_ms,
            status_code_of(self._status_code(row)),
            self._duration_ms(row),
            size_of(self._response_size(row)),
            ip_of(self._ip(row)),
            channel_of(self._channel(row)),
            credits_micro_of(self._credits(row)),
            authentication_type,
        )

    def _target(self, row: Row) -> tuple[str, str]:
        """Method and path: of the request line as it came, else of their own fields."""
        line = self._request(row)
        if line is not None and " " in line:
            method, target = split_request_line(line)
        else:
            own = self._method(row), self._path(row)
            if own[0] is None or own[1] is None:
                raise Refused(Reason.BAD_REQUEST if line else Reason.NO_REQUEST)
            method, target = own[0], own[1]
        return check_method(method), path_of(target)

    def _key(self, row: Row) -> tuple[Secret | None, str | None]:
        for find, authentication_type in self._keys:
            text = find(row)
            if text is not None:
                return self._secret(text), authentication_type
        if self._keys:
            raise Refused(Reason.NO_KEY)
        return None, None

    def _identify(self, row: Row, time_ms: int, line: bytes) -> str:
        own = request_id_of(self._request_id(row))
        if own is not None:
            return own
        digest = line_digest(line)
        return line_request_id(time_ms, digest, self._ordinals.next(time_ms, digest))

    def _slug(self, row: Row, method: str, path: str) -> str | None:
        named = slug_of(self._log_type(row))
        if named is not None or not self._slugs:
            return named
        at = self._routes.find(method, path)
        return None if at is None else self._slugs[at]

    def _duration_ms(self, row: Row) -> int | None:
        for find, seconds_places in self._durations:
            text = find(row)
            if text is not None:
                return duration_ms_of(text, seconds_places)
        return None
