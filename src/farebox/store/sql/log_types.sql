-- Log types: the writes and reads of the admin API.

-- name: log_type_insert!
-- Log types: a new log type.
insert into log_types (log_type_id, slug, name, method, path, created_at_ms)
values (:log_type_id, :slug, :name, :method, :path, :created_at_ms);

-- name: log_type_update!
-- Log types: all that can change of a log type, but its prices.
update log_types set name = :name, method = :method, path = :path
where log_type_id = :log_type_id;

-- name: log_type_last
-- Log types: the last id.
select max(log_type_id) from log_types;

-- name: log_type_price_put!
-- Log types: the price from an instant on.
insert into log_type_prices (log_type_id, valid_from_ms, credits_micro, hold_micro)
values (:log_type_id, :valid_from_ms, :credits_micro, :hold_micro)
on conflict (log_type_id, valid_from_ms) do update set
  credits_micro = excluded.credits_micro, hold_micro = excluded.hold_micro;

-- name: log_type_of_slug
-- Log types: one by its slug.
select log_type_id, slug, name, method, path, created_at_ms from log_types where slug = :slug;

-- name: log_types_page
-- Log types: a page of the list, by primary key.
select log_type_id, slug, name, method, path, created_at_ms
from log_types where log_type_id > :after order by log_type_id limit :count;

-- name: log_type_prices_of
-- Log types: the prices of one, oldest first. By primary key.
select valid_from_ms, credits_micro, hold_micro from log_type_prices
where log_type_id = :log_type_id order by valid_from_ms;

-- name: log_type_paths
-- Log types: all templates, to find a tie.
select log_type_id, slug, method, path from log_types where path is not null order by log_type_id;

-- name: log_type_id_of_slug
-- Plans: which log type a price is for.
select log_type_id from log_types where slug = :slug;
