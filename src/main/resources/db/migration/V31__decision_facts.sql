-- What decisions were made on, for replay under other rules: one encrypted blob per journal transaction and length of keeping.
CREATE TABLE decision_facts (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    first_at    timestamptz NOT NULL,
    last_at     timestamptz NOT NULL,
    keep_until  date        NOT NULL,              -- the last day
    decisions   int         NOT NULL,
    facts       bytea       NOT NULL
);
CREATE INDEX decision_facts_time ON decision_facts (last_at);
CREATE INDEX decision_facts_keep ON decision_facts (keep_until);
