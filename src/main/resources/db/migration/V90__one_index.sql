-- One index of the ledger instead of two: the one that is made behind the writer also finds persons and messages,
-- so the segments need none of their own. It is made anew, in larger blocks, by whichever hub starts next; until then
-- the entries themselves are looked through.
DO $$
DECLARE
    name text;
BEGIN
    FOR name IN
        SELECT indexname FROM pg_indexes
         WHERE schemaname = current_schema() AND tablename ~ '^audit_entry_\d+$'
           AND indexname IN (tablename || '_subject', tablename || '_message')
    LOOP
        EXECUTE format('DROP INDEX %I', name);
    END LOOP;
END $$;

DROP TABLE audit_posting, audit_term, audit_block, audit_flow;
DELETE FROM audit_position WHERE reader = 'index';

-- A block is 32,768 entries whose numbers, divided by that, give its own. What has no row here is looked through.
CREATE TABLE audit_block (
    block       bigint      PRIMARY KEY,
    earliest    timestamptz NOT NULL,
    latest      timestamptz NOT NULL
);

-- Every combination of the members that few values fill.
CREATE TABLE audit_flow (
    id          integer     GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    digest      bytea       NOT NULL UNIQUE,       -- SHA-256 of the members below
    station     text        NOT NULL,
    exchange    text        NOT NULL,
    sender      text,
    receiver    text,
    outcome     text        NOT NULL,
    rules       text[]      NOT NULL,              -- legal bases and agreement, id@version
    rule_ids    text[]      NOT NULL               -- the same without versions
);

-- Which entries of a block are of a flow: two bytes each, the place in the block, rising.
CREATE TABLE audit_posting (
    flow        integer     NOT NULL,
    block       bigint      NOT NULL,
    places      bytea       NOT NULL,
    PRIMARY KEY (flow, block)
);

-- Subjects, messages and traces, by a hash: bucket, then four bytes of hash and two of place for each.
CREATE TABLE audit_term (
    bucket      smallint    NOT NULL,
    block       bigint      NOT NULL,
    terms       bytea       NOT NULL,
    PRIMARY KEY (bucket, block)
);
