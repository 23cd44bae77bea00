-- Work that is done once, later or now. A job is waiting, then running under a lease, then done, cancelled, discarded, or dead.
create table platform.jobs (
    tenant_id uuid not null,
    id uuid not null,
    type text collate "C" not null,
    queue text collate "C" not null,
    -- Ids and numbers. Never personal data: nothing here is erased with a person.
    payload text not null,
    -- Of jobs of one type with the same key only one is not finished.
    unique_key text,
    priority integer not null,
    due_at timestamptz not null,
    status text not null default 'waiting'
        check (status in ('waiting', 'running', 'done', 'cancelled', 'dead', 'discarded')),
    attempts integer not null default 0,
    -- Grows each time that the job is taken: an instance that was thought dead cannot finish it any more.
    epoch bigint not null default 0,
    holder uuid,
    lease_until timestamptz,
    cancel_requested_at timestamptz,
    reason text,
    actor text not null,
    correlation text not null,
    enqueued_at timestamptz not null default clock_timestamp(),
    started_at timestamptz,
    finished_at timestamptz,
    primary key (tenant_id, id)
);

create unique index jobs_unique_key on platform.jobs (tenant_id, type, unique_key) where status in ('waiting', 'running');
create index jobs_waiting on platform.jobs (queue, priority desc, due_at) where status = 'waiting';
create index jobs_running on platform.jobs (lease_until) where status = 'running';
create index jobs_finished on platform.jobs (finished_at) where status in ('done', 'cancelled', 'discarded');

-- The last statement of a job's transaction. It fails, and the transaction with it, when another instance has taken the job over.
create function platform.finish_job(tenant uuid, job uuid, holder_epoch bigint) returns void language plpgsql as $$
begin
    update platform.jobs
        set status = 'done', finished_at = clock_timestamp(), holder = null, lease_until = null, reason = null
        where tenant_id = tenant and id = job and epoch = holder_epoch and status = 'running';
    if not found then
        raise exception 'another instance has taken the job over' using errcode = 'VB003';
    end if;
end $$;

-- Called in the transaction that records the decision.
create function platform.decide_job(tenant uuid, job uuid, from_status text, verb text) returns void language plpgsql as $$
begin
    case
        when verb = 'retry' and from_status = 'dead' then
            update platform.jobs set status = 'waiting', attempts = 0, due_at = clock_timestamp(), finished_at = null,
                cancel_requested_at = null
                where tenant_id = tenant and id = job and status = 'dead';
        when verb = 'discard' and from_status = 'dead' then
            update platform.jobs set status = 'discarded', finished_at = clock_timestamp()
                where tenant_id = tenant and id = job and status = 'dead';
        when verb = 'cancel' and from_status = 'waiting' then
            update platform.jobs set status = 'cancelled', finished_at = clock_timestamp(),
                cancel_requested_at = clock_timestamp()
                where tenant_id = tenant and id = job and status = 'waiting';
        when verb = 'cancel' and from_status = 'running' then
            update platform.jobs set cancel_requested_at = coalesce(cancel_requested_at, clock_timestamp())
                where tenant_id = tenant and id = job and status = 'running';
        else
            raise exception 'a % job cannot be told to %', from_status, verb using errcode = 'VB004';
    end case;
    if not found then
        raise exception 'the job has gone on meanwhile' using errcode = 'VB004';
    end if;
end $$;
