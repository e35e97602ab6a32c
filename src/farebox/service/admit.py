"""Admit: from a presented key and a call to a decision of the gate, from memory.

What a key may do is worked out once for each log type and channel, and kept until the directory
changes or time alone changes it. A refusal is noted; in the shadow mode of a plan it is noted
only, and the call goes on without holding anything.

`decide_now` may be called from any thread: terms belong to one state of the directory and are
replaced whole with it, and no two calls are given the same random bytes.
"""

from __future__ import annotations

from typing import NamedTuple

from farebox.core.admission import (
    Denial,
    LimitState,
    denial_of,
    denied_by_key,
    denied_by_terms,
)
from farebox.core.identity import RANDOM_BYTES, content_digest, own_identity, pack_identity
from farebox.core.ledger import NEVER_MS
from farebox.core.refusal import NO_KEY, NO_WORKSPACE, Refusal
from farebox.core.request import UNMAPPED, Channel
from farebox.core.workspace import ApiKey, Workspace
from farebox.engine.directory import Directory
from farebox.engine.entropy import Entropy
from farebox.engine.gatekeeper import Gatekeeper
from farebox.engine.holds import Ask, Hold
from farebox.service.refusal_log import RefusalLog
from farebox.service.tariff import Tariff

_POOLED_IDS = 1_000
# What is the key's or the workspace's own, no plan overrides.
_NEVER_SHADOWED = frozenset({"key", "workspace", "ip", "log_type"})


class Attempt(NamedTuple):
    """A call that wants to be admitted, as a face was told of it.

    `key` is None for a presented key that nobody has. `log_type` is a slug, `__unknown__` for an
    unmapped call, or None: then method and path decide. `hold_micro` is the most it may cost, None
    for what its log type holds.
    """

    key: ApiKey | None
    log_type: str | None
    method: str | None
    path: str | None
    channel: Channel | None = None
    hold_micro: int | None = None
    ip: str | None = None
    request_id: str | None = None
    expires_after_ms: int | None = None


class Refused(NamedTuple):
    """A refused call; `retry_at_ms` is when it is worth another try."""

    denial: Denial
    limits: tuple[LimitState, ...]
    retry_at_ms: int | None


class _Terms(NamedTuple):
    """What a key may do with a log type in a channel, until an instant."""

    key: ApiKey
    workspace: Workspace
    denial: Denial | None
    is_shadow: bool
    scope: str
    hold_micro: int
    change_id: int
    until_ms: int


class _Kept(NamedTuple):
    """What was worked out of one state of the directory."""

    change_id: int
    terms: dict[tuple[str, int, Channel | None], _Terms]


