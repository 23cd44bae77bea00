create schema if not exists identity;

-- One account an address, in the whole installation: a login names no organization.
create unique index user_email on documents.user (lower(data ->> 'email'));

-- Secrets are not events: an auditor reads those, and they are kept for ever.
create table identity.passwords (
    tenant_id uuid not null,
    user_id uuid not null,
    hash text not null,
    changed_at timestamptz not null default now(),
    primary key (tenant_id, user_id)
);
