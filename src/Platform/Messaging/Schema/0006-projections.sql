-- Projections: tables that a subscription makes of events. Each build is a table of its own with a subscription of its own,
-- <name>.<build>; readers use a view, which is turned from one build to the next when that has come as far.
create table platform.projections (
    name text primary key,
    -- What the view shows. Build 0 is an empty table: what there is before the first event.
    live_build integer not null default 0,
    rebuild_requested_at timestamptz
);

create table platform.projection_builds (
    name text not null references platform.projections on delete cascade,
    build integer not null,
    -- The version of the projection that makes it: only an instance that has this version works on it.
    version integer not null,
    created_at timestamptz not null default clock_timestamp(),
    -- Its subscription is gone, and its table goes.
    removed_at timestamptz,
    primary key (name, build)
);
