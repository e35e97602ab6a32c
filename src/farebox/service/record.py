"""Record: makes of what a caller tells a request that is priced and ready for the recorder.

A draft names its key and its log type as the caller did; packing finds them in the directory,
prices the request at its own time, and refuses with an error that names the field. It runs on the
event loop: no SQL. Usage is recorded whatever the key's status is, since it has happened already.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address
from typing import NamedTuple

from farebox.core.errors import (
    MISSING_FIELD,
    TIME_OUT_OF_RANGE,
    UNKNOWN_KEY,
    FareboxError,
)
from farebox.core.identity import pack_identity, query_log_id
from farebox.core.instant import MS_PER_DAY, MS_PER_MINUTE
from farebox.core.key import digest, strike_out
from farebox.core.phrase import Phrase
from farebox.core.request import (
    DAYS_BACK_MAX,
    MINUTES_AHEAD_MAX,
    Channel,
    MeteredRequest,
    without_nul,
)
from farebox.core.workspace import ApiKey
from farebox.engine.directory import Directory
from farebox.engine.entropy import Entropy
from farebox.service import fields
from farebox.service.tariff import FREE, Tariff

DAYS_BACK_MAX_MS = DAYS_BACK_MAX * MS_PER_DAY
AHEAD_MAX_MS = MINUTES_AHEAD_MAX * MS_PER_MINUTE
FREE_FROM_STATUS = 400
RANDOM_BYTES_PER_ID = 10
_POOLED_IDS = 1_000


class Draft(NamedTuple):
    """A request as it was told. None is "not told".

    `content` is the digest of what was sent (`core.identity.content_digest`). `log_type` is a slug,
    `__unknown__` for an unmapped request, or None: then `method` and `path` decide.
    """

    request_id: str
    source: str
    content: bytes
    key: ApiKey
    log_type: str | None
    time_ms: int | None
    method: str | None
    path: str | None
    status_code: int | None
    duration_ms: int | None
    response_size: int | None
    ip: str | None
    channel: Channel | None
    credits_micro: int | None
    authentication_type: str | None = None


class Packer:
    """Packs drafts of one process."""

    def __init__(self, directory: Directory, entropy: Entropy) -> None:
        self._directory = directory
        self._entropy = entropy
        self._tariff = Tariff(directory)
        self._random = b""
        self._random_at = 0

    def key(self, key_id: str | None, secret: str | None) -> ApiKey:
        """The key that a caller named by its id, by its secret, or by both.

        Raises:
            FareboxError: 422, there is no such key, or the secret is another one's; 400, neither
                was told.
        """
        if key_id is None and secret is None:
            raise FareboxError(MISSING_FIELD, field="key_id")
        found = None if key_id is None else self._directory.keys.get(key_id)
        if key_id is not None and found is None:
            raise FareboxError(UNKNOWN_KEY, field="key_id")
        if secret is not None:
            by_secret = self._directory.key_of_digest(digest(secret))
            if by_secret is None or (found is not None and by_secret.key_id != found.key_id):
                raise FareboxError(UNKNOWN_KEY, field="key")
            found = by_secret
        assert found is not None
        return found

    def pack(self, draft: Draft, now_ms: int, *, is_import: bool = False) -> MeteredRequest:
        """The request that a draft tells of.

        Raises:
            FareboxError: 422, the time is out of bounds (imports may lie back as far as they
                like), the log type unknown, or another field wrong.
        """
        key = draft.key
        time_ms = now_ms if draft.time_ms is None else draft.time_ms
        if time_ms > now_ms + AHEAD_MAX_MS or not (
            is_import or time_ms >= now_ms - DAYS_BACK_MAX_MS
        ):
            raise FareboxError(
                TIME_OUT_OF_RANGE, days_back=DAYS_BACK_MAX, minutes_ahead=MINUTES_AHEAD_MAX
            )
        log_type_id = self._directory.log_type_id(draft.log_type, draft.method, draft.path)
        status_code = draft.status_code
        credits_micro = draft.credits_micro
        if credits_micro is None:
            is_free = status_code is not None and status_code >= FREE_FROM_STATUS
            workspace = self._directory.workspaces[key.profile_id]
            price = FREE if is_free else self._tariff.price(workspace, log_type_id, time_ms)
            credits_micro = price.credits_micro
        return MeteredRequest(
            key.profile_id,
            pack_identity(draft.source, draft.request_id),
            draft.content,
            query_log_id(time_ms, self._random_bytes()),
            time_ms,
            key.key_id,
            log_type_id,
            key.channel if draft.channel is None else draft.channel,
            credits_micro,
            None if draft.method is None else draft.method.upper(),
            None if draft.path is None else bare_path(draft.path),
            status_code,
            draft.duration_ms,
            draft.response_size,
            None if draft.ip is None else checked_ip(draft.ip),
            draft.authentication_type,
        )

    def _random_bytes(self) -> bytes:
        start = self._random_at
        if start >= len(self._random):
            self._random = self._entropy.random_bytes(RANDOM_BYTES_PER_ID * _POOLED_IDS)
            start = 0
        self._random_at = start + RANDOM_BYTES_PER_ID
        return self._random[start : start + RANDOM_BYTES_PER_ID]


def bare_path(path: str) -> str:
    """A path without its query and fragment, which may hold secrets, and without any of ours."""
    bare = without_nul(path.partition("?")[0].partition("#")[0])
    return strike_out(bare) if "_" in bare else bare


@lru_cache(maxsize=65_536)
def checked_ip(text: str) -> str:
    """An IP address in its one form.

    Raises:
        FareboxError: 422, it is none.
    """
    try:
        return str(ip_address(text))
    except ValueError as error:
        raise fields.refuse(field="ip", expected=Phrase("an IP address")) from error
