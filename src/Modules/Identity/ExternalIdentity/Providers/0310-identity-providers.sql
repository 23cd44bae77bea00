-- What this server proves itself with at a provider, sealed under the master key.
create table identity.identity_provider_secrets (
    provider_id uuid primary key,
    tenant_id uuid not null,
    sealed_secret bytea not null
);

-- Providers are looked up by id alone, before anybody is logged in.
create unique index identity_provider_id on documents.identity_provider (id);

-- Who a provider's people are here: by keyed hashes of their subject and address.
create table identity.external_identities (
    provider_id uuid not null,
    subject_hash bytea not null,
    tenant_id uuid not null,
    user_id uuid not null,
    email_hash bytea not null,
    primary key (provider_id, subject_hash)
);
create index external_identities_by_user on identity.external_identities (user_id);
create index external_identities_by_email on identity.external_identities (tenant_id, email_hash);
