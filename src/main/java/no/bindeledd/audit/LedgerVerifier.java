package no.bindeledd.audit;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGStatement;

/**
 * Checks a whole ledger in the database, in one snapshot and constant memory: every entry's leaf
 * hash and columns, order and gaps, the root at every kept checkpoint, every signature. It trusts
 * nothing stored but what a verifier key has signed.
 *
 * <p>An entry that was altered alone is named by its recorded leaf hash. One that was rewritten
 * together with that hash can be narrowed down to the entries between two kept checkpoints.
 */
public final class LedgerVerifier {
  private static final int FETCH = 2000;
  private static final int PROGRESS_EVERY = 8192;
  private static final HexFormat HEX = HexFormat.of();

  private final List<VerifierKey> keys;
  private final TreeHash hash = new TreeHash();
  private final MerkleFrontier tree = new MerkleFrontier();
  private long proved; // the size up to which a signed root agreed
  private @Nullable String suspect; // the first entry that does not match its recorded hash
  private final ShreddedSet shredded = new ShreddedSet();
  private long firstUnrecorded = -1; // shredded, and after the newest record of it
  private byte @Nullable [] commitment; // of the newest record, and its salt
  private byte @Nullable [] commitmentSalt;
  private @Nullable MerkleFrontier recomputed; // from the suspect on, over hashes of the bytes

  private LedgerVerifier(List<VerifierKey> keys) {
    this.keys = keys;
  }

  /** As the other, with no checkpoint from outside: then a cut-off newest part goes unseen. */
  public static Verification verify(
      DataSource source, List<VerifierKey> keys, ProgressListener progress) throws SQLException {
    return verify(source, keys, List.of(), progress);
  }

  /**
   * Checks everything and stops at the first problem.
   *
   * @param keys all keys the log has had
   * @param known signed checkpoints remembered outside the database, which the ledger must extend
   */
  public static Verification verify(
      DataSource source, List<VerifierKey> keys, List<SignedNote> known, ProgressListener progress)
      throws SQLException {
    LedgerVerifier verifier = new LedgerVerifier(keys);
    try (Connection connection = source.getConnection()) {
      boolean autoCommit = connection.getAutoCommit();
      connection.setAutoCommit(false);
      try (Statement statement = connection.createStatement()) {
        statement.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY");
        String problem = verifier.firstProblem(connection, known, progress);
        return new Verification(problem == null, verifier.tree.size(), problem);
      } finally {
        connection.rollback();
        connection.setAutoCommit(autoCommit);
      }
    }
  }

  /** A place where the tree must have a signed root. */
  private record Mark(String name, long size, byte @Nullable [] frontier, String note) {}

  private @Nullable String firstProblem(
      Connection connection, List<SignedNote> known, ProgressListener progress)
      throws SQLException {
    List<Mark> heads = heads(connection);
    if (heads.size() != 1) {
      return heads.isEmpty()
          ? "There is no signed head: the ledger was never begun, or was removed"
          : "There are " + heads.size() + " signed heads, of different logs, where one is expected";
    }
    Mark head = heads.getFirst();
    List<Mark> remembered = new ArrayList<>();
    for (SignedNote note : known) {
      long size;
      try {
        size = Checkpoint.parse(note.text()).size();
      } catch (IllegalArgumentException e) {
        return "A checkpoint given from outside is no checkpoint: " + e.getMessage();
      }
      if (size > head.size()) {
        return "Entry "
            + head.size()
            + " is missing: the head says "
            + head.size()
            + " entries, a checkpoint from outside "
            + size
            + " (newest entries removed, or an old backup restored)";
      }
      remembered.add(new Mark("The checkpoint from outside", size, null, note.encoded()));
    }
    remembered.sort(Comparator.comparingLong(Mark::size));
    try (Statement kept = cursor(connection);
        ResultSet keptRows =
            kept.executeQuery(
                "SELECT size, frontier, checkpoint FROM audit_checkpoint ORDER BY size");
        Statement entries = cursor(connection);
        ResultSet rows =
            entries.executeQuery(
                "SELECT " + StoredEntry.COLUMNS + " FROM audit_entry ORDER BY idx")) {
      return walk(rows, new Marks(keptRows, remembered), head, progress);
    }
  }

  private @Nullable String walk(ResultSet rows, Marks marks, Mark head, ProgressListener progress)
      throws SQLException {
    Mark next = marks.next();
    while (next != null && next.size() == 0) {
      String problem = check(next);
      if (problem != null) {
        return problem;
      }
      next = marks.next();
    }
    while (rows.next()) {
      String problem = take(StoredEntry.read(rows), head.size());
      while (problem == null && next != null && next.size() <= tree.size()) {
        problem = check(next);
        next = marks.next();
      }
      if (problem != null) {
        return problem;
      }
      if (tree.size() % PROGRESS_EVERY == 0) {
        progress.progress(tree.size(), head.size());
      }
    }
    progress.progress(tree.size(), head.size());
    if (tree.size() < head.size()) {
      return broken(
          "Entry " + tree.size() + " is missing: the signed head says " + head.size() + " entries");
    }
    if (next != null) {
      return broken(
          "Entry " + tree.size() + " is missing: a checkpoint was kept at size " + next.size());
    }
    String problem = check(head);
    return problem == null ? unrecordedShredding() : problem;
  }

  /** Remembers what was shredded, and the newest record of it. */
  private void note(StoredEntry row) {
    if (row.shredded()) {
      shredded.add(row.index());
      firstUnrecorded = firstUnrecorded < 0 ? row.index() : firstUnrecorded;
    } else if (row.station().equals(Station.ADMIN.name())
        && row.outcome().equals(Shredder.SHREDDED)) {
      AuditEntry record = row.parse();
      commitment = record.payloadHash();
      commitmentSalt = record.salt();
      firstUnrecorded = -1;
    }
  }

