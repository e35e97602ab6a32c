"""`profile_id`: optional in every customer call, and then the key's own workspace (SPEC 3.1).

One that isn't is refused with the same words whether or not it exists. It may stand in the body or,
for callers that have none, in the query string.
"""

from __future__ import annotations

import re

from farebox.api.call import Call
from farebox.core.errors import FOREIGN_PROFILE, INVALID_FIELD, FareboxError
from farebox.core.phrase import Phrase

FIELD = "profile_id"
_INTEGER = re.compile(r"-?\d{1,30}", re.ASCII)


def check_profile_id(call: Call) -> None:
    """Refuse a call for another workspace.

    Raises:
        FareboxError: 400.
    """
    named = [getattr(call.decoded_body, FIELD, None)]
    named += [_integer(text) for text in call.request.query_params.getlist(FIELD)]
    if any(profile_id not in {None, call.caller.profile_id} for profile_id in named):
        raise FareboxError(FOREIGN_PROFILE)


def _integer(text: str) -> int | None:
    if not text:
        return None
    if not _INTEGER.fullmatch(text):
        raise FareboxError(INVALID_FIELD, field=FIELD, expected=Phrase("an integer"))
    return int(text)