class Admitter:
    """One per process."""

    def __init__(
        self,
        directory: Directory,
        gatekeeper: Gatekeeper,
        refusal_log: RefusalLog,
        entropy: Entropy,
    ) -> None:
        self._directory = directory
        self._gatekeeper = gatekeeper
        self._refusal_log = refusal_log
        self._entropy = entropy
        self._tariff = Tariff(directory)
        self._kept = _Kept(-1, {})
        self._random: list[bytes] = []

    def decide_now(self, attempt: Attempt, now_ms: int) -> Hold | Refused | None:
        """The decision, without waiting; None when units must be drawn first.

        Raises:
            FareboxError: 422, there is no such log type; 409, the id is another request's.
        """
        found = self._found(attempt, now_ms)
        if isinstance(found, Refused):
            return found
        terms, ask = found
        return self._told(attempt, terms, ask, self._gatekeeper.decide_now(ask, now_ms), now_ms)

    async def decide(self, attempt: Attempt, now_ms: int) -> Hold | Refused:
        """The decision; draws first where that is needed.

        Raises:
            FareboxError: 422, 409, or 503: the recorder can't be asked.
        """
        found = self._found(attempt, now_ms)
        if isinstance(found, Refused):
            return found
        terms, ask = found
        decision = await self._gatekeeper.decide(ask)
        told = self._told(attempt, terms, ask, decision, now_ms)
        assert told is not None
        return told

    def limits(self, hold: Hold, now_ms: int) -> tuple[LimitState, ...]:
        """Every limit that an admitted call is under."""
        return self._gatekeeper.limits(hold.ask, now_ms)

    def _found(self, attempt: Attempt, now_ms: int) -> tuple[_Terms, Ask] | Refused:
        """Whose call it is and what it asks for; or why nobody needs to ask the gate."""
        key = attempt.key
        log_type_id = self._directory.log_type_id(attempt.log_type, attempt.method, attempt.path)
        if key is None:
            return self._refused(attempt, None, None, denial_of("key"), now_ms)
        terms = self._terms_of(key, log_type_id, attempt.channel, now_ms)
        denial = terms.denial
        if denial is None and key.ip_ranges is not None:
            denial = denied_by_key(key, log_type_id, now_ms, attempt.ip)
        ask = self._ask(attempt, terms, log_type_id, now_ms)
        if denial is not None and not (terms.is_shadow and denial.denied_by not in _NEVER_SHADOWED):
            return self._refused(attempt, terms, ask, denial, now_ms)
        return terms, ask

    def _told(
        self,
        attempt: Attempt,
        terms: _Terms,
        ask: Ask,
        decision: Hold | Denial | None,
        now_ms: int,
    ) -> Hold | Refused | None:
        if isinstance(decision, Denial) and not terms.is_shadow:
            return self._refused(attempt, terms, ask, decision, now_ms)
        shadow = decision if isinstance(decision, Denial) else terms.denial
        if shadow is not None and decision is not None:
            self._refused(attempt, terms, ask, shadow, now_ms, is_shadow=True)
        if isinstance(decision, Denial):
            return self._gatekeeper.admit_anyway(ask, now_ms)
        return decision

    def _refused(
        self,
        attempt: Attempt,
        terms: _Terms | None,
        ask: Ask | None,
        denial: Denial,
        now_ms: int,
        *,
        is_shadow: bool = False,
    ) -> Refused:
        limits = () if ask is None else self._gatekeeper.limits(ask, now_ms)
        retry_at_ms = next((s.reset_ms for s in limits if s.name == denial.denied_by), None)
        self._refusal_log.note(
            Refusal(
                profile_id=NO_WORKSPACE if terms is None else terms.key.profile_id,
                key_id=NO_KEY if terms is None else terms.key.key_id,
                time_ms=now_ms,
                status=denial.kind.status,
                code=denial.kind.code,
                denied_by=denial.denied_by,
                log_type_id=UNMAPPED if ask is None else ask.log_type_id,
                channel="api" if ask is None else ask.channel,
                method=attempt.method,
                path=attempt.path,
                ip=attempt.ip,
                limits=limits,
                retry_at_ms=retry_at_ms,
                is_shadow=is_shadow,
            )
        )
        return Refused(denial, limits, retry_at_ms)

    def _ask(self, attempt: Attempt, terms: _Terms, log_type_id: int, now_ms: int) -> Ask:
        key = terms.key
        if attempt.request_id is None:
            identity, fingerprint = own_identity(now_ms, self._random_bytes()), None
        else:
            identity = pack_identity("", attempt.request_id)
            told = (key.key_id, log_type_id, attempt.channel, attempt.hold_micro)
            fingerprint = content_digest(repr(told).encode())
        return Ask(
            key.profile_id,
            key.key_id,
            key.user_id,
            terms.scope,
            attempt.channel or key.channel,
            log_type_id,
            terms.hold_micro if attempt.hold_micro is None else attempt.hold_micro,
            "" if key.credits_cap_micro is None else key.family_id,
            terms.change_id,
            identity,
            fingerprint,
            attempt.expires_after_ms,
        )

    def _terms_of(
        self, key: ApiKey, log_type_id: int, channel: Channel | None, now_ms: int
    ) -> _Terms:
        kept, change_id = self._kept, self._directory.change_id
        if kept.change_id != change_id:
            kept = self._kept = _Kept(change_id, {})
        place = (key.key_id, log_type_id, channel)
        terms = kept.terms.get(place)
        if terms is None or now_ms >= terms.until_ms:
            # The caller may have found its key before the directory changed.
            key = self._directory.keys.get(key.key_id, key)
            terms = kept.terms[place] = self._worked_out(key, log_type_id, channel, now_ms)
        return terms

    def _worked_out(
        self, key: ApiKey, log_type_id: int, channel: Channel | None, now_ms: int
    ) -> _Terms:
        change_id = self._directory.changed(key.profile_id)
        workspace = self._directory.workspaces[key.profile_id]
        plan = self._directory.plans[workspace.plan_id_at(now_ms)]
        is_shared = workspace.is_quota_sharing_enabled and plan.is_quota_sharing_available
        # Where a key is used from is asked for every call.
        anywhere = key._replace(ip_ranges=None)
        ends = [
            key.expires_at_ms if key.status(now_ms) == "active" else None,
            self._tariff.next_ms(workspace, log_type_id, now_ms),
            *(from_ms for from_ms, _ in workspace.plans if from_ms > now_ms),
        ]
        return _Terms(
            key,
            workspace,
            denied_by_terms(
                anywhere, workspace, plan, log_type_id, channel or key.channel, now_ms, None
            ),
            plan.is_shadow,
            "" if is_shared else key.user_id,
            self._tariff.price(workspace, log_type_id, now_ms).hold_micro,
            change_id,
            min((end for end in ends if end is not None), default=NEVER_MS),
        )

    def _random_bytes(self) -> bytes:
        try:
            return self._random.pop()
        except IndexError:
            pooled = self._entropy.random_bytes(RANDOM_BYTES * _POOLED_IDS)
            parts = [pooled[at : at + RANDOM_BYTES] for at in range(0, len(pooled), RANDOM_BYTES)]
            mine = parts.pop()
            self._random.extend(parts)
            return mine
