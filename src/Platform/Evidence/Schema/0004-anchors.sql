-- How far the checkpoints have been taken outside. A target is named by what it is and a digest of where it is: an address may hold a
-- secret.
create table platform.anchors (
    target text collate "C" primary key,
    -- The last checkpoint that the target has taken.
    tree_size bigint not null
);
