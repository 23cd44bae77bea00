-- A password is the person's, whichever organizations they belong to; tenant_id is their home organization, where changes of it are
-- recorded.
alter table identity.passwords drop constraint passwords_pkey;
alter table identity.passwords add primary key (user_id);
create index on identity.passwords (tenant_id);
