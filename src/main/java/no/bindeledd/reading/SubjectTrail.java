package no.bindeledd.reading;

import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import no.bindeledd.audit.AuditEntry;
import no.bindeledd.audit.AuditReader;
import no.bindeledd.audit.Checkpoint;
import no.bindeledd.audit.LedgerException;
import no.bindeledd.audit.LogDirectory;
import no.bindeledd.audit.LogProof;
import no.bindeledd.audit.LogSource;
import no.bindeledd.audit.SignedNote;
import no.bindeledd.audit.TileTree;
import no.bindeledd.audit.VerifierKey;
import no.bindeledd.person.Pseudonym;
import org.jspecify.annotations.Nullable;

/**
 * Everything that the ledger has about one person, each entry proved against one signed checkpoint
 * before it is used. Immutable.
 *
 * <p>The ledger in the database says which entries are about the person and holds the salts; the
 * published log holds what was signed. An entry counts only when the two say the same.
 *
 * @param checkpoint what every proof leads to; entries behind it are not here yet
 * @param entries oldest first: what names the person, and the receipts of those messages
 */
public record SubjectTrail(Pseudonym subject, SignedNote checkpoint, List<Proven> entries) {
  public SubjectTrail {
    entries = List.copyOf(entries);
  }

  /**
   * An entry and its proof.
   *
   * @param bytes the canonical bytes, as signed
   */
  public record Proven(long index, AuditEntry entry, byte[] bytes, LogProof proof) {}

  /** Entries in the log when it was signed. */
  public long size() {
    return Checkpoint.parse(checkpoint.text()).size();
  }

  /**
   * Reads and proves.
   *
   * @param keys whose signature on the checkpoint is believed
   * @throws LedgerException when the checkpoint or an entry cannot be proved; names the entry
   * @throws IOException when the published log cannot be read
   */
  public static SubjectTrail read(
      Connection connection, LogSource log, List<VerifierKey> keys, Pseudonym subject)
      throws SQLException, IOException {
    SignedNote checkpoint = checkpoint(log, keys);
    long size = Checkpoint.parse(checkpoint.text()).size();
    List<Proven> proven = new ArrayList<>();
    TileTree tree = new TileTree(log, size);
    for (AuditReader.Found found : EntrySearch.about(connection, subject)) {
      if (found.index() < size) {
        proven.add(prove(found, subject, tree, size, checkpoint, keys));
      }
    }
    return new SubjectTrail(subject, checkpoint, proven);
  }

  private static SignedNote checkpoint(LogSource log, List<VerifierKey> keys) throws IOException {
    byte[] bytes = log.read(LogDirectory.CHECKPOINT);
    if (bytes == null) {
      throw new LedgerException("The log is not published yet: it has no checkpoint");
    }
    try {
      SignedNote note = SignedNote.parse(bytes);
      if (note.verify(keys)) {
        return note;
      }
    } catch (IllegalArgumentException e) {
      throw new LedgerException("The published checkpoint cannot be read", e);
    }
    throw new LedgerException("The published checkpoint is not signed by the log's key");
  }

  private static Proven prove(
      AuditReader.Found found,
      Pseudonym subject,
      TileTree tree,
      long size,
      SignedNote checkpoint,
      List<VerifierKey> keys)
      throws IOException {
    long index = found.index();
    AuditEntry entry = found.entry();
    byte[] bytes = tree.entry(index);
    if (!found.intact() || !Arrays.equals(bytes, entry.canonical())) {
      throw broken(index, "the database and the published log do not say the same");
    }
    if (entry.subject() != null && !entry.subject().equals(subject)) {
      throw broken(index, "it is about somebody else");
    }
    LogProof proof = new LogProof(index, tree.inclusion(index, size), checkpoint);
    String problem = proof.problem(bytes, keys);
    if (problem != null) {
      throw broken(index, problem);
    }
    return new Proven(index, entry, bytes, proof);
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
