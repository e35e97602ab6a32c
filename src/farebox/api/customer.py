"""The customer endpoints: quota windows, credits, profile, user and keys (SPEC 3.4 to 3.6).

Each reads one use case on a reader thread and gives it the contract's form there, so that the event
loop does neither. The reports and the log have files of their own.
"""

from __future__ import annotations

from farebox.api.call import Answer, Call, Handler
from farebox.api.customer_forms import (
    filters_metadata,
    key_data,
    profile_data,
    profile_usage,
    quotas_answer,
    user_data,
)
from farebox.api.reading import read
from farebox.contract import keys, profile, quotas
from farebox.contract.keys import KeysAnswer
from farebox.contract.profile import (
    ProfileAnswer,
    ProfileRequest,
    ProfileUsageAnswer,
    UserAnswer,
)
from farebox.contract.wire import ENCODER
from farebox.core.calendar import zone_of
from farebox.service.keys_list import list_keys
from farebox.service.profile import read_profile
from farebox.service.profile_usage import read_profile_usage
from farebox.service.quotas import read_quotas
from farebox.store.contract import Reader


async def get_profile_usage(call: Call) -> Answer:
    """`/profile/usage`."""
    caller, directory = call.caller, call.context.directory

    def work(reader: Reader) -> bytes:
        usage = read_profile_usage(
            reader, directory, caller.workspace, caller.user.user_id, call.now_ms
        )
        return ENCODER.encode(ProfileUsageAnswer(profile_usage(usage)))

    return await read(call, work)


async def get_profile(call: Call) -> Answer:
    """`/profile`."""
    workspace, directory = call.caller.workspace, call.context.directory
    held = call.context.gatekeeper.held

    def work(reader: Reader) -> bytes:
        found = read_profile(reader, directory, workspace, call.now_ms, held)
        return ENCODER.encode(ProfileAnswer(profile_data(found)))

    return await read(call, work)


async def get_user(call: Call) -> Answer:
    """`/user`, from memory."""
    return UserAnswer(user_data(call.caller.user))


async def get_quotas(call: Call) -> Answer:
    """`/v1/quotas`."""
    workspace, directory = call.caller.workspace, call.context.directory
    held = call.context.gatekeeper.held

    def work(reader: Reader) -> bytes:
        found = read_quotas(reader, directory, workspace, call.now_ms, held)
        return ENCODER.encode(quotas_answer(found))

    return await read(call, work)


async def get_keys(call: Call) -> Answer:
    """`/api_keys`."""
    workspace, directory = call.caller.workspace, call.context.directory
    metadata = filters_metadata(call.body(ProfileRequest))
    zone = zone_of(workspace.timezone)

    def work(reader: Reader) -> bytes:
        listed = list_keys(reader, directory, workspace.profile_id)
        data = [key_data(one, zone, call.now_ms) for one in listed]
        return ENCODER.encode(KeysAnswer(metadata, data))

    return await read(call, work)


HANDLERS: dict[str, Handler] = {
    profile.USAGE.operation_id: get_profile_usage,
    profile.PROFILE.operation_id: get_profile,
    profile.USER.operation_id: get_user,
    quotas.QUOTAS.operation_id: get_quotas,
    keys.LIST.operation_id: get_keys,
}
