-- Every row of the outbox is removed within the second. Left to the defaults, at ten thousand messages a second
-- the table grows to gigabytes of removed rows before the first clean-up ends: each new row then takes a new page.
ALTER TABLE outbox SET (
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold    = 20000,
    autovacuum_vacuum_cost_delay   = 0,
    autovacuum_analyze_threshold   = 2000000000
);
