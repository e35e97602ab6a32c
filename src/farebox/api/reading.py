"""Reading for the customer: what the store tells, named by what memory knows.

Another process may have made a plan or a log type, and used it, a moment before this one hears of
it. Then the directory catches up and the work is done once more: nothing is called unknown that
the store knows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from farebox.api.call import Call
from farebox.service.reading import DirectoryBehindError
from farebox.store.contract import Reader

Result = TypeVar("Result")


async def read(call: Call, work: Callable[[Reader], Result], *, own_seconds: float = 0) -> Result:
    """The result of some work that reads the caller's workspace alone; as `Readers.run`.

    Raises:
        DirectoryBehindError: even the directory of now doesn't know what the store names.
    """
    readers, profile_id = call.context.readers, call.caller.profile_id
    try:
        return await readers.run(work, profile_id=profile_id, own_seconds=own_seconds)
    except DirectoryBehindError:
        await call.context.follower.catch_up()
        return await readers.run(work, profile_id=profile_id, own_seconds=own_seconds)
