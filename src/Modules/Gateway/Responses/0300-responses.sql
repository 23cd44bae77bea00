-- Where a response that may be asked for again is recorded. Written with the outcome of its call.
create table gateway.responses (
    tenant_id uuid not null,
    response_id text not null,
    owner_id uuid not null,
    inference_id uuid not null,
    deployment_id uuid not null,
    deleted_at timestamptz,
    primary key (tenant_id, response_id)
);
