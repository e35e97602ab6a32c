-- The audit of the ledger: the order of commits, and what the books keep.

-- name: audit_commits_order
-- Audit, once: commits before which time ran back.
select commit_id, before_ms, at_ms, count(*) over () as gaps
from (select commit_id, at_ms, lag(at_ms) over (order by commit_id) as before_ms from commits)
where at_ms < before_ms
limit :limit;

-- name: audit_corrected
-- Audit, by workspace: corrections of no log row.
select correction_id, hex(query_log_id) as query_log_id, count(*) over () as gaps
from corrections c
where c.profile_id = :profile_id and not exists (
  select 1 from requests r
  where r.profile_id = c.profile_id and r.query_log_id = c.query_log_id
)
limit :limit;

-- name: audit_accounts
-- Audit, by workspace.
select account, debits_micro, credits_micro from accounts where profile_id = :profile_id;

-- name: audit_draws
-- Audit, by workspace: what all leases have drawn of each grant.
select cast(scope as integer) as grant_id, sum(units) as drawn_micro
from draws where profile_id = :profile_id and name = 'credits' group by scope;

-- name: audit_periods
-- Audit, by workspace.
select start_ms, end_ms, plan_micro, opening_micro, granted_micro, expired_micro, charged_micro,
  corrected_micro
from periods where profile_id = :profile_id order by start_ms;
