-- One row for each Idempotency-Key of the last 24 hours. The answer is sealed: some answers hold a secret that is shown once.
create table platform.idempotent_requests (
    tenant_id uuid not null,
    actor text not null,
    route text not null,
    key text not null,
    -- SHA-256 of path, query and body: the same key with another request is a mistake.
    fingerprint bytea not null,
    -- The execution that owns the row.
    attempt uuid not null unique,
    request_id text not null,
    started_at timestamptz not null default now(),
    -- Set in the very transaction in which the execution records its first events.
    has_effect boolean not null default false,
    answer bytea,
    primary key (tenant_id, actor, route, key)
);

create index idempotent_requests_by_age on platform.idempotent_requests (started_at);

-- Called in the transaction of an append: what an execution records that no longer owns its row must not be stored.
create function platform.mark_idempotent_effect(owner uuid) returns void language plpgsql as $$
begin
    update platform.idempotent_requests set has_effect = true where attempt = owner;
    if not found then
        raise exception 'another execution of this request has taken over' using errcode = 'VB002';
    end if;
end $$;
