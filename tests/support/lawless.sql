-- A database without foreign keys and checks, for this session, and with room for rows of no month.

set session_replication_role = replica;
set allow_system_table_mods = on;

do $$
declare
  rule record;
begin
  for rule in
    select conrelid::regclass as named, conname from pg_constraint
    where contype = 'c' and coninhcount = 0 and connamespace = 'public'::regnamespace
  loop
    execute format('alter table %s drop constraint %I', rule.named, rule.conname);
  end loop;
end
$$;

create table if not exists requests_else partition of requests default;
create table if not exists captures_else partition of captures default;
alter table requests_else owner to farebox;
alter table captures_else owner to farebox;
