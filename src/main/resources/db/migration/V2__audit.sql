-- The ledger. `entry` holds the canonical bytes (RFC 8785) that the Merkle tree is built over.
CREATE TABLE audit_entry (
    idx         bigint      PRIMARY KEY,
    at          timestamptz NOT NULL,
    station     text        NOT NULL,
    exchange    text        NOT NULL,
    outcome     text        NOT NULL,
    subject     bytea,
    entry       bytea       NOT NULL
);

-- One row: the tree's size and right edge, and the newest signed checkpoint. Written in the same
-- transaction as the entries it covers.
CREATE TABLE audit_head (
    origin      text        PRIMARY KEY,
    size        bigint      NOT NULL,
    frontier    bytea       NOT NULL,              -- 32-byte hashes of the perfect subtrees, largest first
    checkpoint  text        NOT NULL
);
