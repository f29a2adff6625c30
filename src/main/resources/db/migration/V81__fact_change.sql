-- Which facts about whom changed, so that what one hub instance records bites at once at the others, which keep facts in memory.
-- Written by triggers, whoever writes. A reader remembers the lowest transaction that was still open when it last
-- looked, and finds everything that has been committed since: transactions do not end in the order of their numbers.
CREATE TABLE fact_change (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    xid         xid8        NOT NULL DEFAULT pg_current_xact_id(),
    at          timestamptz NOT NULL DEFAULT now(),
    shard       smallint    DEFAULT nullif(current_setting('bindeledd.shard', true), '')::smallint, -- whose connection; null: nobody's
    what        text        NOT NULL,              -- the table
    subject     bytea,
    exchange    text                               -- of a list
);
CREATE INDEX fact_change_xid ON fact_change (xid);
CREATE INDEX fact_change_subject ON fact_change (subject, id);

-- An instance has seen the change, and what it looked at before that is handed over, with its receipt recorded, or stopped.
CREATE TABLE fact_settled (
    change      bigint      NOT NULL REFERENCES fact_change (id) ON DELETE CASCADE,
    shard       smallint    NOT NULL,
    PRIMARY KEY (change, shard)
);

CREATE FUNCTION fact_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO fact_change (what, subject) VALUES (TG_TABLE_NAME, OLD.subject);
    ELSE
        INSERT INTO fact_change (what, subject) VALUES (TG_TABLE_NAME, NEW.subject);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER consent_changed AFTER INSERT OR UPDATE OR DELETE ON consent
    FOR EACH ROW EXECUTE FUNCTION fact_changed();
CREATE TRIGGER protection_changed AFTER INSERT OR UPDATE OR DELETE ON protection
    FOR EACH ROW EXECUTE FUNCTION fact_changed();
CREATE TRIGGER human_act_changed AFTER INSERT OR UPDATE OR DELETE ON human_act
    FOR EACH ROW EXECUTE FUNCTION fact_changed();

CREATE FUNCTION list_came() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO fact_change (what, exchange) SELECT DISTINCT TG_TABLE_NAME, exchange FROM came;
    RETURN NULL;
END $$;
CREATE TRIGGER roster_came AFTER INSERT ON roster
    REFERENCING NEW TABLE AS came FOR EACH STATEMENT EXECUTE FUNCTION list_came();
