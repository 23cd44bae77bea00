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

-- Called in the transaction of the event that says so; of two at once one fails.
create function platform.destroy_subject_key(tenant uuid, subject uuid, at timestamptz) returns void language plpgsql as $$
begin
    update platform.subject_keys set sealed_key = null, erased_at = at
        where tenant_id = tenant and subject_id = subject and erased_at is null;
    if not found then
        raise exception 'this person has no key that could be destroyed' using errcode = 'VB005';
    end if;
end $$;
