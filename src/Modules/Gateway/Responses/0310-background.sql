-- What the response is called at its provider, where that is another id than the caller's.
alter table gateway.responses add column upstream_id text;

-- Responses that are made while nobody waits. A row comes with the intent of its call, so that it is found before anything is sent.
create table gateway.background_responses (
    tenant_id uuid not null,
    response_id text not null,
    inference_id uuid not null,
    -- Whose key seals the output.
    subject_id uuid not null,
    -- The stream of the decision to cancel it.
    cancellation_id uuid not null,
    instance_id uuid not null,
    is_streamed boolean not null,
    created_at timestamptz not null,
    -- The call is on its way.
    began_at timestamptz,
    -- Cancelled before its call had an outcome.
    cancelled_at timestamptz,
    -- Its instance ended before its call had an outcome.
    lost_at timestamptz,
    -- The stream's last event is written: nothing follows it.
    ended_at timestamptz,
    primary key (tenant_id, response_id)
);

create unique index background_responses_inference on gateway.background_responses (tenant_id, inference_id);
create index background_responses_running on gateway.background_responses (instance_id) where ended_at is null;

-- The events of streamed ones, several in a row as they came, sealed as bytes of server-sent events.
create table gateway.response_output (
    tenant_id uuid not null,
    response_id text not null,
    first_number int not null,
    last_number int not null,
    -- Empty when the person had been erased before.
    events bytea not null,
    primary key (tenant_id, response_id, first_number)
);
