-- The statement of a period: what a provider invoices from.

-- name: statement_periods
-- Statement: all periods of a workspace, oldest first. By primary key; twelve a year.
select p.start_ms, p.end_ms, l.slug as plan, p.opening_micro, p.granted_micro, p.expired_micro,
  p.charged_micro, p.corrected_micro
from periods p
join plans l on l.plan_id = p.plan_id
where p.profile_id = :profile_id order by p.start_ms;
