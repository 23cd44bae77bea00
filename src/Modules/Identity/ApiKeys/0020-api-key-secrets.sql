-- Found by the hash of what the caller sends, before the tenant is known.
create table identity.api_key_secrets (
    hash bytea primary key,
    tenant_id uuid not null,
    api_key_id uuid not null
);
