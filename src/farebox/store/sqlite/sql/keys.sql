-- Keys: the writes and reads of the admin API.

-- name: key_insert!
-- Keys: a new key.
insert into keys (
  key_id, profile_id, user_id, name, digest, masked_authentication, channel, created_at_ms,
  expires_at_ms, revoked_at_ms, rotated_from
) values (
  :key_id, :profile_id, :user_id, :name, :digest, :masked_authentication, :channel,
  :created_at_ms, :expires_at_ms, :revoked_at_ms, :rotated_from
);

-- name: key_update!
-- Keys: all that can change of a key.
update keys set name = :name, expires_at_ms = :expires_at_ms, revoked_at_ms = :revoked_at_ms
where key_id = :key_id;

-- name: key_get
-- Keys: one of a workspace.
select key_id, profile_id, user_id, name, digest, masked_authentication, channel, created_at_ms,
  expires_at_ms, revoked_at_ms, rotated_from
from keys where key_id = :key_id and profile_id = :profile_id;

-- name: key_digest_count
-- Keys: whether a secret is in use already.
select count(*) from keys where digest = :digest;

-- name: key_mask_count
-- Keys: whether a mask is taken in a workspace.
select count(*) from keys
where profile_id = :profile_id and masked_authentication = :masked_authentication;

-- name: keys_page
-- Keys: a page of the list, the oldest first.
select key_id, profile_id, user_id, name, digest, masked_authentication, channel, created_at_ms,
  expires_at_ms, revoked_at_ms, rotated_from
from keys
where profile_id = :profile_id and (created_at_ms, key_id) > (:after_ms, :after_id)
order by created_at_ms, key_id limit :count;
