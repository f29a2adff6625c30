-- Every version of every consent and block; the newest version of an id counts.
CREATE TABLE consent (
    id          uuid        NOT NULL,
    version     int         NOT NULL,
    subject     bytea       NOT NULL,
    state       text        NOT NULL,              -- GIVEN, WITHDRAWN, BLOCKED
    purpose     text        NOT NULL,
    recipients  text[]      NOT NULL,
    categories  text[]      NOT NULL,
    valid_from  timestamptz NOT NULL,
    valid_to    timestamptz,
    recorded_at timestamptz NOT NULL,
    captured    text        NOT NULL,              -- how it was given, e.g. the form and its text version
    PRIMARY KEY (id, version)
);
CREATE INDEX consent_subject ON consent (subject);

-- Address grading and shielding; few rows, held in memory by every instance.
CREATE TABLE protection (
    subject     bytea       PRIMARY KEY,
    grade       text        NOT NULL,
    shielded    boolean     NOT NULL
);
