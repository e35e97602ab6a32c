"""Faults to be planted in the books of `tests.service.audited`, and the checks that must name them.

Each changes one row of workspace 1 (or as little as keeps all the rest consistent) by direct SQL,
past the program and past the schema's own checks.
"""

from __future__ import annotations

from typing import NamedTuple

# A log row that is neither the last of its quarter hour's row nor corrected; a quarter hour's row
# that isn't the last of its day; a day; a charge; a grant that was given by hand.
LOG = "where profile_id = 1 and commit_id = 15"
QUARTER = "where profile_id = 1 and quarter = 1975536"
DAY = "where profile_id = 1 and zone_version = 2 and day = 20578 and requests > 1"
ONE_DAY = DAY + " and key_id = (select min(key_id) from keys where profile_id = 1)"
BUILT_DAY = "where profile_id = 1 and zone_version = 3 and day = 20538"
CHARGE = "where profile_id = 1 and commit_id = 32"
HISTORY = "where profile_id = 1 and kind = 'history'"
REPAY = "where profile_id = 1 and kind = 'repay'"
GRANT = "where profile_id = 1 and grant_id = 2"
PERIOD = "where profile_id = 1 and start_ms = 1780251300000"
CHARGED = "where profile_id = 1 and quarter = 1979376 and is_history = 0"
ALL_ROLLUPS = "quarters days day_log_types day_keys"
OTHER_KEY = "(select min(key_id) from keys where profile_id = 1)"


class Fault(NamedTuple):
    """What is done to a table, all the checks that see it, and the workspaces that they name."""

    table: str
    change: str
    checks: str
    whose: tuple[int | None, ...] = (1,)


