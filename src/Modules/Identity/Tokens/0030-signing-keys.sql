create table identity.signing_keys (
    kid text primary key,
    -- A private JSON Web Key, sealed under the master key.
    sealed_key bytea not null,
    created_at timestamptz not null default now()
);
