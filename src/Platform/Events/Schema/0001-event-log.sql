-- The log of all events, its sequencer, and the home of documents. Every row leads with its tenant, so that tenants can
-- later be spread over several databases.
create schema if not exists documents;

-- Names and ids compare as bytes, whatever language the database was made for: indexes over them cost a fraction of the time.
create table platform.events (
    tenant_id uuid not null,
    stream_id uuid not null,
    version bigint not null,
    position bigint not null,
    time timestamptz not null,
    type_version smallint not null,
    stream_type text collate "C" not null,
    type text collate "C" not null,
    actor text collate "C" not null,
    correlation text collate "C" not null,
    data bytea not null,
    leaf_hash bytea not null,
    primary key (tenant_id, stream_id, version)
);

-- One event a position is what the log promises; the index also serves readers in log order, and its end is the counter.
create unique index events_position on platform.events (position);

-- Bodies of model calls compress well, and lz4 costs a tenth of pglz. Some builds of the server lack it.
do $$
begin
    alter table platform.events alter column data set compression lz4;
exception when feature_not_supported or invalid_parameter_value then
    null;
end $$;

-- Rows are only ever added: vacuum has nothing to clean here but must still freeze.
alter table platform.events set (autovacuum_vacuum_insert_scale_factor = 0.5);

-- The sequencer: one row, locked by every appending transaction. A commit becomes visible before its locks are released, so
-- whoever gets the lock sees every earlier position. The counter itself is the last row of the log: a counter kept in this row
-- would leave a dead version behind with each append, which nobody can remove while any transaction on the server is open.
create table platform.sequencer (
    is_only_row boolean primary key default true check (is_only_row),
    -- Grows when documents are repaired: a state that was loaded before then must not be the base of the next one.
    documents_generation bigint not null
);

insert into platform.sequencer (documents_generation) values (1);

-- For a person with psql. json, not jsonb: it takes every string that JSON has (jsonb refuses U+0000).
create view platform.readable_events as
    select position, time, tenant_id, stream_type, stream_id, version, type, type_version, actor, correlation,
        convert_from(data, 'UTF8')::json as data, encode(leaf_hash, 'hex') as leaf_hash
    from platform.events;
