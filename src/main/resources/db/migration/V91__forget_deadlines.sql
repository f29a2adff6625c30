-- Whom a deadline is about, so that shredding reaches it. Deadlines from before have no subject: they go with retention.
ALTER TABLE deadline ADD COLUMN subject bytea;
CREATE INDEX deadline_subject ON deadline (subject);
