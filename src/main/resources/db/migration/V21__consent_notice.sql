-- A consent was withdrawn, and those who had received something under it are to be told. The row is written
-- with the withdrawal and goes when the notices have passed the gate.
CREATE TABLE consent_notice (
    consent     uuid        NOT NULL,
    version     int         NOT NULL,              -- the withdrawal
    keeper      text        NOT NULL,              -- organisation number of who recorded it
    payload     bytea       NOT NULL,              -- the person's identity number, encrypted
    PRIMARY KEY (consent, version)
);
