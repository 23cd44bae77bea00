-- The login page offers an organization's providers: asked by everybody who opens it, before anybody is logged in.
create index identity_provider_offered on documents.identity_provider (tenant_id, id)
where data ->> 'deletedAt' is null and data -> 'settings' ->> 'isEnabled' = 'true';
