-- The ledger. `entry` holds the canonical bytes (RFC 8785) that the Merkle tree is built over; the other
-- columns repeat what queries need, and verification compares them with it. Only COPY writes here.
-- `subject` and `salt` stand outside the proved bytes, which hold only their hash: destroying them unlinks
-- the entry from the person and breaks no proof.
CREATE TABLE audit_entry (
    idx         bigint      PRIMARY KEY,           -- from 0, without gap
    at          timestamptz NOT NULL,
    station     text        NOT NULL,
    exchange    text        NOT NULL,
    outcome     text        NOT NULL,
    message     text,
    subject     bytea,                             -- the pseudonym's 16 bytes
    salt        bytea,
    leaf        bytea       NOT NULL,              -- SHA-256(0x00 || entry): lets a check name the broken entry
    entry       bytea       NOT NULL
);
CREATE INDEX audit_entry_subject ON audit_entry (subject, idx) WHERE subject IS NOT NULL;
CREATE INDEX audit_entry_message ON audit_entry USING hash (message) WHERE message IS NOT NULL;
CREATE INDEX audit_entry_at ON audit_entry USING brin (at) WITH (pages_per_range = 32);

-- One row: the tree's size and right edge, and the newest signed checkpoint. Written in the same
-- transaction as the entries it covers, and only over the size that the writer knew.
CREATE TABLE audit_head (
    origin      text        PRIMARY KEY,
    size        bigint      NOT NULL,
    frontier    bytea       NOT NULL,              -- 32-byte hashes of the perfect subtrees, largest first
    checkpoint  text        NOT NULL               -- C2SP signed note
) WITH (fillfactor = 50);

-- A checkpoint kept for about every 1,024 entries: how close a check can come to an entry that was rewritten
-- together with its leaf hash, and where a consistency check can start.
CREATE TABLE audit_checkpoint (
    size        bigint      PRIMARY KEY,
    frontier    bytea       NOT NULL,
    checkpoint  text        NOT NULL
);
