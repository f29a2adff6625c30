package no.bindeledd.audit;

/**
 * What one {@link Ledger#append} did, valid once its transaction is committed. The root is not
 * copied; do not change it.
 *
 * @param firstIndex index of the first entry of the batch, from 0; the others follow without gap
 * @param size entries in the tree after the batch
 * @param root RFC 9162 root hash of that tree, 32 bytes
 */
public record Appended(long firstIndex, long size, byte[] root) {}
