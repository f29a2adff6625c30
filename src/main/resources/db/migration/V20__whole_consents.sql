-- What a consent is about, who stands behind it, and which words they saw.
ALTER TABLE consent
    ADD COLUMN kind         text    NOT NULL DEFAULT 'INFORMATION_SHARING', -- or PARTICIPATION, FETCHING
    ADD COLUMN by_person    boolean NOT NULL DEFAULT true,
    ADD COLUMN guardians    bytea[] NOT NULL DEFAULT '{}',   -- pseudonyms
    ADD COLUMN sources      text[]  NOT NULL DEFAULT '{}',   -- organisation numbers; empty means all
    ADD COLUMN text_version text;                            -- id@version of the text that was shown

-- How it was captured is a code from now on. What was written freely before may hold anything.
UPDATE consent SET captured = 'NOT_STATED';
COMMENT ON COLUMN consent.captured IS 'one of the codes of no.bindeledd.consent.Captured';

-- Where time alone changes what a consent means.
CREATE INDEX consent_valid_from ON consent (valid_from);
CREATE INDEX consent_valid_to ON consent (valid_to) WHERE valid_to IS NOT NULL;
