"""Reading for the customer: what the store tells of the caller's own workspace."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from farebox.api.call import Call
from farebox.service.readers import read_own
from farebox.store.contract import Reader

Result = TypeVar("Result")


async def read(call: Call, work: Callable[[Reader], Result], *, own_seconds: float = 0) -> Result:
    """The result of some work, as `read_own`."""
    context, profile_id = call.context, call.caller.profile_id
    return await read_own(
        context.readers, context.follower, profile_id, work, own_seconds=own_seconds
    )
