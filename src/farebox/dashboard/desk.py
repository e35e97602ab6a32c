"""The desk: what the pages work with. The program's root makes one a process."""

from __future__ import annotations

from dataclasses import dataclass

from farebox.dashboard.form import Marks
from farebox.dashboard.session import Sessions
from farebox.engine.clock import Clock
from farebox.engine.directory import Directory
from farebox.engine.entropy import Entropy
from farebox.engine.follower import Follower
from farebox.engine.gatekeeper import Gatekeeper
from farebox.engine.link import Link
from farebox.engine.seal import Seal
from farebox.service.auditor import Auditor
from farebox.service.links import LinkToken
from farebox.service.metrics import Metrics
from farebox.service.readers import Readers
from farebox.settings_now import SettingNow


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One per process and event loop.

    Attributes:
        directory: kept young by `follower`.
        sessions: the cookies.
        marks: what shows that a form came from our own page.
        links: what signs the provider's links, which begin with `base_url`.
        auditor: has the books audited.
        settings: as they count in this process.
        log_query_ms: how long one query of the log may take.
        frame_ancestors: the origins that may show the workspace's pages in a frame.
        is_https: whether the public address is one of https, whatever a proxy makes of it.
    """

    directory: Directory
    follower: Follower
    readers: Readers
    link: Link
    gatekeeper: Gatekeeper
    clock: Clock
    entropy: Entropy
    metrics: Metrics
    sessions: Sessions
    marks: Marks
    links: Seal[LinkToken]
    auditor: Auditor
    settings: tuple[SettingNow, ...]
    base_url: str
    log_query_ms: int
    frame_ancestors: tuple[str, ...]
    is_https: bool