  private @Nullable String unrecordedShredding() {
    if (firstUnrecorded >= 0) {
      return "Entry "
          + firstUnrecorded
          + " is broken: its subject and salt are gone, and nothing after it records that they were"
          + " destroyed";
    }
    if (commitment == null || commitmentSalt == null) {
      return null;
    }
    byte[] found = AuditEntry.payloadHash(commitmentSalt, shredded.digest());
    return Arrays.equals(found, commitment)
        ? null
        : "Not the entries on record were shredded: "
            + shredded.count()
            + " entries have neither subject nor salt, their set hashes to "
            + hex(found)
            + ", recorded is "
            + hex(commitment);
  }

  /** Adds one entry to the tree, unless it breaks the sequence. */
  private @Nullable String take(StoredEntry row, long size) {
    long index = tree.size();
    if (row.index() > index) {
      return broken("Entry " + index + " is missing: the next stored has index " + row.index());
    }
    if (row.index() < index) {
      return broken("Entry " + row.index() + " is stored more than once, or is below index 0");
    }
    if (index >= size) {
      return broken("Entry " + index + " is not signed: the head says " + size + " entries");
    }
    byte[] found = row.leafHash(hash);
    String wrong =
        Arrays.equals(found, row.leaf())
            ? row.disagreement()
            : "its recorded hash is " + hex(row.leaf()) + ", its bytes hash to " + hex(found);
    if (wrong == null) {
      note(row);
    }
    if (wrong != null && suspect == null) {
      suspect = "Entry " + index + " is broken: " + wrong;
      recomputed = tree.copy();
    }
    if (recomputed != null) {
      recomputed.append(found);
    }
    tree.append(
        row.leaf()); // so that the next checkpoint tells whether an earlier one is broken too
    return null;
  }

  /** Adds what is known of the entries since the last proved checkpoint. */
  private String broken(String problem) {
    return suspect != null ? suspect + ". Then: " + problem : problem;
  }

  /** Compares the tree, which has the mark's size, with what was signed. */
  private @Nullable String check(Mark mark) {
    Checkpoint signed;
    try {
      SignedNote note = SignedNote.parse(mark.note());
      if (!note.verify(keys)) {
        return broken(mark.name() + " at size " + mark.size() + " is not signed by a known key");
      }
      signed = Checkpoint.parse(note.text());
    } catch (IllegalArgumentException e) {
      return broken(mark.name() + " at size " + mark.size() + " cannot be read: " + e.getMessage());
    }
    byte[] root = tree.root();
    if (signed.size() != mark.size() || mark.size() != tree.size()) {
      return broken(
          mark.name() + " stored at size " + mark.size() + " is signed for size " + signed.size());
    }
    if (recomputed != null && Arrays.equals(recomputed.root(), signed.root())) {
      return suspect; // the bytes are what was signed: the recorded hash or a column was altered
    }
    if (!Arrays.equals(root, signed.root())) {
      String range =
          tree.size() == 0
              ? "The empty tree"
              : "The first broken entry is one of " + proved + " to " + (tree.size() - 1);
      String roots =
          ": at size "
              + tree.size()
              + " the signed root is "
              + hex(signed.root())
              + ", the recorded hashes give "
              + hex(root);
      return range + roots + (suspect == null ? "" : ". Also: " + suspect);
    }
    if (suspect != null) {
      return suspect;
    }
    if (mark.frontier() != null && !Arrays.equals(mark.frontier(), tree.serialise())) {
      return mark.name() + " at size " + mark.size() + " has a frontier that is not the tree's";
    }
    proved = tree.size();
    return null;
  }

  private static List<Mark> heads(Connection connection) throws SQLException {
    List<Mark> heads = new ArrayList<>();
    try (Statement statement = connection.createStatement();
        ResultSet rs =
            statement.executeQuery("SELECT size, frontier, checkpoint FROM audit_head LIMIT 100")) {
      while (rs.next()) {
        heads.add(new Mark("The head", rs.getLong(1), rs.getBytes(2), rs.getString(3)));
      }
    }
    return heads;
  }

  /** Rows come in portions, in PostgreSQL's binary form. */
  private static Statement cursor(Connection connection) throws SQLException {
    Statement statement = connection.createStatement();
    statement.setFetchSize(FETCH);
    statement.unwrap(PGStatement.class).setPrepareThreshold(-1);
    return statement;
  }

  private static String hex(byte[] bytes) {
    return HEX.formatHex(bytes);
  }

  /** The kept checkpoints and those from outside, by size. */
  private static final class Marks {
    private final ResultSet kept;
    private final List<Mark> remembered;
    private @Nullable Mark nextKept;
    private int nextRemembered;

    Marks(ResultSet kept, List<Mark> remembered) throws SQLException {
      this.kept = kept;
      this.remembered = remembered;
      this.nextKept = readKept();
    }

    @Nullable Mark next() throws SQLException {
      Mark outside = nextRemembered < remembered.size() ? remembered.get(nextRemembered) : null;
      Mark inside = nextKept;
      if (inside != null && (outside == null || inside.size() <= outside.size())) {
        nextKept = readKept();
        return inside;
      }
      nextRemembered++;
      return outside;
    }

    private @Nullable Mark readKept() throws SQLException {
      return kept.next()
          ? new Mark("The kept checkpoint", kept.getLong(1), kept.getBytes(2), kept.getString(3))
          : null;
    }
  }
}
