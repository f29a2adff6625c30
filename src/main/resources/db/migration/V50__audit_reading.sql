-- How far each reader of the ledger has come: the index below, and the exporters. The ledger itself is the
-- buffer of a reader that is down.
CREATE TABLE audit_position (
    reader      text        PRIMARY KEY,
    next        bigint      NOT NULL DEFAULT 0,    -- the first entry that the reader has not taken
    holder      text,                              -- which instance reads now, and until when nobody else may
    held_until  timestamptz
);

-- The index of the query interface, made behind the writer from the entries' proved bytes. It only finds: what is
-- found is read from audit_entry and compared again. To make it anew, empty these four tables and delete the
-- position of 'index'.

-- Every combination of the members that few values fill: some hundred rows.
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

-- A block is 8,192 entries in a row.
CREATE TABLE audit_block (
    block       integer     PRIMARY KEY,
    earliest    timestamptz NOT NULL,
    latest      timestamptz NOT NULL
);

-- Which entries of a block are of a flow: two bytes each, the place in the block, rising.
CREATE TABLE audit_posting (
    flow        integer     NOT NULL,
    block       integer     NOT NULL,
    places      bytea       NOT NULL,
    PRIMARY KEY (flow, block)
);

-- Subjects, messages and traces, by a hash: bucket, then four bytes of hash and two of place for each.
CREATE TABLE audit_term (
    bucket      smallint    NOT NULL,
    block       integer     NOT NULL,
    terms       bytea       NOT NULL,
    PRIMARY KEY (bucket, block)
);
