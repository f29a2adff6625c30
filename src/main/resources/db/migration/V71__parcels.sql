-- Releases of one exchange to one recipient that were recorded together are one row, sealed as one: a row for each, and its removal,
-- cost the database a fifth of its time. What is stopped, made smaller or dead gets a row of its own in `outbox`.
CREATE TABLE parcel (
    id          bigint      PRIMARY KEY,           -- number in the ledger of the decision on its first message
    last        bigint      NOT NULL,              -- and on its last one
    exchange    text        NOT NULL,
    recipient   text        NOT NULL,
    state       text        NOT NULL DEFAULT 'PENDING',   -- PENDING, DEAD (cannot be decrypted)
    waiting     bigint      NOT NULL,              -- messages that are still in it; the row goes with the last one
    gone        bytea       NOT NULL,              -- bit n: the message number id + n is no longer in it, or never was
    payload     bytea       NOT NULL               -- the messages, encrypted
) WITH (
    fillfactor = 70,
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold    = 1000,
    autovacuum_vacuum_cost_delay   = 0,
    autovacuum_analyze_threshold   = 2000000000,
    toast.autovacuum_vacuum_scale_factor = 0,
    toast.autovacuum_vacuum_threshold    = 40000,
    toast.autovacuum_vacuum_cost_delay   = 0
);
-- Ciphertext does not compress.
ALTER TABLE parcel ALTER COLUMN payload SET STORAGE EXTERNAL;
