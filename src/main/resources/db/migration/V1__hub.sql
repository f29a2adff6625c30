-- One dialect everywhere: PostgreSQL. No payload, name or identity number stands in clear text in any table.

-- One row per message and recipient: what makes a resend recognisable, and the books.
CREATE TABLE envelope (
    key         bytea       PRIMARY KEY,           -- 16 bytes: hash of exchange, sender, message id, recipient
    exchange    text        NOT NULL,
    outcome     text        NOT NULL,              -- final state: RELEASED, REDUCED, DEIDENTIFIED, HELD, REFUSED
    reason      text        NOT NULL,
    digest      bytea       NOT NULL,              -- keyed hash of the input, to tell a resend from a reused id
    entry       bigint      NOT NULL               -- index in the ledger of the decision that made the state
);

-- Received, and waiting for a fact to change. The payload is the input record, encrypted.
CREATE TABLE held (
    key         bytea       PRIMARY KEY REFERENCES envelope (key),
    id          bigint      GENERATED ALWAYS AS IDENTITY UNIQUE,
    exchange    text        NOT NULL,
    sender      text        NOT NULL,
    recipient   text        NOT NULL,
    subject     bytea,
    reason      text        NOT NULL,
    trace       text,
    payload     bytea       NOT NULL
);
CREATE INDEX held_subject ON held (subject);

-- Recorded, and waiting to be delivered; the row goes when the receipt is recorded. The payload is encrypted.
CREATE TABLE outbox (
    id          bigint      PRIMARY KEY,
    key         bytea       NOT NULL,
    exchange    text        NOT NULL,
    recipient   text        NOT NULL,
    sender      text        NOT NULL,
    subject     bytea,
    outcome     text        NOT NULL,
    withheld    text[]      NOT NULL,
    attributes  bytea,                             -- encrypted facts of the record that the rules may ask for again
    trace       text,
    attempts    int         NOT NULL DEFAULT 0,
    dead        boolean     NOT NULL DEFAULT false,
    payload     bytea       NOT NULL
);
CREATE SEQUENCE outbox_id CACHE 1;

-- E01: each side's own list, as pseudonyms and codes.
CREATE TABLE roster (
    exchange    text        NOT NULL,
    holder      text        NOT NULL,              -- organisation that handed in the list
    counterpart text        NOT NULL,              -- organisation whose names are compared
    list        text        NOT NULL,
    subject     bytea       NOT NULL,
    code        text        NOT NULL,
    PRIMARY KEY (exchange, holder, counterpart, list, subject)
);
