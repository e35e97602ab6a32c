"""The parts of the program, made from its settings: what endpoints and pages work with."""

from __future__ import annotations

import sys
from functools import partial

from farebox import __version__
from farebox.api.context import Context
from farebox.api.intake import Intake
from farebox.api.own_limit import OwnLimit
from farebox.api.self_record import SelfRecorder
from farebox.core.instant import MS_PER_SECOND
from farebox.dashboard.desk import Desk
from farebox.dashboard.form import Marks
from farebox.dashboard.session import Sessions
from farebox.engine.clock import SteadyClock
from farebox.engine.directory import Directory
from farebox.engine.entropy import SystemEntropy
from farebox.engine.follower import Follower
from farebox.engine.gatekeeper import Gatekeeper
from farebox.engine.link import Link
from farebox.engine.paths import place_of
from farebox.engine.reservation import reservation_seal
from farebox.engine.secret import ProgramSecret
from farebox.engine.spawn import DATABASE_VARIABLE, recorder_process
from farebox.pages.facts import Facts, MetricFact, SettingFact
from farebox.service.admit import Admitter
from farebox.service.auditor import Auditor, audit
from farebox.service.capture import CapturePolicy
from farebox.service.links import link_seal
from farebox.service.metrics import METRICS, Metrics
from farebox.service.readers import Readers
from farebox.service.record import Packer
from farebox.service.record_queue import RecordQueue
from farebox.service.refusal_log import RefusalLog
from farebox.service.settle import Settler
from farebox.settings import SETTINGS, Settings, process_environment
from farebox.settings_now import settings_now
from farebox.store.database import Database


def make_context(settings: Settings) -> Context:
    """The parts that the endpoints work with. To be called where the event loop runs.

    Raises:
        StoreFaultError: there is no folder for the processes of this machine to meet in.
    """
    directory = Directory()
    entropy = SystemEntropy()
    metrics = Metrics()
    clock = SteadyClock()
    database = Database(settings.database)
    place = place_of(database, settings.runtime_dir)
    recorder = recorder_process(database, place, process_environment())
    link = Link(place, recorder, rows_waiting_max=settings.queue_rows)
    policy = CapturePolicy(settings.capture_bodies, settings.capture_bytes, settings.key_headers)
    secret = ProgramSecret(settings.secret, place, entropy)
    hold_ms = settings.reservation_seconds * MS_PER_SECOND
    gatekeeper = Gatekeeper(link, clock, entropy, hold_ms=hold_ms)
    refusal_log = RefusalLog(link, metrics, entropy)
    self_recorder = SelfRecorder(link, metrics)
    readers = Readers(database.open_reader)
    return Context(
        directory=directory,
        follower=Follower(directory, database.open_reader),
        readers=readers,
        link=link,
        intake=Intake(Packer(directory, entropy), link, clock, policy, metrics),
        self_recorder=self_recorder,
        refusal_log=refusal_log,
        own_limit=OwnLimit(settings.customer_requests_per_minute, readers.run, self_recorder.flush),
        gatekeeper=gatekeeper,
        admitter=Admitter(directory, gatekeeper, refusal_log, entropy),
        settler=Settler(directory, entropy),
        record_queue=RecordQueue(gatekeeper, metrics),
        seal=reservation_seal(secret.derive),
        capture_policy=policy,
        clock=clock,
        entropy=entropy,
        metrics=metrics,
        auditor=_auditor(settings),
        secret=secret,
        link_seal=link_seal(secret.derive),
        base_url=settings.base_url,
        is_webhook_private_allowed=settings.webhook_private,
        key_headers=settings.key_headers,
        is_forward_auth_waiting=settings.forward_auth_wait,
        is_legacy_rate_headers=settings.legacy_rate_headers,
        log_query_ms=settings.log_query_ms,
    )


def _auditor(settings: Settings) -> Auditor:
    """What has the books audited, by a process of its own."""
    # A password may be read there by the same user only; a command line by everyone.
    environment = {
        **process_environment(),
        DATABASE_VARIABLE: settings.database.reveal(),
        "FAREBOX_RUNTIME_DIR": str(settings.runtime_dir),
    }
    return Auditor(partial(audit, [sys.executable, "-m", "farebox", "audit"], environment))


def make_desk(context: Context, settings: Settings) -> Desk:
    """The parts that the pages of the dashboard work with."""
    return Desk(
        directory=context.directory,
        follower=context.follower,
        readers=context.readers,
        link=context.link,
        gatekeeper=context.gatekeeper,
        clock=context.clock,
        entropy=context.entropy,
        metrics=context.metrics,
        sessions=Sessions(
            context.secret, context.entropy, is_framed=bool(settings.frame_ancestors)
        ),
        marks=Marks(context.secret.derive),
        links=link_seal(context.secret.derive),
        auditor=context.auditor,
        settings=tuple(settings_now(settings)),
        base_url=settings.base_url,
        log_query_ms=context.log_query_ms,
        frame_ancestors=settings.frame_ancestors,
        is_https=settings.base_url.startswith("https:"),
    )


def facts(settings: Settings) -> Facts:
    """What the documentation tells of this installation."""
    return Facts(
        version=__version__,
        base_url=settings.base_url,
        key_headers=settings.key_headers,
        settings=tuple(SettingFact(s.name, s.default, s.help) for s in SETTINGS),
        metrics=tuple(MetricFact(m.name, m.kind, m.help) for m in METRICS),
    )
