-- The ledger in segments of 65,536 entries (one full tlog tile of level 1 each). The segment that is being
-- written has only its primary key: an index on a random key costs as much as the row itself. A segment that
-- is full gets its indexes in bulk, by a background task. Segments are added by the ledger, ahead of need.
ALTER TABLE audit_entry RENAME TO audit_entry_0;
ALTER TABLE audit_entry_0 RENAME CONSTRAINT audit_entry_pkey TO audit_entry_0_pkey;
DROP INDEX audit_entry_subject, audit_entry_message, audit_entry_at;

CREATE TABLE audit_entry (LIKE audit_entry_0, PRIMARY KEY (idx)) PARTITION BY RANGE (idx);
CREATE INDEX audit_entry_at ON audit_entry USING brin (at) WITH (pages_per_range = 32);

-- What was written until now is the first segment, whole segments long.
DO $$
DECLARE
    bound bigint;
BEGIN
    SELECT (coalesce(max(idx), 0) / 65536 + 1) * 65536 INTO bound FROM audit_entry_0;
    EXECUTE format('ALTER TABLE audit_entry ATTACH PARTITION audit_entry_0 FOR VALUES FROM (MINVALUE) TO (%s)', bound);
END $$;
