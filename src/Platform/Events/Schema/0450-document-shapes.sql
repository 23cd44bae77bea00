-- What the rows of a document looked like when they were last made by a build: another shape, and they are folded anew at the start.
create table platform.document_shapes (
    stream_type text collate "C" primary key,
    shape text not null,
    folded_at timestamptz not null
);
