-- A subscription is run by the instance that holds its lease. All times are this server's: no instance's clock is believed.
alter table platform.subscriptions
    add column lanes integer,
    add column holder uuid,
    -- Grows with each change of the holder. What was begun under an older one can never be committed.
    add column epoch bigint not null default 0,
    add column lease_until timestamptz,
    add column paused_at timestamptz;

-- A lane handles the events of some streams, in the order of the log, in transactions of its own. Its row is written when the holder
-- changes and when a handler fails, and is only locked by the transactions of handlers: a checkpoint in it would leave a dead version
-- behind with each batch, and nobody can remove those while any transaction on the server is open.
create table platform.subscription_lanes (
    name text not null references platform.subscriptions on delete cascade,
    lane integer not null,
    epoch bigint not null,
    -- The session that writes for the holder, so that a successor can end it, and with it whatever it had locked.
    session_pid integer,
    session_start timestamptz,
    -- The event that the handler fails at, if it does, and how often it has.
    failing_position bigint,
    failed_attempts integer not null default 0,
    failing_since timestamptz,
    failed_at timestamptz,
    failure text,
    primary key (name, lane)
);

-- How far each lane has come: its one row. The newest is at the end of the index, whatever lies dead before it.
create table platform.subscription_checkpoints (
    name text not null,
    lane integer not null,
    position bigint not null,
    moved_at timestamptz not null default clock_timestamp(),
    primary key (name, lane, position),
    foreign key (name, lane) references platform.subscription_lanes on delete cascade
);

insert into platform.subscription_lanes (name, lane, epoch) select name, 0, 0 from platform.subscriptions;
insert into platform.subscription_checkpoints (name, lane, position) select name, 0, position from platform.subscriptions;
update platform.subscriptions set lanes = 1;
alter table platform.subscriptions drop column position, drop column updated_at;

-- The position up to which a subscription has handled everything.
create view platform.subscription_positions as
    select s.name, min((
        select c.position from platform.subscription_checkpoints c
        where c.name = l.name and c.lane = l.lane
        order by c.position desc limit 1)) as position
    from platform.subscriptions s join platform.subscription_lanes l on l.name = s.name
    group by s.name;

-- Which lane a stream belongs to. The last byte of a UUIDv7 is random, and that of a UUID made from a name as good as.
create function platform.lane_of(tenant uuid, stream uuid, lanes integer) returns integer language sql immutable
    return (get_byte(uuid_send(tenant), 15) # get_byte(uuid_send(stream), 15)) % lanes;

-- The last statement of a handler's transaction. It fails, and the transaction with it, unless the lease is still the one under which the
-- work was begun and the lane is where it was then.
create function platform.move_checkpoint(
    subscription text, lane_number integer, holder_epoch bigint, from_position bigint, to_position bigint
) returns void language plpgsql as $$
begin
    perform from platform.subscription_lanes l
        where l.name = subscription and l.lane = lane_number and l.epoch = holder_epoch for no key update;
    if not found then
        raise exception 'another instance has taken the subscription over' using errcode = 'VB003';
    end if;
    if from_position = to_position then
        return;
    end if;
    if from_position > to_position then
        raise exception 'a checkpoint does not move back';
    end if;
    delete from platform.subscription_checkpoints c
        where c.name = subscription and c.lane = lane_number and c.position = from_position;
    if not found then
        raise exception 'the lane has moved meanwhile' using errcode = 'VB003';
    end if;
    insert into platform.subscription_checkpoints (name, lane, position) values (subscription, lane_number, to_position);
end $$;

-- Events that a subscription could not handle, and behind each the later events of its stream, so that their order stays. The event
-- itself is in the log, at its position: it is not copied, so what is erased there is erased.
create table platform.dead_letters (
    tenant_id uuid not null,
    id uuid not null,
    subscription text not null,
    stream_id uuid not null,
    stream_type text not null,
    position bigint not null,
    type text not null,
    -- waiting: for a person to decide. retrying, discarding: decided, about to be done. parked: behind an earlier one of its stream.
    -- handled, discarded: done. The first open one of a stream is never parked.
    status text not null check (status in ('waiting', 'retrying', 'discarding', 'parked', 'handled', 'discarded')),
    reason text,
    attempts integer not null,
    first_failed_at timestamptz,
    last_failed_at timestamptz,
    created_at timestamptz not null default clock_timestamp(),
    closed_at timestamptz,
    primary key (tenant_id, id)
);

create unique index dead_letters_open on platform.dead_letters (subscription, tenant_id, stream_id, position)
    where status in ('waiting', 'retrying', 'discarding', 'parked');
create index dead_letters_decided on platform.dead_letters (subscription) where status in ('retrying', 'discarding');
create index dead_letters_closed on platform.dead_letters (closed_at) where closed_at is not null;

-- Called in the transaction that records the decision: two people must not decide about one letter, each unaware of the other.
create function platform.decide_dead_letter(tenant uuid, letter uuid, from_status text, to_status text)
    returns void language plpgsql as $$
begin
    update platform.dead_letters set status = to_status
        where tenant_id = tenant and id = letter and status = from_status;
    if not found then
        raise exception 'the dead letter was decided about meanwhile' using errcode = 'VB004';
    end if;
end $$;

-- How far each subscription is behind: events, and the age of the first that it has not passed.
create view platform.subscription_lags as
    select s.name, coalesce(p.position, 0) as position, head.position - coalesce(p.position, 0) as lag,
        coalesce(extract(epoch from clock_timestamp() - (
            select e.time from platform.events e where e.position = coalesce(p.position, 0) + 1)), 0)::float8 as lag_seconds
    from platform.subscriptions s
    left join platform.subscription_positions p on p.name = s.name
    cross join (select coalesce(max(position), 0) as position from platform.events) head;
