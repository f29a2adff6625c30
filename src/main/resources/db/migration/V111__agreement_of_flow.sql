-- The ledger names an agreement with the clauses that counted (nav-ot@1#4.1); who asks for an agreement means all of them.
UPDATE audit_flow SET rules = ARRAY(SELECT split_part(rule, '#', 1) FROM unnest(rules) WITH ORDINALITY AS r (rule, n) ORDER BY n)
 WHERE array_to_string(rules, ' ') LIKE '%#%';
