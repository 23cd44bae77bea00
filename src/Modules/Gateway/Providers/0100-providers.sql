-- What this server proves itself with at a provider, sealed under the master key.
create table gateway.provider_credentials (
    provider_id uuid primary key,
    tenant_id uuid not null,
    sealed_credential bytea not null
);

-- A name is given once in an organization, and is free again when what bore it is deleted.
create unique index provider_name on documents.provider (tenant_id, (data -> 'terms' ->> 'name'))
    where (data ->> 'deletedAt') is null;
create unique index deployment_name on documents.deployment (tenant_id, (data -> 'terms' ->> 'name'))
    where (data ->> 'deletedAt') is null;
create unique index model_name on documents.model (tenant_id, (data -> 'terms' ->> 'name'))
    where (data ->> 'deletedAt') is null;

-- Deployments of a provider.
create index deployment_provider on documents.deployment (tenant_id, (data -> 'terms' ->> 'providerId'));

-- The first start looks for models on this machine, and no later one does.
create table gateway.first_look (
    done boolean primary key check (done),
    at timestamptz not null
);
