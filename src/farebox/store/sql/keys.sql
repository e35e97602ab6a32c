-- Keys: the writes and reads of the admin API.

-- name: key_insert!
-- Keys: a new key.
insert into keys (
  key_id, profile_id, user_id, name, digest, masked_authentication, channel, created_at_ms,
  expires_at_ms, revoked_at_ms, rotated_from, family_id, ip_ranges, credits_cap_micro
) values (
  :key_id, :profile_id, :user_id, :name, :digest, :masked_authentication, :channel,
  :created_at_ms, :expires_at_ms, :revoked_at_ms, :rotated_from, :family_id, :ip_ranges,
  :credits_cap_micro
);

-- name: key_update!
-- Keys: all that can change of a key, but its cap and what it may call.
update keys set
  name = :name,
  expires_at_ms = :expires_at_ms,
  revoked_at_ms = :revoked_at_ms,
  ip_ranges = :ip_ranges
where key_id = :key_id;

-- name: key_cap_update!
-- Keys: another cap for a family.
update keys set credits_cap_micro = :credits_cap_micro
where profile_id = :profile_id and family_id = :family_id;

-- name: key_family
-- Keys: the ids of a family, the others of which follow a change of one's cap. By index.
select key_id from keys
where profile_id = :profile_id and family_id = :family_id order by key_id;

-- name: key_log_types_delete!
-- Keys: a key that may call every log type.
delete from key_log_types where profile_id = :profile_id and key_id = :key_id;

-- name: key_log_type_insert!
-- Keys: a log type that a key may call.
insert into key_log_types (profile_id, key_id, log_type_id)
values (:profile_id, :key_id, :log_type_id);

-- name: key_log_type_slugs
-- Keys: the log types that a key may call. By primary key.
select t.slug from key_log_types k
join log_types t on t.log_type_id = k.log_type_id
where k.profile_id = :profile_id and k.key_id = :key_id order by t.slug;

-- name: key_digest_count
-- Keys: whether a secret is in use already.
select count(*) from keys where digest = :digest;

-- name: key_mask_count
-- Keys: whether a mask is taken in a workspace.
select count(*) from keys
where profile_id = :profile_id and masked_authentication = :masked_authentication;
