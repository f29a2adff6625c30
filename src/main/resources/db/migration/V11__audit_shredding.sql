-- Entries whose salt and subject were destroyed: nothing links them to a person any more. The ledger holds a
-- commitment to this set, so that verification can tell it from a theft of salts.
CREATE TABLE audit_shredded (
    idx         bigint      PRIMARY KEY
);

-- For each segment of 65,536 entries: SHA-256 over the indexes above, eight bytes each, rising.
CREATE TABLE audit_shredded_segment (
    segment     bigint      PRIMARY KEY,
    digest      bytea       NOT NULL
);

-- The entry that holds the newest commitment, and how far each exchange's retention has come.
CREATE TABLE audit_shredding (
    what        text        PRIMARY KEY,           -- 'newest', or 'retention of ' and the exchange
    next        bigint      NOT NULL
);
