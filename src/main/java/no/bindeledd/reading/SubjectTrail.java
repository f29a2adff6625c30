package no.bindeledd.reading;

import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import no.bindeledd.audit.AuditEntry;
import no.bindeledd.audit.AuditReader;
import no.bindeledd.audit.Checkpoint;
import no.bindeledd.audit.HouseVerifier;
import no.bindeledd.audit.LedgerException;
import no.bindeledd.audit.LogDirectory;
import no.bindeledd.audit.LogProof;
import no.bindeledd.audit.LogSource;
import no.bindeledd.audit.Shard;
import no.bindeledd.audit.Shredder;
import no.bindeledd.audit.SignedNote;
import no.bindeledd.audit.TileTree;
import no.bindeledd.audit.VerifierKey;
import no.bindeledd.person.Pseudonym;
import org.jspecify.annotations.Nullable;

/**
 * Everything that the ledger has about one person, each entry proved against one signed checkpoint
 * of its shard before it is used. Immutable.
 *
 * <p>The ledger in the database says which entries are about the person and holds the salts; the
 * published log holds what was signed. An entry counts only when the two say the same, and its hash
 * leads to the signed root.
 *
 * @param checkpoints what the proofs of each shard's entries lead to; entries behind are not here
 *     yet
 * @param entries oldest first: what names the person, and the receipts of those messages
 * @param forgotten when links between entries and people were last destroyed; null when never
 */
public record SubjectTrail(
    Pseudonym subject,
    SortedMap<Shard, SignedNote> checkpoints,
    List<Proven> entries,
    @Nullable Instant forgotten) {
  public SubjectTrail {
    entries = List.copyOf(entries);
  }

  /**
   * An entry and its proof.
   *
   * @param bytes the canonical bytes, as signed
   */
  public record Proven(long index, AuditEntry entry, byte[] bytes, LogProof proof) {}

  /** Entries in the logs when they were signed. */
  public long size() {
    return checkpoints.values().stream().mapToLong(SubjectTrail::size).sum();
  }

  private static long size(SignedNote checkpoint) {
    return Checkpoint.parse(checkpoint.text()).size();
  }

  /**
   * Reads and proves.
   *
   * @param log the house's published logs: the first one, with the others below
   * @param keys whose signatures on the checkpoints are believed
   * @throws LedgerException when the checkpoint or an entry cannot be proved; names the entry
   * @throws IOException when the published log cannot be read
   */
  public static SubjectTrail read(
      Connection connection, LogSource log, List<VerifierKey> keys, Pseudonym subject)
      throws SQLException, IOException {
    SortedMap<Shard, SignedNote> checkpoints = new TreeMap<>();
    Map<Shard, TileTree> trees = new HashMap<>();
    for (Shard shard : Shard.all(connection)) {
      LogSource published = HouseVerifier.below(log, shard);
      SignedNote checkpoint = checkpoint(published, shard, keys);
      checkpoints.put(shard, checkpoint);
      trees.put(shard, new TileTree(published, size(checkpoint)));
    }
    Published published = new Published(checkpoints, trees, subject, keys);
    List<Proven> proven = published.prove(EntrySearch.about(connection, subject));
    Long record = Shredder.newest(connection);
    Instant forgotten = null;
    if (record != null) {
      for (Proven one : published.prove(AuditReader.at(connection, List.of(record)))) {
        forgotten = one.entry().at();
      }
    }
    proven.sort(
        Comparator.<Proven, Instant>comparing(one -> one.entry().at())
            .thenComparing(Proven::index));
    return new SubjectTrail(subject, checkpoints, proven, forgotten);
  }

  /** What the entries are proved against. */
  private record Published(
      Map<Shard, SignedNote> checkpoints,
      Map<Shard, TileTree> trees,
      Pseudonym subject,
      List<VerifierKey> keys) {
    /** Those that the checkpoints cover; a newer one is in the next report. */
    List<Proven> prove(List<AuditReader.Found> entries) throws IOException {
      List<Proven> proven = new ArrayList<>();
      for (AuditReader.Found found : entries) {
        Shard shard = Shard.of(found.index());
        SignedNote checkpoint = checkpoints.get(shard);
        if (checkpoint != null && Shard.index(found.index()) < size(checkpoint)) {
          TileTree tree = Objects.requireNonNull(trees.get(shard));
          proven.add(SubjectTrail.prove(found, subject, tree, checkpoint, keys));
        }
      }
      return proven;
    }
  }

  private static SignedNote checkpoint(LogSource log, Shard shard, List<VerifierKey> keys)
      throws IOException {
    byte[] bytes = log.read(LogDirectory.CHECKPOINT);
    if (bytes == null) {
      throw new LedgerException(
          "The log of "
              + shard
              + " is not published where this looks: it has no checkpoint. All instances publish"
              + " into one folder (bindeledd.published.folder)");
    }
    try {
      SignedNote note = SignedNote.parse(bytes);
      if (note.verify(VerifierKey.of(keys, Checkpoint.parse(note.text()).origin()))) {
        return note;
      }
    } catch (IllegalArgumentException e) {
      throw new LedgerException("The published checkpoint of " + shard + " cannot be read", e);
    }
    throw new LedgerException(
        "The published checkpoint of "
            + shard
            + " is not signed by a known key: its verifier key belongs beside the other secrets, as "
            + shard.keyFile()
            + ".vkey");
  }

  private static Proven prove(
      AuditReader.Found found,
      Pseudonym subject,
      TileTree tree,
      SignedNote checkpoint,
      List<VerifierKey> keys)
      throws IOException {
    long number = found.index();
    long index = Shard.index(number);
    AuditEntry entry = found.entry();
    byte[] bytes = entry.canonical();
    byte[] published = tree.entryIfThere(index); // else the proof alone must tell
    if (!found.intact() || (published != null && !Arrays.equals(published, bytes))) {
      throw broken(number, "the database and the published log do not say the same");
    }
    if (entry.subject() != null && !entry.subject().equals(subject)) {
      throw broken(number, "it is about somebody else");
    }
    LogProof proof = new LogProof(index, tree.inclusion(index, size(checkpoint)), checkpoint);
    String problem = proof.problem(bytes, keys);
    if (problem != null) {
      throw broken(number, problem);
    }
    return new Proven(number, entry, bytes, proof);
  }

  private static LedgerException broken(long index, @Nullable String problem) {
    return new LedgerException(
        "Entry "
            + index
            + " cannot be proved, so there is no report: "
            + problem
            + ". Run the verification (audit verify) and find out what happened to it");
  }
}
