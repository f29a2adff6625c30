/** The ledger: canonical entries, RFC 9162 Merkle tree, signed checkpoints, verification. */
@NullMarked
package no.bindeledd.audit;

import org.jspecify.annotations.NullMarked;
