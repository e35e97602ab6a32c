-- The statement of a period: what a provider invoices from.

-- name: statement_periods
-- Statement: all periods of a workspace, oldest first. By primary key; twelve a year.
select p.start_ms, p.end_ms, l.slug as plan, p.opening_micro, m.granted_micro, m.expired_micro,
  m.charged_micro, m.corrected_micro
from periods p
join plans l on l.plan_id = p.plan_id
cross join lateral (
  select cast(coalesce(sum(s.granted_micro), 0) as bigint) as granted_micro,
    cast(coalesce(sum(s.expired_micro), 0) as bigint) as expired_micro,
    cast(coalesce(sum(s.charged_micro), 0) as bigint) as charged_micro,
    cast(coalesce(sum(s.corrected_micro), 0) as bigint) as corrected_micro
  from period_sums s where s.profile_id = p.profile_id and s.start_ms = p.start_ms
) m
where p.profile_id = :profile_id order by p.start_ms;
