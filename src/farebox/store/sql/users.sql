-- Users: the writes and reads of the admin API.

-- name: user_insert!
-- Users: a new user.
insert into users (user_id, profile_id, nickname, email, is_owner, created_at_ms)
values (:user_id, :profile_id, :nickname, :email, :is_owner, :created_at_ms);

-- name: user_update!
-- Users: all that can change of a user.
update users set nickname = :nickname, email = :email where user_id = :user_id;

-- name: user_get
-- Users: one of a workspace.
select user_id, profile_id, nickname, email, is_owner, created_at_ms from users
where user_id = :user_id and profile_id = :profile_id;

-- name: user_of_email
-- Users: who has an address in a workspace.
select user_id from users where profile_id = :profile_id and email = :email;

-- name: seats
-- Users and workspaces: the licences of a workspace and how many are in use.
select w.licences, (select count(*) from users u where u.profile_id = w.profile_id) as users
from workspaces w where w.profile_id = :profile_id;

-- name: users_page
-- Users: a page of the list, the oldest first.
select user_id, profile_id, nickname, email, is_owner, created_at_ms from users
where profile_id = :profile_id and (created_at_ms, user_id) > (:after_ms, :after_id)
order by created_at_ms, user_id limit :count;
