"""Packs the drafts of a log for the recorder; what can't be recorded becomes a refused line."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from farebox.core.errors import TIME_OUT_OF_RANGE, UNKNOWN_KEY, UNKNOWN_LOG_TYPE, FareboxError
from farebox.core.identity import content_digest
from farebox.core.key import Secret
from farebox.core.request import MeteredRequest
from farebox.core.workspace import ApiKey
from farebox.importers.draft import Draft as LineDraft
from farebox.importers.refusal import Reason, Refusal
from farebox.service.record import Draft, Packer

KEYS_REMEMBERED_MAX = 100_000
_REASONS = {
    UNKNOWN_KEY: Reason.UNKNOWN_KEY,
    UNKNOWN_LOG_TYPE: Reason.UNKNOWN_LOG_TYPE,
    TIME_OUT_OF_RANGE: Reason.FUTURE,
}
_canonical = msgspec.msgpack.Encoder()


class PackedLines(NamedTuple):
    """The requests of some drafts, the line that each came from, and the lines refused."""

    rows: list[MeteredRequest]
    line_numbers: list[int]
    refusals: list[Refusal]


class LinePacker:
    """Packs drafts; remembers which key a secret is."""

    def __init__(self, packer: Packer) -> None:
        self._packer = packer
        self._keys: dict[Secret | str, ApiKey] = {}

    def forget(self) -> None:
        """Forget the keys: they may have changed."""
        self._keys.clear()

    def pack(self, drafts: list[LineDraft], now_ms: int) -> PackedLines:
        """The requests of drafts."""
        packed = PackedLines([], [], [])
        for draft in drafts:
            try:
                row = self._packer.pack(self._draft(draft), now_ms, is_import=True)
            except FareboxError as error:
                reason = _REASONS.get(error.kind, Reason.BAD_FIELD)
                packed.refusals.append(Refusal(draft.line_number, reason))
                continue
            packed.rows.append(row)
            packed.line_numbers.append(draft.line_number)
        return packed

    def _draft(self, line: LineDraft) -> Draft:
        # All that the line told but its number, its key and where the key was: another log of the
        # same requests may have it in another place.
        told = (line.log_type, line.method, line.path, *line[8:-1])
        return Draft(
            line.request_id,
            line.source,
            content_digest(_canonical.encode(told)),
            self._key(line),
            line.log_type,
            line.time_ms,
            line.method,
            line.path,
            line.status_code,
            line.duration_ms,
            line.response_size,
            line.ip,
            line.channel,
            line.credits_micro,
            line.authentication_type,
        )

    def _key(self, line: LineDraft) -> ApiKey:
        named = line.key or line.key_id
        assert named is not None  # a draft has one of the two
        key = self._keys.get(named)
        if key is None:
            if len(self._keys) >= KEYS_REMEMBERED_MAX:
                self._keys.clear()
            secret = None if line.key is None else line.key.reveal()
            key = self._keys[named] = self._packer.key(line.key_id, secret)
        return key
