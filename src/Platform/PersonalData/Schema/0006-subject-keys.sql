-- One key a person (the data subject of what is sealed with it), made when something of theirs is first recorded. The row stays when the
-- key is destroyed: it tells that whatever is sealed for this person cannot be read any more, and that no new key may be made.
create table platform.subject_keys (
    tenant_id uuid not null,
    subject_id uuid not null,
    -- Under the master key.
    sealed_key bytea,
    created_at timestamptz not null default now(),
    erased_at timestamptz,
    primary key (tenant_id, subject_id),
    check ((sealed_key is null) = (erased_at is not null))
);
