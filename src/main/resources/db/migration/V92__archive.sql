-- Segments of the ledger that were moved to archive files. Where such a file is moved to another place, say so here.
CREATE TABLE audit_archive (
    segment     bigint      PRIMARY KEY,           -- the number of its first entry, divided by 65,536
    file        text        NOT NULL,
    digest      bytea       NOT NULL               -- SHA-256 of the file
);

-- What links archived entries to people: it stays here, where shredding can destroy it.
CREATE TABLE audit_link (
    idx         bigint      PRIMARY KEY,
    subject     bytea,
    salt        bytea       NOT NULL
);
