-- Codes that were given out, by their hash. One that was used is kept for a while, so that a second use is seen for what it is.
create table identity.authorization_codes (
    hash bytea primary key,
    tenant_id uuid not null,
    client_id uuid not null,
    user_id uuid not null,
    -- The login under which the person agreed, in whichever of their organizations.
    granted_tenant_id uuid not null,
    granted_login_id uuid not null,
    redirect_uri text not null,
    code_challenge text not null,
    nonce text,
    scopes text[] not null,
    factors text[] not null,
    authenticated_at timestamptz not null,
    valid_until timestamptz not null,
    expires_at timestamptz not null,
    used_at timestamptz,
    -- The login that the code was exchanged for.
    login_id uuid
);
create index authorization_codes_by_end on identity.authorization_codes (expires_at);

-- Fails with VB300 when the code was used before, so that of two who use it at once one is refused, whatever they read before.
create function identity.use_authorization_code(code_hash bytea, used timestamptz, login uuid) returns void
language plpgsql as $$
begin
    update identity.authorization_codes set used_at = used, login_id = login
    where hash = code_hash and used_at is null and valid_until > used;
    if not found then
        raise exception 'the authorization code was used before' using errcode = 'VB300';
    end if;
end $$;

-- A person's consent to an application, while it holds.
create unique index consent_that_holds on documents.consent (tenant_id, (data ->> 'userId'), (data ->> 'clientId'))
where data ->> 'withdrawnAt' is null;

-- Tokens of applications that act for themselves, and were revoked: by the hash of their id, for as long as they would have lived.
create table identity.revoked_tokens (
    hash bytea primary key,
    expires_at timestamptz not null
);
create index revoked_tokens_by_end on identity.revoked_tokens (expires_at);
