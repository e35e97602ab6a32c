-- Purses, periods and expiries: what the recorder knows of workspaces' credits. `profile_ids` are
-- JSON lists.

-- name: purse_grants
-- Books, for workspaces in use: grants with credits left or drawn. By primary key.
select g.profile_id, g.grant_id, g.kind, g.priority, g.created_at_ms, g.expires_at_ms,
  a.credits_micro - a.debits_micro as left_micro,
  coalesce(d.credits_micro - d.debits_micro, 0) as drawn_micro
from grants g
join accounts a on a.profile_id = g.profile_id and a.account = 'grant:' || g.grant_id
left join accounts d on d.profile_id = g.profile_id and d.account = 'drawn:' || g.grant_id
where g.profile_id in (select value from json_each(:profile_ids))
  and (a.credits_micro > a.debits_micro or d.credits_micro > d.debits_micro)
order by g.profile_id, g.grant_id;

-- name: purses
-- Books, for workspaces in use: what they owe, and the period opened last, if there is one.
select w.profile_id, coalesce(o.debits_micro - o.credits_micro, 0) as owed_micro, w.due_ms,
  p.start_ms, p.end_ms, p.plan_id, p.plan_micro
from workspaces w
left join accounts o on o.profile_id = w.profile_id and o.account = 'overdraft'
left join periods p on p.profile_id = w.profile_id
  and p.start_ms = (select max(start_ms) from periods where profile_id = w.profile_id)
where w.profile_id in (select value from json_each(:profile_ids));

-- name: periods_add!
-- Journal, before each commit that moved credits: what it adds to periods.
update periods set
  granted_micro = granted_micro + ?3,
  expired_micro = expired_micro + ?4,
  charged_micro = charged_micro + ?5,
  corrected_micro = corrected_micro + ?6
where profile_id = ?1 and start_ms = ?2;

-- name: dues_put!
-- Books, before commits that bring a due instant forward or pass one. By primary key.
update workspaces set due_ms = ?2 where profile_id = ?1;

-- name: top_ups_of
-- Top-ups, for workspaces in use: the marks that they have set, where they are on.
select profile_id, auto_top_up_credit_micro, auto_top_up_balance_fall_below_micro,
  is_auto_top_up_granted
from workspaces
where profile_id in (select value from json_each(:profile_ids))
  and is_auto_top_up_credits_enabled = 1;
