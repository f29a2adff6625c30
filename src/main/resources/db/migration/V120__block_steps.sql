-- The times within a block of the index: earliest and latest of each 1,024 entries in turn, eight bytes each,
-- microseconds since 1970. Null where the block was indexed before: its first and last entries are then looked
-- through one by one.
ALTER TABLE audit_block ADD COLUMN steps bytea;
