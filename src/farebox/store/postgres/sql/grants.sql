-- Grants: the reads of the admin API; the books write them. Their accounts have the slot 0 alone.

-- name: grant_get
-- Grants: one of a workspace.
select g.grant_id, g.kind, g.credits_micro, a.credits_micro - a.debits_micro as left_micro,
  g.priority, g.created_at_ms, g.expires_at_ms
from grants g
join accounts a on a.profile_id = g.profile_id and a.account = 'grant:' || g.grant_id
  and a.slot = 0
where g.profile_id = :profile_id and g.grant_id = :grant_id;

-- name: grants_page
-- Grants: a page of the list, by primary key.
select g.grant_id, g.kind, g.credits_micro, a.credits_micro - a.debits_micro as left_micro,
  g.priority, g.created_at_ms, g.expires_at_ms
from grants g
join accounts a on a.profile_id = g.profile_id and a.account = 'grant:' || g.grant_id
  and a.slot = 0
where g.profile_id = :profile_id and g.grant_id > :after
order by g.grant_id limit :count;
