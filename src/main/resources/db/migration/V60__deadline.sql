-- E06: who owes whom an answer, and until when. The facts that a warning needs are encrypted, and go when the answer has come.
CREATE TABLE deadline (
    id          bytea       PRIMARY KEY,           -- 16 bytes: hash of exchange, both sides, person and reference
    exchange    text        NOT NULL,              -- the exchange that is to be answered
    waiting     text        NOT NULL,              -- organisation that waits for the answer
    owing       text        NOT NULL,              -- organisation that owes it
    agreement   text,                              -- the agreement that carried the message, id@version
    warn_on     date        NOT NULL,              -- Oslo calendar
    last_day    date        NOT NULL,
    state       text        NOT NULL DEFAULT 'RUNNING',   -- RUNNING, WARNED, ESCALATED, ANSWERED
    facts       bytea       NOT NULL
);
CREATE INDEX deadline_due ON deadline (warn_on) WHERE state IN ('RUNNING', 'WARNED');
