"""One call with its headers and bodies, as they are kept where capturing is on.

The made-up traffic has none; this one gives the detail of a log entry something to show.
"""

from __future__ import annotations

import msgspec

from farebox.contract.wire import ENCODER, JSON
from farebox.core.identity import content_digest
from farebox.core.request import Capture, MeteredRequest
from farebox.core.workspace import ApiKey
from farebox.demo.callers import CALLERS
from farebox.demo.endpoints import PEOPLE_SEARCH
from farebox.demo.replay import AUTHENTICATION_TYPE, SOURCE
from farebox.demo.sample_api import Search, find_people
from farebox.service.capture import CapturePolicy
from farebox.service.record import Draft, Packer

REQUEST_ID = "captured"
DURATION_MS = 187
POLICY = CapturePolicy(is_on=True, bytes_max=16_384, key_headers=(AUTHENTICATION_TYPE,))


def captured_call(packer: Packer, key: ApiKey, now_ms: int) -> tuple[MeteredRequest, Capture]:
    """A people search of a key at `now_ms`."""
    search = Search(query="data engineer", location="Berlin")
    response_body = ENCODER.encode({"data": find_people(search).data}).decode()
    draft = Draft(
        request_id=REQUEST_ID,
        source=SOURCE,
        content=content_digest(REQUEST_ID.encode()),
        key=key,
        log_type=PEOPLE_SEARCH.slug,
        time_ms=now_ms,
        method=PEOPLE_SEARCH.method,
        path=PEOPLE_SEARCH.path,
        status_code=200,
        duration_ms=DURATION_MS,
        response_size=len(response_body.encode()),
        ip=CALLERS[0].ips[0],
        channel=None,
        credits_micro=None,
        authentication_type=AUTHENTICATION_TYPE,
    )
    row = packer.pack(draft, now_ms, is_import=True)
    headers = {
        AUTHENTICATION_TYPE: key.masked_authentication,
        "content-type": JSON,
        "user-agent": "acme-crm/4.2",
    }
    request_body = msgspec.json.encode(search).decode()
    capture = POLICY.capture(row, headers, request_body, response_body)
    assert capture is not None
    return row, capture
