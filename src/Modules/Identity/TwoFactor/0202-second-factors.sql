-- A person's second factor: the secret of their authenticator, sealed under the master key.
create table identity.second_factors (
    user_id uuid primary key,
    -- The person's home organization and the stream there that records what becomes of it.
    tenant_id uuid not null,
    stream_id uuid not null,
    secret bytea not null,
    -- Null until the person has proved that their authenticator has the secret.
    enabled_at timestamptz,
    -- The time step of the last code that was taken: no code is taken twice.
    last_step bigint not null default 0
);

create table identity.recovery_codes (
    user_id uuid not null references identity.second_factors on delete cascade,
    hash bytea not null,
    used_at timestamptz,
    primary key (user_id, hash)
);
