-- While a rotation's grace lasts a key has two secrets; the older one ends at this moment.
alter table identity.api_key_secrets add column valid_until timestamptz;
create index api_key_secrets_key on identity.api_key_secrets (tenant_id, api_key_id);

-- When a key was used last, to the minute. Not an event: it would be one a minute for every key that is in use, each the same, and none
-- could be told from the events of what the key was used for.
create table identity.api_key_uses (
    tenant_id uuid not null,
    api_key_id uuid not null,
    last_used_at timestamptz not null,
    primary key (tenant_id, api_key_id)
);

create index api_key_principal on documents.api_key (tenant_id, (data ->> 'principalId'));
create index api_key_project on documents.api_key (tenant_id, (data ->> 'projectId')) where data ->> 'projectId' is not null;

-- Rows from before service accounts, as the document writes them now.
update documents.api_key
set data = regexp_replace(
    replace(data::text, '"userId":', '"principalId":'),
    '\}$',
    ',"principalKind":"user","projectId":null,"allowedAddresses":[],"rotation":null}'
)::json
where data ->> 'principalId' is null;
