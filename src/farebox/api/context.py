"""The context: what the endpoints work with. The program's root makes one a process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from farebox.api.intake import Intake
from farebox.api.own_limit import OwnLimit
from farebox.api.self_record import SelfRecorder
from farebox.engine.clock import Clock
from farebox.engine.directory import Directory
from farebox.engine.entropy import Entropy
from farebox.engine.follower import Follower
from farebox.engine.gatekeeper import Gatekeeper
from farebox.engine.link import Link
from farebox.engine.reservation import Reservation
from farebox.engine.seal import Seal
from farebox.engine.secret import ProgramSecret
from farebox.service.admit import Admitter
from farebox.service.auditor import Auditor
from farebox.service.capture import CapturePolicy
from farebox.service.links import LinkToken
from farebox.service.metrics import Metrics
from farebox.service.numbers import Number
from farebox.service.readers import Readers
from farebox.service.record_queue import RecordQueue
from farebox.service.refusal_log import RefusalLog
from farebox.service.settle import Settler

Gather = Callable[[], Awaitable[list[Number]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One per process and event loop.

    Attributes:
        directory: kept young by `follower`.
        auditor: has the books audited.
        key_headers: in which an API key may come, in lower case, the preferred one first.
        is_webhook_private_allowed: whether webhooks may go to private addresses, and over http.
        secret: what the secrets that Farebox itself needs are derived from.
        base_url: where people reach the server, without a slash at its end.
        is_forward_auth_waiting: whether it answers only after the commit of what it lets through.
        is_legacy_rate_headers: whether answers carry `X-RateLimit-*` as well.
        log_query_ms: how long one query of the log may take.
        gather: gives the numbers of all workers of the machine; None where this is the only one.
    """

    directory: Directory
    follower: Follower
    readers: Readers
    link: Link
    intake: Intake
    self_recorder: SelfRecorder
    refusal_log: RefusalLog
    own_limit: OwnLimit
    gatekeeper: Gatekeeper
    admitter: Admitter
    settler: Settler
    record_queue: RecordQueue
    seal: Seal[Reservation]
    capture_policy: CapturePolicy
    clock: Clock
    entropy: Entropy
    metrics: Metrics
    auditor: Auditor
    secret: ProgramSecret
    link_seal: Seal[LinkToken]
    base_url: str
    is_webhook_private_allowed: bool
    key_headers: tuple[str, ...]
    is_forward_auth_waiting: bool
    is_legacy_rate_headers: bool
    log_query_ms: int
    gather: Gather | None = None
