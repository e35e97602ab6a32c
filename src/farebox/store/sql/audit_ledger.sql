-- The audit of the ledger: what was recorded was charged, and the books follow from the transfers.
-- All run in the snapshot of the audit, and compare as it does. Amounts have the same columns:
-- commit_id and quarter name the place.

-- name: audit_commits_count
-- Audit, once.
select count(*) from commits;

-- name: audit_commits_missing
-- Audit, by workspace: commits that rows name and that don't exist.
select commit_id, count(*) over () as gaps
from (
  select commit_id from requests where profile_id = :profile_id
  union select commit_id from transfers where profile_id = :profile_id
  union select commit_id from corrections where profile_id = :profile_id
) named
where not exists (select 1 from commits c where c.commit_id = named.commit_id)
limit :limit;

-- name: audit_times
-- Audit, by workspace: movements at another time than their commit's. What ended or began by
-- itself was noticed later, so those kinds may lie before it.
select moved.commit_id, moved.kind, c.at_ms as expected_ms, moved.at_ms, count(*) over () as gaps
from (
  select commit_id, kind, at_ms from transfers where profile_id = :profile_id
  union all
  select commit_id, 'correction', at_ms from corrections where profile_id = :profile_id
) moved
join commits c on c.commit_id = moved.commit_id
where moved.at_ms > c.at_ms
  or (moved.at_ms < c.at_ms and moved.kind in ('charge', 'history', 'correction'))
limit :limit;

-- name: audit_by_commit
-- Audit, by workspace: the log by commit against the ledger.
select commit_id, null as quarter,
  cast(sum(micro) as bigint) as credits_micro,
  cast(sum(moved_micro) as bigint) as kept_credits_micro,
  count(*) over () as gaps
from (
  select commit_id, credits_micro as micro, 0 as moved_micro
  from requests where profile_id = :profile_id
  union all
  select commit_id, 0, amount_micro
  from transfers where profile_id = :profile_id and kind in ('charge', 'history')
) compared
group by commit_id
having sum(micro) <> sum(moved_micro)
limit :limit;

-- name: audit_charges
-- Audit, by workspace: the log by quarter hour of its commit against charges.
select null as zone_version, quarter, null as day, log_type_id, null as key_id, null as channel,
  cast(sum(n) as bigint) as requests, cast(sum(micro) as bigint) as credits_micro,
  max(ms) as last_ms, cast(sum(kept_n) as bigint) as kept_requests,
  cast(sum(kept_micro) as bigint) as kept_credits_micro,
  max(kept_ms) as kept_last_ms, count(*) over () as gaps
from (
  select c.at_ms / :quarter_ms as quarter, r.log_type_id, r.n, r.micro,
    0 as ms, 0 as kept_n, 0 as kept_micro, null as kept_ms
  from (
    select commit_id, log_type_id, count(*) as n, sum(credits_micro) as micro
    from requests where profile_id = :profile_id group by commit_id, log_type_id
  ) r
  left join commits c on c.commit_id = r.commit_id
  union all
  select quarter, log_type_id, 0, 0, null, requests, credits_micro, 0
  from charges where profile_id = :profile_id
) compared
group by quarter, log_type_id
having sum(n) <> sum(kept_n) or sum(micro) <> sum(kept_micro)
limit :limit;

-- name: audit_history
-- Audit, by workspace: what went to the account history against what charges say of it.
select null as commit_id, quarter,
  cast(sum(micro) as bigint) as credits_micro,
  cast(sum(kept_micro) as bigint) as kept_credits_micro,
  count(*) over () as gaps
from (
  select (
      select c.at_ms / :quarter_ms from commits c where c.commit_id = t.commit_id
    ) as quarter,
    amount_micro as micro, 0 as kept_micro
  from transfers t where profile_id = :profile_id and kind = 'history'
  union all
  select quarter, 0, credits_micro
  from charges where profile_id = :profile_id and is_history = 1
) compared
group by quarter
having sum(micro) <> sum(kept_micro)
limit :limit;

-- name: audit_corrections
-- Audit, by workspace: transfers of corrections by commit against corrections.
select commit_id, null as quarter,
  cast(sum(micro) as bigint) as credits_micro,
  cast(sum(kept_micro) as bigint) as kept_credits_micro,
  count(*) over () as gaps
from (
  select commit_id,
    case credit_account when 'spent' then amount_micro else -amount_micro end as micro,
    0 as kept_micro
  from transfers where profile_id = :profile_id and kind = 'correction'
  union all
  select commit_id, 0, credits_micro from corrections where profile_id = :profile_id
) compared
group by commit_id
having sum(micro) <> sum(kept_micro)
limit :limit;

-- name: audit_flows
-- Audit, by workspace: all transfers, summed by period, kind and accounts.
select (
    select max(p.start_ms) from periods p
    where p.profile_id = t.profile_id and p.start_ms <= t.at_ms
  ) as period_start_ms,
  kind, debit_account, credit_account, count(*) as transfers,
  cast(sum(amount_micro) as bigint) as amount_micro,
  min(amount_micro) as least_micro, min(at_ms) as first_ms, max(at_ms) as last_ms
from transfers t where profile_id = :profile_id
group by period_start_ms, kind, debit_account, credit_account;

-- name: audit_grants
-- Audit, by workspace.
select grant_id, kind, credits_micro, created_at_ms, expires_at_ms
from grants where profile_id = :profile_id;
