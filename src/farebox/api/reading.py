"""Reading for the customer: what the store tells, named by what memory knows.

Another process may have made a plan or a log type, and used it, a moment before this one hears of
it. Then the directory catches up and the work is done once more: nothing is called unknown that
the store knows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from farebox.api.context import Context
from farebox.service.reading import DirectoryBehindError
from farebox.store.contract import Reader

Result = TypeVar("Result")


async def read(context: Context, work: Callable[[Reader], Result]) -> Result:
    """The result of some work that reads; as `Readers.run`.

    Raises:
        DirectoryBehindError: even the directory of now doesn't know what the store names.
    """
    try:
        return await context.readers.run(work)
    except DirectoryBehindError:
        await context.follower.catch_up()
        return await context.readers.run(work)
