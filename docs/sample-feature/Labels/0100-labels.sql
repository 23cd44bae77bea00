-- The table documents.label is there already: it comes with the document. A name is given once in an organization.
create unique index label_name on documents.label (tenant_id, (data ->> 'name'));

-- Which calls were filed under a label.
create table gateway.labelled_calls (
    tenant_id uuid not null,
    label_id uuid not null,
    inference_id uuid not null,
    primary key (tenant_id, label_id, inference_id)
);
