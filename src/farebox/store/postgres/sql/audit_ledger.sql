-- The audit of the ledger: the order of commits, and what the books keep. Rows are summed over
-- slots.

-- name: audit_commits_order
-- Audit, once: commits before which time ran back. A connection takes 1,000 ids at once; only its
-- own are in the order of time.
select commit_id, before_ms, at_ms, count(*) over () as gaps
from (
  select commit_id, at_ms,
    lag(at_ms) over (partition by (commit_id - 1) / 1000 order by commit_id) as before_ms
  from commits
) compared
where at_ms < before_ms
limit :limit;

-- name: audit_corrected
-- Audit, by workspace: corrections of no log row.
select correction_id, upper(encode(query_log_id, 'hex')) as query_log_id, count(*) over () as gaps
from corrections c
where c.profile_id = :profile_id and not exists (
  select 1 from requests r
  where r.profile_id = c.profile_id and r.query_log_id = c.query_log_id
)
limit :limit;

-- name: audit_accounts
-- Audit, by workspace.
select account, cast(sum(debits_micro) as bigint) as debits_micro,
  cast(sum(credits_micro) as bigint) as credits_micro
from accounts where profile_id = :profile_id group by account;

-- name: audit_draws
-- Audit, by workspace: what all leases have drawn of each grant.
select case when scope ~ '^[0-9]{1,18}$' then cast(scope as bigint) else 0 end as grant_id,
  cast(sum(units) as bigint) as drawn_micro
from draws where profile_id = :profile_id and name = 'credits' group by scope;

-- name: audit_periods
-- Audit, by workspace.
select p.start_ms, p.end_ms, p.plan_micro, p.opening_micro, m.granted_micro, m.expired_micro,
  m.charged_micro, m.corrected_micro
from periods p
cross join lateral (
  select cast(coalesce(sum(s.granted_micro), 0) as bigint) as granted_micro,
    cast(coalesce(sum(s.expired_micro), 0) as bigint) as expired_micro,
    cast(coalesce(sum(s.charged_micro), 0) as bigint) as charged_micro,
    cast(coalesce(sum(s.corrected_micro), 0) as bigint) as corrected_micro
  from period_sums s where s.profile_id = p.profile_id and s.start_ms = p.start_ms
) m
where p.profile_id = :profile_id order by p.start_ms;
