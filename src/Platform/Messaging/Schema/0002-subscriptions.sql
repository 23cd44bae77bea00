-- How far each subscription has come. The row is also its lease: whoever has it locked runs it.
create table platform.subscriptions (
    name text primary key,
    position bigint not null,
    updated_at timestamptz not null default now()
);
