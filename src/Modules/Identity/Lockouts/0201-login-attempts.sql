-- How often somebody failed to log in, counted before a password is looked at, so that many tries at once are not more than many in a row.
-- A row is about an account (a keyed hash of the address that was typed, whether or not there is such an account) or about a client's
-- network (a keyed hash of it).
create table identity.login_attempts (
    kind text not null,
    key bytea not null,
    failures integer not null,
    last_at timestamptz not null,
    -- Until then every attempt is refused, right or wrong.
    until timestamptz,
    primary key (kind, key)
);

create index on identity.login_attempts (last_at);
