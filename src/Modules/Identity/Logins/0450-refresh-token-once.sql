-- Whoever comes at the same moment may have looked at the clock before the one who was first: without a leeway no moment is early enough to
-- use a used token again, whatever the clocks say. A leeway forgives only what was used within it.
create or replace function identity.use_refresh_token(token_hash bytea, used timestamptz, leeway interval) returns void
language plpgsql as $$
begin
    update identity.refresh_tokens set used_at = coalesce(used_at, used)
    where hash = token_hash and (used_at is null or (leeway > interval '0' and used_at > used - leeway));
    if not found then
        raise exception 'the refresh token was used before' using errcode = 'VB006';
    end if;
end $$;
