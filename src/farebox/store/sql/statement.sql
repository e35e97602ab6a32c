-- The statement of a period: what a provider invoices from.

-- name: statement_first
-- Statement: when the first period began. By primary key.
select min(start_ms) from periods where profile_id = :profile_id;

-- name: statement_zones
-- Statement: the zones of a workspace through time.
select from_ms, timezone from workspace_zones
where profile_id = :profile_id order by zone_version;

-- name: statement_charges
-- Statement: charges of a period by log type, the largest first. By primary key.
select t.slug, t.name, cast(sum(c.requests) as bigint) as requests,
  cast(sum(c.credits_micro) as bigint) as credits_micro
from charges c
left join log_types t on t.log_type_id = c.log_type_id
where c.profile_id = :profile_id and c.quarter >= :first_quarter and c.quarter < :end_quarter
  and c.is_history = :is_history
group by c.log_type_id, t.slug, t.name
order by credits_micro desc, requests desc, t.slug nulls first;

-- name: statement_grants
-- Statement: grants of a period, oldest first. By transfers_listed.
select g.grant_id, g.kind, t.amount_micro, t.at_ms, g.expires_at_ms
from transfers t
join grants g on g.profile_id = t.profile_id
  and g.grant_id = cast(substr(t.credit_account, 7) as bigint)
where t.profile_id = :profile_id and t.at_ms >= :start_ms and t.at_ms < :end_ms
  and t.kind in ('grant', 'expiry', 'correction') and t.kind = 'grant'
order by t.at_ms, t.commit_id, t.ordinal limit :count;

-- name: statement_expiries
-- Statement: expiries of a period, oldest first. By transfers_listed.
select g.grant_id, g.kind, t.amount_micro, t.at_ms, g.expires_at_ms
from transfers t
join grants g on g.profile_id = t.profile_id
  and g.grant_id = cast(substr(t.debit_account, 7) as bigint)
where t.profile_id = :profile_id and t.at_ms >= :start_ms and t.at_ms < :end_ms
  and t.kind in ('grant', 'expiry', 'correction') and t.kind = 'expiry'
order by t.at_ms, t.commit_id, t.ordinal limit :count;

-- name: statement_corrections
-- Statement: corrections of a period, oldest first. By corrections_at_ms.
select correction_id, query_log_id, credits_micro, reason, at_ms from corrections
where profile_id = :profile_id and at_ms >= :start_ms and at_ms < :end_ms
order by at_ms, correction_id limit :count;
