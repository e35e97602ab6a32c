-- Users and keys in memory: all, or one by its id. A blob such as x'' comes after every text, so
-- that both are a range of the primary key.

-- name: directory_users
-- Directory: all users, or one.
select user_id, profile_id, nickname, email, is_owner, created_at_ms from users
where user_id between coalesce(:user_id, '') and coalesce(:user_id, x'')
order by created_at_ms, user_id;

-- name: directory_keys
-- Directory: all keys, or one, each with what it may call (a JSON list, null is all).
select key_id, profile_id, user_id, name, digest, masked_authentication, channel, created_at_ms,
  expires_at_ms, revoked_at_ms, rotated_from, family_id, ip_ranges, credits_cap_micro, (
    select nullif(json_group_array(t.log_type_id), '[]') from key_log_types t
    where t.profile_id = keys.profile_id and t.key_id = keys.key_id) as log_type_ids
from keys
where key_id between coalesce(:key_id, '') and coalesce(:key_id, x'')
order by created_at_ms, key_id;
