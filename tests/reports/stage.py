"""A stage for report tests: workspaces whose requests are known, and their reports as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from farebox.api.customer_forms import breakdown_data, daily_data, profile_usage
from farebox.contract.wire import ENCODER
from farebox.core.calendar import EPOCH_ORDINAL
from farebox.core.request import UNMAPPED, Channel, MeteredRequest
from farebox.service.date_range import DateRange
from farebox.service.profile_usage import read_profile_usage
from farebox.service.usage_breakdown import usage_breakdown
from farebox.service.usage_daily import usage_daily
from farebox.service.usage_filters import usage_filters
from tests.reports.brute import Asked, Listed, Raw, World
from tests.support.harness import Harness
from tests.support.homes import Home

LOG_TYPES = {
    "people_search": "People Search",
    "company_search": "Company Search",
    "people_redeem": "Redeem People",
}


class Stage(Harness):
    """A harness with some log types, and two plans that differ in quota sharing."""

    def __init__(self, home: Home | Path) -> None:
        super().__init__(home)
        self.log_type_ids: dict[str | None, int] = {None: UNMAPPED}
        for slug, name in LOG_TYPES.items():
            self.log_type_ids[slug] = self.call(
                "log_types.create", slug=slug, name=name, credits=1
            ).log_type_id
        for is_shared in (False, True):
            self.call(
                "plans.create",
                slug=f"sharing-{is_shared}".lower(),
                name="Plan",
                credits_per_month=1000,
                is_quota_sharing_available=is_shared,
            )

    def known_as(self, raw: Raw, profile_id: int, request_id: str) -> MeteredRequest:
        """The request to be recorded for a raw one."""
        channel: Channel = "api" if raw.channel == "api" else "portal"
        return self.row(
            profile_id,
            raw.key_id,
            credits_micro=raw.credits_micro,
            log_type_id=self.log_type_ids[raw.slug],
            time_ms=raw.time_ms,
            channel="self" if raw.channel == "self" else channel,
            request_id=request_id,
        )

    def record_raw(self, profile_id: int, raws: Iterable[Raw]) -> None:
        """Record requests that are all different."""
        rows = [self.known_as(raw, profile_id, f"raw-{id(raw)}-{i}") for i, raw in enumerate(raws)]
        self.record(rows)

    def world(self, profile_id: int, requests: list[Raw]) -> World:
        """What the reports of a workspace must say, in the zone that they are in by now."""
        ((timezone,),) = self.select(
            "select z.timezone from workspace_zones z"
            " join workspaces using (profile_id, zone_version) where profile_id = ?",
            profile_id,
        )
        keys = [
            Listed(key.key_id, key.masked_authentication, key.revoked_at_ms is not None)
            for key in self.directory.keys_of(profile_id)
        ]
        return World(requests, keys, LOG_TYPES, ZoneInfo(timezone))

    def daily(self, profile_id: int, asked: Asked) -> dict[str, Any]:
        """The daily report as it leaves."""
        report = usage_daily(
            self.reader,
            self.directory,
            profile_id,
            _days(asked),
            usage_filters(self.directory, profile_id, asked.keys, asked.slugs),
            fill_gaps=asked.fill_gaps,
        )
        return as_json(daily_data(report))

    def breakdown(self, profile_id: int, asked: Asked) -> dict[str, Any]:
        """The breakdown as it leaves."""
        report, zone = usage_breakdown(
            self.reader,
            self.directory,
            profile_id,
            _days(asked),
            usage_filters(self.directory, profile_id, asked.keys, asked.slugs),
        )
        return as_json(breakdown_data(report, zone.zone))

    def profile_usage(self, profile_id: int, user_id: str, now_ms: int) -> dict[str, Any]:
        """The profile usage as it leaves."""
        workspace = self.directory.workspaces[profile_id]
        usage = read_profile_usage(self.reader, self.directory, workspace, user_id, now_ms)
        return as_json(profile_usage(usage))

    def imported_keys(self, profile_id: int, secrets: Sequence[str]) -> list[str]:
        """The ids of new keys with these secrets, of the workspace's owner."""
        return [self.key(profile_id, key=secret) for secret in secrets]


def as_json(struct: msgspec.Struct) -> dict[str, Any]:
    """What the JSON of a struct says, with exact numbers."""
    decoded: dict[str, Any] = json.loads(ENCODER.encode(struct), parse_float=Decimal)
    return decoded


def _days(asked: Asked) -> DateRange:
    return DateRange(
        asked.start.toordinal() - EPOCH_ORDINAL, asked.end.toordinal() - EPOCH_ORDINAL + 1
    )
