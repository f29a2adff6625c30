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
CREATE INDEX held_reason ON held (exchange, reason, sender);

-- Recorded, and waiting to be delivered; the row goes when the receipt is recorded. The payload is encrypted.
CREATE TABLE outbox (
    id          bigint      PRIMARY KEY,           -- index in the ledger of the decision that released it
    key         bytea       NOT NULL,
    exchange    text        NOT NULL,
    recipient   text        NOT NULL,
    sender      text        NOT NULL,
    subject     bytea,
    outcome     text        NOT NULL,
    withheld    text[]      NOT NULL,
    facts       bytea,                             -- encrypted facts of the record that the rules may ask for again
    trace       text,
    state       text        NOT NULL DEFAULT 'PENDING',   -- PENDING, DEAD, PARKED (held at the door)
    payload     bytea       NOT NULL
);
CREATE INDEX outbox_subject ON outbox (subject) WHERE state = 'PARKED';

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
