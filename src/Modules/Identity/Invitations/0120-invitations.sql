-- The links of an invitation that may still be used; each is known by the hash of its token. A mail that was sent twice has two.
create table identity.invitation_tokens (
    hash bytea primary key,
    tenant_id uuid not null,
    invitation_id uuid not null,
    expires_at timestamptz not null
);
create index invitation_tokens_by_invitation on identity.invitation_tokens (tenant_id, invitation_id);

-- One open invitation an address and organization. The address is personal data; this is a keyed hash of it.
create table identity.open_invitations (
    tenant_id uuid not null,
    email_hash bytea not null,
    invitation_id uuid not null,
    expires_at timestamptz not null,
    primary key (tenant_id, email_hash)
);
create index open_invitations_by_invitation on identity.open_invitations (tenant_id, invitation_id);

-- Uses an invitation up, or fails with VB101 when it was used, revoked or sent anew meanwhile. It runs in the transaction of the append that
-- makes the member, under the log's lock, so that of two who use it at once one is refused.
create function identity.use_invitation(organization uuid, invitation uuid, token_hash bytea) returns void
language plpgsql as $$
begin
    if not exists (select from identity.invitation_tokens where hash = token_hash and invitation_id = invitation) then
        raise exception 'the invitation was used' using errcode = 'VB101';
    end if;
    delete from identity.invitation_tokens where tenant_id = organization and invitation_id = invitation;
    delete from identity.open_invitations where tenant_id = organization and invitation_id = invitation;
end $$;
