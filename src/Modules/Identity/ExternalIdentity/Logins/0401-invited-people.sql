-- The invitation by which somebody came with a first login at a provider: its role is theirs where the provider says nothing of roles.
alter table identity.external_identities add column invitation_id uuid;

-- Uses an invitation up for whoever has proved that the address is theirs, so that no link is needed; or fails with VB101 when it was used,
-- revoked or has ended meanwhile. In the transaction of the append that makes the member, as identity.use_invitation.
create function identity.use_open_invitation(organization uuid, invitation uuid, at timestamptz) returns void
language plpgsql as $$
begin
    delete from identity.open_invitations
    where tenant_id = organization and invitation_id = invitation and expires_at > at;
    if not found then
        raise exception 'the invitation was used' using errcode = 'VB101';
    end if;
    delete from identity.invitation_tokens where tenant_id = organization and invitation_id = invitation;
end $$;
