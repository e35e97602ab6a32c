"""Share: how much of what is left one process may draw beforehand.

About what it needs in a second, at most an eighth of what is left, at least one unit: so no
process can lock much away, and near a limit units go one by one.
"""

from __future__ import annotations

PARTS = 8


def share(left: int, wanted: int, least: int = 1) -> int:
    """Units to hand out; none when there is not even the least that would be of use."""
    if wanted <= 0 or left < least:
        return 0
    return min(left, max(least, min(wanted, left // PARTS)))
