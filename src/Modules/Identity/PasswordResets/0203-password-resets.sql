-- The hash of each token that lets a person choose a new password: it works once, and not for long.
create table identity.password_resets (
    hash bytea primary key,
    user_id uuid not null,
    expires_at timestamptz not null
);
create index on identity.password_resets (user_id);
create index on identity.password_resets (expires_at);

-- Fails with VB007 when the token was used before, so that of two who use it at once one is refused.
create function identity.use_password_reset(token_hash bytea, person uuid) returns void
language plpgsql as $$
begin
    delete from identity.password_resets where hash = token_hash and user_id = person;
    if not found then
        raise exception 'the token was used before' using errcode = 'VB007';
    end if;
    delete from identity.password_resets where user_id = person;
end $$;
