-- Ciphertext does not compress; what is in it was compressed before.
ALTER TABLE decision_facts ALTER COLUMN facts SET STORAGE EXTERNAL;
