-- Rows from before organizations could be suspended, as the document writes them now.
update documents.organization
set data = regexp_replace(data::text, '\}$', ',"suspendedAt":null}')::json
where not data::jsonb ? 'suspendedAt';
