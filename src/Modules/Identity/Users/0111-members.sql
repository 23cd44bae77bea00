-- Rows from before people could be suspended and say something about themselves, as the document writes them now.
update documents.user
set data = regexp_replace(
    data::text,
    '\}$',
    ',"suspendedAt":null,"removedAt":null,"displayName":null,"locale":null,"timeZone":null,"preferences":null}'
)::json
where data::jsonb ? 'removedAt' is not true;

-- Fails with VB100 when the organization has no administrator left who can act. It runs in the transaction of the append that takes one away,
-- after the person's row was written and under the log's lock, so that of two who take the last two away one is refused.
create function identity.keep_an_administrator(organization uuid) returns void
language plpgsql as $$
begin
    if not exists (
        select from documents.user
        where tenant_id = organization and data ->> 'role' = 'admin'
            and data ->> 'suspendedAt' is null and data ->> 'removedAt' is null
    ) then
        raise exception 'the organization would have no administrator' using errcode = 'VB100';
    end if;
end $$;