FAULTS = (
    # The log: a row too few, a row too many, and each column.
    Fault("requests", f"delete from requests {LOG}", "identities quarters by_commit charges"),
    Fault(
        "requests",
        "insert into requests select profile_id, x'0123', commit_id, time_ms, key_id, log_type_id,"
        " channel, credits_micro, method, path, status_code, duration_ms, response_size, ip,"
        f" authentication_type from requests {LOG}",
        "log identities quarters by_commit charges",
    ),
    Fault(
        "requests",
        f"update requests set credits_micro = credits_micro + 1 {LOG}",
        "quarters by_commit charges",
    ),
    Fault("requests", f"update requests set time_ms = time_ms + 1 {LOG}", "log"),
    Fault(
        "requests",
        "update requests set time_ms = time_ms + 900000, query_log_id ="
        f" cast(unhex(printf('%012X', time_ms + 900000)) || zeroblob(10) as blob) {LOG}",
        "quarters",
    ),
    Fault("requests", f"update requests set query_log_id = zeroblob(16) {LOG}", "log"),
    Fault("requests", f"update requests set commit_id = 10 {LOG}", "by_commit"),
    Fault(
        "requests",
        f"update requests set commit_id = 1000 {LOG}",
        "commits by_commit charges",
    ),
    Fault("requests", f"update requests set key_id = {OTHER_KEY} {LOG}", "quarters"),
    Fault("requests", f"update requests set log_type_id = 1 {LOG}", "quarters charges"),
    Fault("requests", f"update requests set channel = 'portal' {LOG}", "quarters"),
    Fault(
        "requests",
        f"update requests set profile_id = 77 {LOG}",
        "workspaces identities quarters by_commit charges",
        (1, 77),
    ),
    # What stands beside the log.
    Fault(
        "identities",
        "delete from identities where profile_id = 1 and identity = (select identity"
        " from identities where profile_id = 1 order by identity limit 1)",
        "identities",
    ),
    Fault("identities", "insert into identities values (1, x'00', randomblob(16))", "identities"),
    Fault(
        "captures",
        "update captures set query_log_id = zeroblob(16) where profile_id = 1",
        "captures",
    ),
    Fault("keys", "delete from keys where key_id = (select min(key_id) from keys)", "names"),
    Fault("log_types", "delete from log_types where log_type_id = 2", "names", (1, 2)),
    Fault("workspaces", "delete from workspaces where profile_id = 1", "workspaces"),
    # Rollups.
    Fault("quarters", f"delete from quarters {QUARTER}", ALL_ROLLUPS),
    Fault("quarters", f"update quarters set requests = requests + 1 {QUARTER}", ALL_ROLLUPS),
    Fault(
        "quarters", f"update quarters set credits_micro = credits_micro - 1 {QUARTER}", ALL_ROLLUPS
    ),
    Fault("quarters", f"update quarters set last_ms = last_ms + 1 {QUARTER}", "quarters"),
    Fault("quarters", f"update quarters set quarter = quarter + 2 {QUARTER}", "quarters"),
    Fault("quarters", f"update quarters set quarter = 1000000000000 {QUARTER}", ALL_ROLLUPS),
    Fault(
        "quarters",
        f"update quarters set key_id = {OTHER_KEY} {QUARTER}",
        "quarters days day_keys",
    ),
    Fault(
        "quarters",
        f"update quarters set log_type_id = 1 {QUARTER}",
        "quarters days day_log_types",
    ),
    Fault("quarters", f"update quarters set channel = 'self' {QUARTER}", "quarters day_keys"),
    Fault(
        "quarters",
        f"update quarters set profile_id = 78 {QUARTER}",
        f"workspaces names {ALL_ROLLUPS}",
        (1, 78),
    ),
    *(
        Fault(table, f"{change} {where}", table)
        for table, where, columns in (
            ("days", ONE_DAY, ("log_type_id", "key_id")),
            ("day_log_types", DAY, ("log_type_id",)),
            ("day_keys", ONE_DAY, ("key_id", "channel")),
        )
        for change in (
            f"delete from {table}",
            f"update {table} set requests = requests - 1",
            f"update {table} set credits_micro = credits_micro + 1",
            f"update {table} set last_ms = last_ms - 1",
            f"update {table} set day = day + 1",
            f"update {table} set zone_version = 1",
            f"update {table} set zone_version = 4",
            *(f"update {table} set {column} = 3" for column in columns),
        )
    ),
    Fault("days", f"update days set requests = 9 {BUILT_DAY}", "days"),
    Fault("day_log_types", f"delete from day_log_types {BUILT_DAY}", "day_log_types"),
    Fault("day_keys", f"update day_keys set day = 1 {BUILT_DAY}", "day_keys"),
    # Zones.
    Fault(
        "workspace_zones",
        "update workspace_zones set built_quarter = 1970000 where profile_id = 1"
        " and zone_version = 3",
        "days day_log_types day_keys",
    ),
    Fault(
        "workspace_zones",
        "update workspace_zones set built_quarter = null where profile_id = 1 and zone_version = 3",
        "days day_log_types day_keys",
    ),
    Fault(
        "workspace_zones",
        "update workspace_zones set timezone = 'Pacific/Kiritimati' where profile_id = 1"
        " and zone_version = 2",
        "days day_log_types day_keys",
    ),
    Fault(
        "workspace_zones",
        "update workspace_zones set timezone = 'Mars/Base' where profile_id = 1"
        " and zone_version = 2",
        "zones",
    ),
    Fault(
        "workspace_zones",
        "update workspace_zones set from_ms = 1 where profile_id = 1 and zone_version = 3",
        "zones",
    ),
    Fault("workspaces", "update workspaces set timezone = 'UTC' where profile_id = 1", "zones"),
    Fault(
        "workspaces",
        "update workspaces set zone_version = 3 where profile_id = 1",
        "zones days day_log_types day_keys",
    ),
    # Commits; the seventh made a key and moved nothing.
    Fault(
        "commits",
        "update commits set at_ms = at_ms - 1 where commit_id = 7",
        "commits",
        (None,),
    ),
    Fault(
        "commits",
        "update commits set at_ms = at_ms + 1 where commit_id = 32",
        "commits times",
        (None, 1),
    ),
    Fault("commits", "delete from commits where commit_id = 32", "commits charges"),
    # The ledger.
    Fault(
        "transfers",
        f"update transfers set amount_micro = amount_micro + 1 {CHARGE}",
        "by_commit accounts periods",
    ),
    Fault(
        "transfers",
        f"update transfers set amount_micro = amount_micro + 1 {HISTORY}",
        "by_commit history accounts",
    ),
    Fault("transfers", f"delete from transfers {CHARGE}", "by_commit accounts periods"),
    Fault(
        "transfers",
        f"update transfers set amount_micro = 0 {REPAY}",
        "transfers accounts overdraft",
    ),
    Fault(
        "transfers",
        f"delete from transfers {REPAY};"
        " update accounts set credits_micro = 0 where profile_id = 1 and account = 'overdraft';"
        " update accounts set debits_micro = 0 where profile_id = 1 and account = 'grant:4'",
        "overdraft",
    ),
    Fault(
        "transfers",
        f"update transfers set amount_micro = amount_micro + 1 {REPAY};"
        " update accounts set credits_micro = credits_micro + 1 where profile_id = 1"
        " and account = 'overdraft';"
        " update accounts set debits_micro = debits_micro + 1 where profile_id = 1"
        " and account = 'grant:4'",
        "overdraft",
    ),
    Fault("transfers", f"update transfers set kind = 'gift' {REPAY}", "transfers"),
    Fault("transfers", f"update transfers set at_ms = at_ms - 1 {CHARGE}", "times"),
    Fault("transfers", f"update transfers set commit_id = 31, ordinal = 9 {CHARGE}", "by_commit"),
    Fault(
        "transfers",
        f"update transfers set debit_account = 'grant:4' {CHARGE}",
        "accounts",
    ),
    Fault(
        "accounts",
        "update accounts set debits_micro = debits_micro + 1 where profile_id = 1"
        " and account = 'issued'",
        "conservation accounts",
    ),
    Fault(
        "accounts",
        "update accounts set debits_micro = debits_micro + 1, credits_micro = credits_micro + 1"
        " where profile_id = 1 and account = 'spent'",
        "accounts",
    ),
    Fault(
        "accounts",
        "delete from accounts where profile_id = 1 and account = 'history'",
        "conservation accounts",
    ),
    Fault("grants", f"update grants set credits_micro = credits_micro + 1 {GRANT}", "grants"),
    Fault("grants", f"update grants set created_at_ms = created_at_ms + 1 {GRANT}", "grants"),
    Fault("grants", f"update grants set expires_at_ms = created_at_ms {GRANT}", "grants"),
    Fault("grants", f"update grants set kind = 'correction' {GRANT}", "grants"),
    Fault("grants", f"update grants set grant_id = 9 {GRANT}", "grants"),
    Fault("grants", f"delete from grants {GRANT}", "grants"),
    Fault(
        "grants",
        "update grants set expires_at_ms = expires_at_ms + 1 where profile_id = 1 and grant_id = 5",
        "grants",
    ),
    Fault("periods", f"update periods set start_ms = start_ms + 1 {PERIOD}", "transfers periods"),
    Fault("periods", f"delete from periods {PERIOD}", "transfers periods"),
    Fault(
        "periods",
        "delete from periods where profile_id = 1 and start_ms < 1780251300000",
        "transfers periods",
    ),
    Fault(
        "periods",
        "update periods set end_ms = end_ms - 1 where profile_id = 1 and start_ms < 1780251300000",
        "periods",
    ),
    *(
        Fault("periods", f"update periods set {column} = {column} + 1 {PERIOD}", "periods")
        for column in (
            "plan_micro",
            "opening_micro",
            "granted_micro",
            "expired_micro",
            "charged_micro",
            "corrected_micro",
        )
    ),
    Fault("charges", f"update charges set requests = requests + 1 {CHARGED}", "charges"),
    Fault("charges", f"update charges set credits_micro = credits_micro + 1 {CHARGED}", "charges"),
    Fault("charges", f"update charges set quarter = quarter + 1 {CHARGED}", "charges"),
    Fault("charges", f"update charges set log_type_id = 1 {CHARGED}", "charges"),
    Fault("charges", f"delete from charges {CHARGED}", "charges"),
    Fault("charges", "insert into charges values (1, 5, 1, 0, 0, 9)", "charges"),
    Fault(
        "quarters",
        "insert into quarters values (1, 5, 'k', 0, 'api', 0, 0, 0)",
        f"names {ALL_ROLLUPS}",
    ),
    Fault(
        "charges",
        f"update charges set credits_micro = credits_micro - 1 {CHARGED};"
        " update charges set credits_micro = credits_micro + 1 where profile_id = 1"
        " and is_history = 1",
        "history",
    ),
    Fault(
        "corrections",
        "update corrections set credits_micro = 1 where profile_id = 1 and correction_id = 1",
        "corrections",
    ),
    Fault(
        "corrections",
        "update corrections set query_log_id = zeroblob(16) where profile_id = 1"
        " and correction_id = 1",
        "corrections",
    ),
    Fault(
        "corrections",
        "update corrections set at_ms = at_ms + 1 where profile_id = 1 and correction_id = 1",
        "times",
    ),
    Fault(
        "corrections",
        "update corrections set commit_id = 15 where profile_id = 1 and correction_id = 1",
        "corrections",
    ),
    Fault(
        "corrections",
        "delete from corrections where profile_id = 1 and correction_id = 2",
        "corrections",
    ),
    # What is drawn.
    Fault(
        "draws",
        "insert into leases values (1, 1, 0, 0, 0, 1);"
        " insert into draws values (1, 1, 1, 'credits', '1', '', 0, null, 5)",
        "draws",
    ),
)
