-- Several hub instances write at once, each its own shard: a log of its own. The number of an entry is
-- shard * 2^40 + its index in the shard's log, so that it stays unique in the database. What was written until now is shard 0.
ALTER TABLE audit_head
    ADD COLUMN shard  smallint NOT NULL DEFAULT 0 UNIQUE,
    ADD COLUMN holder uuid;                        -- the instance that writes this shard; whoever held it before writes no more
ALTER TABLE audit_head ALTER COLUMN shard DROP DEFAULT;

ALTER TABLE audit_checkpoint
    ADD COLUMN shard smallint NOT NULL DEFAULT 0,
    DROP CONSTRAINT audit_checkpoint_pkey,
    ADD PRIMARY KEY (shard, size);
ALTER TABLE audit_checkpoint ALTER COLUMN shard DROP DEFAULT;

-- A reader of the ledger has a place in each shard; `next` is an entry's number.
ALTER TABLE audit_position
    ADD COLUMN shard smallint NOT NULL DEFAULT 0,
    DROP CONSTRAINT audit_position_pkey,
    ADD PRIMARY KEY (reader, shard);
ALTER TABLE audit_position ALTER COLUMN shard DROP DEFAULT, ALTER COLUMN next DROP DEFAULT;

-- The newest checkpoint that each shard has published: what the others enter in their own logs.
CREATE TABLE audit_published (
    shard       smallint    PRIMARY KEY,
    checkpoint  text        NOT NULL               -- C2SP signed note
);
