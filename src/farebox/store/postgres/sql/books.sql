-- Purses, periods and expiries: what the recorder knows of workspaces' credits. `profile_ids` are
-- JSON lists. Balances are sums over all slots.

-- name: purse_grants
-- Books, for workspaces in use: grants with credits left or drawn. By primary key.
select g.profile_id, g.grant_id, g.kind, g.priority, g.created_at_ms, g.expires_at_ms,
  a.credits_micro - a.debits_micro as left_micro, d.drawn_micro
from grants g
join accounts a on a.profile_id = g.profile_id and a.account = 'grant:' || g.grant_id
  and a.slot = 0
cross join lateral (
  select coalesce(sum(credits_micro - debits_micro), 0)::bigint as drawn_micro from accounts
  where profile_id = g.profile_id and account = 'drawn:' || g.grant_id
) d
where g.profile_id = any(array(select jsonb_array_elements_text(:profile_ids::text::jsonb)::bigint))
  and (a.credits_micro > a.debits_micro or d.drawn_micro > 0)
order by g.profile_id, g.grant_id;

-- name: purses
-- Books, for workspaces in use: what they owe, and the period opened last, if there is one.
select w.profile_id, coalesce(o.debits_micro - o.credits_micro, 0) as owed_micro, w.due_ms,
  p.start_ms, p.end_ms, p.plan_id, p.plan_micro
from workspaces w
left join accounts o on o.profile_id = w.profile_id and o.account = 'overdraft' and o.slot = 0
left join lateral (
  select start_ms, end_ms, plan_id, plan_micro from periods
  where profile_id = w.profile_id order by start_ms desc limit 1
) p on true
where w.profile_id
  = any(array(select jsonb_array_elements_text(:profile_ids::text::jsonb)::bigint));

-- name: periods_add!
-- Journal, before each commit that moved credits: what it adds to periods, one row each.
insert into period_sums as kept (
  profile_id, start_ms, slot, granted_micro, expired_micro, charged_micro, corrected_micro
)
select profile_id, start_ms, current_setting('farebox.slot')::smallint, granted, expired, charged,
  corrected
from unnest(
  :c1::bigint[], :c2::bigint[], :c3::bigint[], :c4::bigint[], :c5::bigint[], :c6::bigint[]
) as added (profile_id, start_ms, granted, expired, charged, corrected)
on conflict (profile_id, start_ms, slot) do update set
  granted_micro = kept.granted_micro + excluded.granted_micro,
  expired_micro = kept.expired_micro + excluded.expired_micro,
  charged_micro = kept.charged_micro + excluded.charged_micro,
  corrected_micro = kept.corrected_micro + excluded.corrected_micro;

-- name: dues_put!
-- Books, before commits that bring a due instant forward or pass one. By primary key.
update workspaces w set due_ms = told.due_ms
from unnest(:c1::bigint[], :c2::bigint[]) as told (profile_id, due_ms)
where w.profile_id = told.profile_id;

-- name: top_ups_of
-- Top-ups, for workspaces in use: the marks that they have set, where they are on.
select profile_id, auto_top_up_credit_micro, auto_top_up_balance_fall_below_micro,
  is_auto_top_up_granted
from workspaces
where profile_id = any(array(select jsonb_array_elements_text(:profile_ids::text::jsonb)::bigint))
  and is_auto_top_up_credits_enabled = 1;
