-- A person's organizations are found by the person.
create index user_by_id on documents.user (id);

-- A person's logins, newest first.
create index login_by_user on documents.login (tenant_id, (data ->> 'userId'), id desc);

-- The hash of every refresh token that was given out, the used ones too: a used one that comes back was stolen, from whoever has its successor
-- or from whoever brings it.
create table identity.refresh_tokens (
    hash bytea primary key,
    tenant_id uuid not null,
    login_id uuid not null,
    expires_at timestamptz not null,
    used_at timestamptz
);
create index refresh_tokens_by_end on identity.refresh_tokens (expires_at);

create table identity.login_cookies (
    hash bytea primary key,
    tenant_id uuid not null,
    login_id uuid not null,
    expires_at timestamptz not null
);
create index login_cookies_by_end on identity.login_cookies (expires_at);
create index login_cookies_by_login on identity.login_cookies (login_id);

-- Fails with VB006 when the token was used before, so that of two who use it at once one is refused, whatever they read before.
create function identity.use_refresh_token(token_hash bytea, used timestamptz, leeway interval) returns void
language plpgsql as $$
begin
    update identity.refresh_tokens set used_at = coalesce(used_at, used)
    where hash = token_hash and (used_at is null or used_at > used - leeway);
    if not found then
        raise exception 'the refresh token was used before' using errcode = 'VB006';
    end if;
end $$;
