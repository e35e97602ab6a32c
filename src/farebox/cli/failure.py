"""Failures of a command: one clear line on stderr, and an exit status.

1 is that it failed, 2 that it was asked wrongly: a field that can't be, as well as an option that
isn't there.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Final

from farebox.core.errors import FareboxError
from farebox.core.key import strike_out
from farebox.settings import SettingsError
from farebox.store.contract import QueryTimeoutError, StoreFaultError

FAILED: Final = 1
WRONG_USAGE: Final = 2
_WRONG_STATUSES = (400, 413, 415, 422)


class CliError(Exception):
    """A command can't be done; the message says why and what would help."""


def exit_status(error: FareboxError) -> int:
    """The exit status for an error of Farebox's own."""
    return WRONG_USAGE if error.kind.status in _WRONG_STATUSES else FAILED


def tell(message: str) -> None:
    """One line on stderr; what looks like a secret of ours is struck out, whatever it was in."""
    sys.stderr.write(f"farebox: {strike_out(message)}\n")


def told(work: Callable[[], int]) -> int:
    """The exit status of some work; what went wrong is told in one line for each thing."""
    try:
        return work()
    except SettingsError as error:
        for problem in error.problems:
            tell(problem)
        return WRONG_USAGE
    except FareboxError as error:
        # Whoever runs commands is told what a caller of the API is not.
        tell(error.internal or error.message)
        return exit_status(error)
    except (CliError, StoreFaultError, QueryTimeoutError) as error:
        tell(str(error))
        return FAILED
