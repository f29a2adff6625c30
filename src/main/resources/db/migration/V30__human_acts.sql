-- What named people have done so that a message may go: signed, settled by two, broken the glass. Who and why is encrypted.
CREATE TABLE human_act (
    id           uuid        PRIMARY KEY,
    kind         text        NOT NULL,             -- SIGNATURE, OVERRIDE, BREAK_GLASS
    subject      bytea       NOT NULL,
    exchange     text        NOT NULL,
    receiver     text        NOT NULL,             -- organisation number
    message      bytea,                            -- key of the one message it is about; null for any
    organisation text        NOT NULL,             -- whose people did it: the sender
    people       int         NOT NULL,             -- how many different people stand behind it
    starts       timestamptz NOT NULL,
    ends         timestamptz NOT NULL,             -- exclusive
    actors       bytea       NOT NULL,             -- names and reasons, encrypted
    reviewed     timestamptz,
    review       bytea                             -- who reviewed it and what was found, encrypted
);
CREATE INDEX human_act_open ON human_act (ends);
CREATE INDEX human_act_unreviewed ON human_act (starts) WHERE kind = 'BREAK_GLASS' AND reviewed IS NULL;
