create schema if not exists gateway;

-- The instances that take calls. Their advisory lock tells whether one lives; how long ago it was last heard of guards against a
-- connection that only broke.
create table gateway.instances (
    id uuid primary key,
    lock_key bigint not null,
    heartbeat_at timestamptz not null default now(),
    -- Every intent that this instance has not finished lies behind this position of the log.
    open_behind bigint not null
);
