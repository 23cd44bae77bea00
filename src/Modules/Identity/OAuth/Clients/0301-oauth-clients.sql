-- A client is known by its id alone, before the organization is.
create unique index oauth_client_id on documents.oauth_client (id);

-- Hashes of what confidential clients prove themselves with; after a rotation the older ones end by themselves.
create table identity.oauth_client_secrets (
    hash bytea primary key,
    tenant_id uuid not null,
    client_id uuid not null,
    created_at timestamptz not null,
    expires_at timestamptz
);
create index oauth_client_secrets_client on identity.oauth_client_secrets (client_id);
