-- A key is published before it signs, so that whoever keeps the published keys for a while knows it in time.
alter table identity.signing_keys add column signs_from timestamptz;
update identity.signing_keys set signs_from = created_at;
alter table identity.signing_keys alter column signs_from set not null;
