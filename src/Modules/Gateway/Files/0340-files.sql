-- A request names files by the ids that their providers gave them.
create index on documents.provider_file (tenant_id, (data ->> 'upstreamId'));
