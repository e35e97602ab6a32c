-- Webhooks: endpoints, the outbox and its deliveries.

-- name: webhooks_wanting
-- Outbox: the endpoints that want an event. By primary key, the workspace's and the provider's.
select webhook_id from webhooks
where profile_id in (0, :profile_id) and disabled_at_ms is null and deleted_at_ms is null
  and (event_types is null or :event_type in (select value from json_each(event_types)))
order by webhook_id;

-- name: delivery_insert!
-- Outbox: a message for an endpoint, to be sent at once.
insert into deliveries (profile_id, message_id, webhook_id, at_ms, next_attempt_at_ms)
values (?1, ?2, ?3, ?4, ?5);

-- name: webhooks_due
-- Deliveries: endpoints for which something is due, but for those that are busy. A look into the
-- index for each endpoint, so that one with a long backlog hides no other.
select w.webhook_id, w.url, w.disabled_at_ms is not null or w.deleted_at_ms is not null as is_ended
from webhooks w
where w.webhook_id not in (select value from json_each(:busy)) and exists (
  select 1 from deliveries d
  where d.webhook_id = w.webhook_id and d.next_attempt_at_ms <= :now_ms)
order by (
  select min(d.next_attempt_at_ms) from deliveries d
  where d.webhook_id = w.webhook_id and d.next_attempt_at_ms is not null)
limit :count;

-- name: deliveries_forget!
-- Deliveries, now and then: those of one old message.
delete from deliveries where profile_id = ?1 and message_id = ?2;

-- name: webhook_messages_forget!
-- Deliveries, now and then: one old message.
delete from webhook_messages where profile_id = ?1 and message_id = ?2;
