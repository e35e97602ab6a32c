"""Cap use: what the keys of a family have used of their cap in the open period.

It counts what the cap itself counts: the credits of the requests whose time lies in the period.
"""

from __future__ import annotations

from collections.abc import Iterable

from farebox.core.calendar import Window
from farebox.core.workspace import ApiKey
from farebox.engine.report_zone import report_zone
from farebox.engine.usage import Wanted, Whose, count_windows
from farebox.service.credits_now import credits_now
from farebox.service.reading import snapshot
from farebox.store.contract import Reader


def read_cap_use(
    reader: Reader, profile_id: int, keys: Iterable[ApiKey], now_ms: int
) -> dict[str, int]:
    """Micro-credits by family, of those of a workspace's keys that have a cap."""
    capped = (key.family_id for key in keys if key.credits_cap_micro is not None)
    families = list(dict.fromkeys(capped))
    if not families:
        return {}
    period = credits_now(reader, profile_id, now_ms).period
    window = Window(period.start_ms, period.end_ms)
    with snapshot(reader):
        zone = report_zone(reader, profile_id)
        wanted = [Wanted(Whose(profile_id, None, one), zone, window) for one in families]
        counts = count_windows(reader, wanted)
    return {family: one.credits_micro for family, one in zip(families, counts, strict=True)}
