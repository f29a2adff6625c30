package no.bindeledd.audit;

import org.jspecify.annotations.Nullable;

/**
 * The result of checking a whole ledger.
 *
 * @param verified true when every check passed
 * @param entries entries read before the end or the first problem
 * @param firstProblem null when verified; else the first broken index (or the range that the signed
 *     checkpoints narrow it to), with expected and found hashes, in one English sentence without
 *     entry content
 */
public record Verification(boolean verified, long entries, @Nullable String firstProblem) {}
