-- The log of all events, its sequencer, and the home of documents. Every row leads with its tenant, so that tenants can
-- later be spread over several databases.
create schema if not exists documents;

create table platform.events (
    tenant_id uuid not null,
    stream_id uuid not null,
    version bigint not null,
    position bigint not null,
    time timestamptz not null,
    type_version smallint not null,
    stream_type text not null,
    type text not null,
    actor text not null,
    correlation text not null,
    data bytea not null,
    leaf_hash bytea not null,
    primary key (tenant_id, stream_id, version)
);

-- One event a position is what the log promises; the index also serves readers in log order.
create unique index events_position on platform.events (position);

-- "What did this actor do?" is the auditor's first question.
create index events_actor on platform.events (tenant_id, actor, position);

-- Streams by type are listed from their first events.
create index events_first_of_type on platform.events (tenant_id, stream_type, position) where version = 1;

-- Bodies of model calls compress well, and lz4 costs a tenth of pglz. Some builds of the server lack it.
do $$
begin
    alter table platform.events alter column data set compression lz4;
exception when feature_not_supported or invalid_parameter_value then
    null;
end $$;

-- Rows are only ever added: vacuum has nothing to clean here but must still freeze.
alter table platform.events set (autovacuum_vacuum_insert_scale_factor = 0.5);

-- The sequencer: one row, locked by the appending transaction. A commit becomes visible before its locks are released,
-- so whoever gets the lock sees every earlier position. It has no index on purpose: each version of the row may go to any page,
-- and the writer finds it by its ctid.
create table platform.log_head (
    position bigint not null,
    time timestamptz not null
) with (fillfactor = 50);

insert into platform.log_head values (0, '-infinity');

create function platform.refuse_second_head() returns trigger language plpgsql as $$
begin
    raise exception 'platform.log_head has exactly one row';
end $$;

create trigger one_head before insert or delete on platform.log_head
    for each row execute function platform.refuse_second_head();

-- Moves the head from one position to another, or fails when another writer was faster. Returns where the row now lies.
create function platform.advance_log(head_at tid, expected bigint, next bigint, at timestamptz) returns tid
language plpgsql as $$
declare
    moved tid;
begin
    update platform.log_head set position = next, time = at
        where ctid = head_at and position = expected
        returning ctid into moved;
    if moved is null then
        raise exception 'the head of the log is not at %', expected using errcode = 'VB001';
    end if;
    return moved;
end $$;

-- For a person with psql.
create view platform.readable_events as
    select position, time, tenant_id, stream_type, stream_id, version, type, type_version, actor, correlation,
        convert_from(data, 'UTF8')::jsonb as data, encode(leaf_hash, 'hex') as leaf_hash
    from platform.events;
