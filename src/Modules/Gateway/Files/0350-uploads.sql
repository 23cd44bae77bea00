-- What an instance was sending when it ended is looked for among the few that are on their way.
create index on documents.provider_file ((data ->> 'instance')) where data ->> 'status' = 'uploading';
