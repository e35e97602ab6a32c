-- Tokens: the writes and reads of the admin API.

-- name: token_insert!
-- Tokens: a new token.
insert into tokens (token_id, name, scope, digest, created_at_ms, revoked_at_ms)
values (:token_id, :name, :scope, :digest, :created_at_ms, :revoked_at_ms);

-- name: token_revoke!
-- Tokens: the end of one; ended again it keeps its first end.
update tokens set revoked_at_ms = :revoked_at_ms
where token_id = :token_id and revoked_at_ms is null;

-- name: token_revive!
-- Tokens, at a start: a configured one is configured again.
update tokens set revoked_at_ms = null where token_id = :token_id;

-- name: token_last_action
-- Tokens, of a revoked one: what was done to it last. Reads back to there; a start may take that.
select action from changes where kind = 'token' and ref = :token_id
order by change_id desc limit 1;

-- name: token_get
-- Tokens: one by its id.
select token_id, name, scope, digest, created_at_ms, revoked_at_ms from tokens
where token_id = :token_id;

-- name: token_of_digest
-- Tokens: one by its digest, whatever its state.
select token_id, name, scope, digest, created_at_ms, revoked_at_ms from tokens
where digest = :digest;

-- name: tokens_active
-- Tokens: those for administration that work.
select token_id, name, scope, digest, created_at_ms, revoked_at_ms from tokens
where scope = 'admin' and revoked_at_ms is null order by created_at_ms, token_id;

-- name: tokens_page
-- Tokens: a page of the list, the oldest first.
select token_id, name, scope, digest, created_at_ms, revoked_at_ms from tokens
where (created_at_ms, token_id) > (:after_ms, :after_id)
order by created_at_ms, token_id limit :count;
