create schema if not exists identity;

-- Secrets are not events: an auditor reads those, and they are kept for ever.
create table identity.passwords (
    tenant_id uuid not null,
    user_id uuid not null,
    -- One account an address, in the whole installation: a login names no organization. The address itself is personal data; this is a
    -- keyed hash of it.
    email_hash bytea not null unique,
    hash text not null,
    changed_at timestamptz not null default now(),
    primary key (tenant_id, user_id)
);
