-- Block first: a block is written in one piece, and a search goes through blocks from the newest.
ALTER TABLE audit_posting DROP CONSTRAINT audit_posting_pkey, ADD PRIMARY KEY (block, flow);
