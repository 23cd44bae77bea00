-- The Merkle tree over the log (RFC 6962), and what was signed of it. Nothing here is needed to run; all of it can be made again from
-- the events, except the signatures and the times of the checkpoints.

-- One row: whoever holds it extends the tree.
create table platform.tree (
    is_only_row boolean primary key default true check (is_only_row),
    origin text collate "C" not null,
    -- The leaves that the tree has; the same as the last position that a checkpoint covers.
    size bigint not null check (size >= 0)
);

-- Tiles as in C2SP tlog-tiles: up to 256 hashes of 32 bytes, at level 0 those of the leaves, above that the roots of the full tiles
-- below. Only the last tile of a level is ever written again.
create table platform.tree_tiles (
    level smallint not null,
    index bigint not null,
    hashes bytea not null,
    primary key (level, index)
);

-- Hashes do not compress.
alter table platform.tree_tiles alter column hashes set storage external;

create table platform.checkpoints (
    tree_size bigint primary key,
    time timestamptz not null,
    root_hash bytea not null,
    note text not null
);

create table platform.checkpoint_keys (
    key_id bytea primary key,
    public_key bytea not null,
    -- Under the master key; null once the key is retired.
    sealed_private_key bytea,
    created_at timestamptz not null,
    retired_at timestamptz
);

-- One key signs at a time.
create unique index checkpoint_keys_current on platform.checkpoint_keys ((true)) where retired_at is null;
