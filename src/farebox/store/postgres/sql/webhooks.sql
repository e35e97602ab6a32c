-- Webhooks: endpoints, the outbox and its deliveries.

-- name: webhooks_wanting
-- Outbox: the endpoints that want an event. By primary key, the workspace's and the provider's.
select webhook_id from webhooks
where profile_id in (0, :profile_id) and disabled_at_ms is null and deleted_at_ms is null
  and (event_types is null or cast(:event_type as text) in (
    select jsonb_array_elements_text(cast(event_types as jsonb))))
order by webhook_id;

-- name: delivery_insert!
-- Outbox: a message for an endpoint, to be sent at once.
insert into deliveries (profile_id, message_id, webhook_id, at_ms, next_attempt_at_ms)
select * from unnest(
  cast(:c1 as bigint[]), cast(:c2 as text[]), cast(:c3 as text[]), cast(:c4 as bigint[]),
  cast(:c5 as bigint[]));

-- name: webhooks_due
-- Deliveries: endpoints for which something is due, but for those that are busy. A look into the
-- index for each endpoint, so that one with a long backlog hides no other.
select w.webhook_id, w.url,
  cast(w.disabled_at_ms is not null or w.deleted_at_ms is not null as integer) as is_ended
from webhooks w
where w.webhook_id not in (select jsonb_array_elements_text(cast(:busy as jsonb))) and exists (
  select 1 from deliveries d
  where d.webhook_id = w.webhook_id and d.next_attempt_at_ms <= :now_ms)
order by (
  select min(d.next_attempt_at_ms) from deliveries d
  where d.webhook_id = w.webhook_id and d.next_attempt_at_ms is not null)
limit :count;

-- name: deliveries_forget!
-- Deliveries, now and then: those of old messages.
delete from deliveries d
using unnest(cast(:c1 as bigint[]), cast(:c2 as text[])) as old (profile_id, message_id)
where d.profile_id = old.profile_id and d.message_id = old.message_id;

-- name: webhook_messages_forget!
-- Deliveries, now and then: old messages.
delete from webhook_messages m
using unnest(cast(:c1 as bigint[]), cast(:c2 as text[])) as old (profile_id, message_id)
where m.profile_id = old.profile_id and m.message_id = old.message_id;
