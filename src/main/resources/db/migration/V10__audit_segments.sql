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

-- What an entry can be searched by, besides the columns, read from the proved bytes themselves: 'sender=…',
-- 'receiver=…', 'trace=…', 'reason=…', 'agreement=…', 'rule=…', 'consent=…', 'exchange=…', 'outcome=…'.
-- Of a trace, the trace id alone. Bytes that were tampered with give no terms; verification names them.
CREATE FUNCTION audit_terms(entry bytea) RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL UNSAFE COST 1000 AS $$
DECLARE
    members jsonb;
BEGIN
    members := convert_from(entry, 'UTF8')::jsonb;
    RETURN ARRAY(
        SELECT kind || '=' || (members ->> kind)
          FROM unnest(ARRAY['sender', 'receiver', 'reason', 'agreement', 'exchange', 'outcome']) AS kind
         WHERE members ? kind
         UNION ALL
        SELECT 'trace=' || coalesce(substring(members ->> 'trace' FROM '^[0-9a-f]{2}-([0-9a-f]{32})-'), members ->> 'trace')
         WHERE members ? 'trace'
         UNION ALL
        SELECT 'rule=' || rule FROM jsonb_array_elements_text(members -> 'rules') AS rule
         UNION ALL
        SELECT 'consent=' || consent FROM jsonb_array_elements_text(members -> 'consents') AS consent);
EXCEPTION WHEN OTHERS THEN
    RETURN '{}';
END $$;
