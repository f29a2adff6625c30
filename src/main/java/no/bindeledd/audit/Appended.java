package no.bindeledd.audit;

/**
 * What one {@link Ledger#append} did, valid once its transaction is committed. The root is not
 * copied; do not change it.
 *
 * @param firstEntry number of the first entry of the batch; the others follow without gap
 * @param size entries in the shard's tree after the batch
 * @param root RFC 9162 root hash of that tree, 32 bytes
 */
public record Appended(long firstEntry, long size, byte[] root) {}
