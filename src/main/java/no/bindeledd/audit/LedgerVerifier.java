package no.bindeledd.audit;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import javax.sql.DataSource;
import no.bindeledd.audit.ShardVerifier.Mark;
import no.bindeledd.audit.ShardVerifier.MarkSource;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGStatement;

/**
 * Checks a whole ledger in the database, in one snapshot and constant memory: of every shard each
 * entry's leaf hash and columns, order and gaps, the root at every kept checkpoint and at every one
 * that another shard names, every signature. It trusts nothing stored but what a verifier key has
 * signed.
 *
 * <p>An entry that was altered alone is named by its recorded leaf hash. One that was rewritten
 * together with that hash can be narrowed down to the entries between two known checkpoints.
 */
public final class LedgerVerifier {
  private static final int FETCH = 2000;

  private final List<VerifierKey> keys;
  private final Set<Long> disregarded;
  private final Map<Shard, Head> heads = new TreeMap<>();
  private final ShreddingCheck shredding = new ShreddingCheck();
  private long entries;

  private record Head(String origin, Mark mark) {}

  private LedgerVerifier(List<VerifierKey> keys, Set<Long> disregarded) {
    this.keys = keys;
    this.disregarded = disregarded;
  }

  /** As the other, with no checkpoint from outside: then a cut-off newest part goes unseen. */
  public static Verification verify(
      DataSource source, List<VerifierKey> keys, ProgressListener progress) throws SQLException {
    return verify(source, keys, List.of(), progress);
  }

  /** As the other, believing all cross-links. */
  public static Verification verify(
      DataSource source, List<VerifierKey> keys, List<SignedNote> known, ProgressListener progress)
      throws SQLException {
    return verify(source, keys, known, Set.of(), progress);
  }

  /**
   * Checks everything and stops at the first problem.
   *
   * @param keys all keys the logs have had
   * @param known signed checkpoints remembered outside the database, which the ledger must extend
   * @param disregarded numbers of cross-links whose word about another shard is not taken
   */
  public static Verification verify(
      DataSource source,
      List<VerifierKey> keys,
      List<SignedNote> known,
      Set<Long> disregarded,
      ProgressListener progress)
      throws SQLException {
    LedgerVerifier verifier = new LedgerVerifier(keys, disregarded);
    try (Connection connection = source.getConnection()) {
      boolean autoCommit = connection.getAutoCommit();
      connection.setAutoCommit(false);
      try (Statement statement = connection.createStatement()) {
        statement.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY");
        // Before the snapshot: a segment that is archived afterwards would be in neither place.
        statement.execute("LOCK TABLE audit_entry IN ACCESS SHARE MODE");
        String problem = verifier.firstProblem(connection, known, progress);
        return new Verification(problem == null, verifier.entries, problem);
      } finally {
        connection.rollback();
        connection.setAutoCommit(autoCommit);
      }
    }
  }

  private @Nullable String firstProblem(
      Connection connection, List<SignedNote> known, ProgressListener progress)
      throws SQLException {
    readHeads(connection);
    if (heads.isEmpty()) {
      return "There is no signed head: the ledger was never begun, or was removed";
    }
    for (SignedNote note : known) {
      String problem = beyond(note);
      if (problem != null) {
        return problem;
      }
    }
    String problem = strangers(connection);
    if (problem != null) {
      return problem;
    }
    long total = heads.values().stream().mapToLong(head -> head.mark().size()).sum();
    for (Map.Entry<Shard, Head> head : heads.entrySet()) {
      Shard shard = head.getKey();
      String origin = head.getValue().origin();
      ShardVerifier verifier =
          new ShardVerifier(VerifierKey.of(keys, origin), shard, origin, this::take);
      long before = entries;
      problem =
          verify(
              connection,
              verifier,
              head,
              known,
              (done, of) -> progress.progress(before + done, total));
      entries += verifier.size();
      if (problem != null) {
        return shard.number() == 0 ? problem : origin + ": " + problem;
      }
    }
    return shredding.problem();
  }

  private @Nullable String verify(
      Connection connection,
      ShardVerifier verifier,
      Map.Entry<Shard, Head> head,
      List<SignedNote> known,
      ProgressListener progress)
      throws SQLException {
    List<MarkSource> given = new ArrayList<>();
    given.add(remembered(head.getValue().origin(), known));
    List<PreparedStatement> open = new ArrayList<>();
    try {
      for (Map.Entry<Shard, Head> other : heads.entrySet()) {
        if (!other.getKey().equals(head.getKey())) {
          PreparedStatement links =
              connection.prepareStatement(
                  "SELECT "
                      + StoredEntry.COLUMNS
                      + " FROM audit_entry WHERE idx >= ? AND idx < ? AND outcome = '"
                      + CrossLink.OUTCOME
                      + "' ORDER BY idx");
          open.add(links);
          links.setFetchSize(FETCH);
          links.unwrap(PGStatement.class).setPrepareThreshold(-1);
          links.setLong(1, other.getKey().first());
          links.setLong(2, other.getKey().end());
          var archived =
              ArchivedSegment.within(connection, other.getKey().first(), other.getKey().end());
          given.add(
              new Links(
                  archived.iterator(),
                  links.executeQuery(),
                  other.getValue().origin(),
                  head.getValue().origin()));
        }
      }
      return verifier.firstProblem(connection, head.getValue().mark(), given, progress);
    } finally {
      for (PreparedStatement links : open) {
        links.close();
      }
    }
  }

  private void readHeads(Connection connection) throws SQLException {
    try (PreparedStatement select =
            connection.prepareStatement(
                "SELECT shard, origin, size, frontier, checkpoint FROM audit_head ORDER BY shard");
        ResultSet rs = select.executeQuery()) {
      while (rs.next()) {
        heads.put(
            new Shard(rs.getInt(1)),
            new Head(
                rs.getString(2),
                new Mark("The head", rs.getLong(3), rs.getBytes(4), rs.getString(5))));
      }
    }
  }

  /** A checkpoint from outside that says more than there is. */
  private @Nullable String beyond(SignedNote note) {
    Checkpoint checkpoint;
    try {
      checkpoint = Checkpoint.parse(note.text());
    } catch (IllegalArgumentException e) {
      return "A checkpoint given from outside is no checkpoint: " + e.getMessage();
    }
    Head head = head(checkpoint.origin());
    if (head == null) {
      return "A checkpoint from outside is of the log "
          + checkpoint.origin()
          + ", which is not in the database";
    }
    return checkpoint.size() <= head.mark().size()
        ? null
        : "Entry "
            + head.mark().size()
            + " is missing: the head says "
            + head.mark().size()
            + " entries, a checkpoint from outside "
            + checkpoint.size()
            + " (newest entries removed, or an old backup restored)";
  }

  private @Nullable Head head(String origin) {
    return heads.values().stream()
        .filter(head -> head.origin().equals(origin))
        .findFirst()
        .orElse(null);
  }

  /** Entries that belong to no log. */
  private @Nullable String strangers(Connection connection) throws SQLException {
    List<Shard> missing = new ArrayList<>();
    for (int number = 0; number < Shard.MOST; number++) {
      if (!heads.containsKey(new Shard(number))) {
        missing.add(new Shard(number));
      }
    }
    for (Shard shard : missing) {
      try (PreparedStatement select =
          connection.prepareStatement(
              "SELECT EXISTS (SELECT FROM audit_entry WHERE idx >= ? AND idx < ?)")) {
        select.setLong(1, shard.first());
        select.setLong(2, shard.number() == Shard.MOST - 1 ? Long.MAX_VALUE : shard.end());
        try (ResultSet rs = select.executeQuery()) {
          rs.next();
          if (rs.getBoolean(1)) {
            return "There are entries of " + shard + " and no signed head: it was removed";
          }
        }
      }
    }
    return null;
  }

  private static MarkSource remembered(String origin, List<SignedNote> known) {
    var marks =
        known.stream()
            .filter(note -> Checkpoint.parse(note.text()).origin().equals(origin))
            .map(
                note ->
                    new Mark(
                        "The checkpoint from outside",
                        Checkpoint.parse(note.text()).size(),
                        null,
                        note.encoded()))
            .sorted(Comparator.comparingLong(Mark::size))
            .iterator();
    return () -> marks.hasNext() ? marks.next() : null;
  }

  /** What another shard says of this one. That shard's own check proves the entries. */
  private final class Links implements MarkSource {
    private final Iterator<ArchivedSegment> archived;
    private final ResultSet rows;
    private final String by;
    private final String about;
    private final Deque<Mark> waiting = new ArrayDeque<>(); // those of one archived segment

    Links(Iterator<ArchivedSegment> archived, ResultSet rows, String by, String about) {
      this.archived = archived;
      this.rows = rows;
      this.by = by;
      this.about = about;
    }

    @Override
    public @Nullable Mark next() throws SQLException {
      while (waiting.isEmpty() && archived.hasNext()) {
        archived.next().crossLinks().forEach(this::look);
      }
      while (waiting.isEmpty() && rows.next()) {
        look(StoredEntry.read(rows));
      }
      return waiting.poll();
    }

    private void look(StoredEntry row) {
      if (!row.outcome().equals(CrossLink.OUTCOME) || disregarded.contains(row.index())) {
        return;
      }
      try {
        SignedNote note = CrossLink.read(row.parse());
        Checkpoint named = note == null ? null : Checkpoint.parse(note.text());
        if (note != null
            && named != null
            && named.origin().equals(about)
            && note.verify(VerifierKey.of(keys, about))) {
          String name =
              "The checkpoint that entry %d of %s holds".formatted(Shard.index(row.index()), by);
          waiting.add(new Mark(name, named.size(), null, note.encoded()));
        }
      } catch (IllegalArgumentException e) {
        // The check of its own shard names it.
      }
    }
  }

  private @Nullable String take(StoredEntry row) {
    shredding.take(row);
    if (!row.outcome().equals(CrossLink.OUTCOME) || disregarded.contains(row.index())) {
      return null;
    }
    try {
      SignedNote note = CrossLink.read(row.parse());
      if (note == null) {
        return null;
      }
      String origin = Checkpoint.parse(note.text()).origin();
      if (!note.verify(VerifierKey.of(keys, origin))) {
        return "it holds " + CrossLink.unsigned(origin, row.index());
      }
      return head(origin) != null
          ? null
          : "it holds a checkpoint of the log "
              + origin
              + ", which is not in the database any more";
    } catch (IllegalArgumentException e) {
      return "it is a cross-link and holds no checkpoint: " + e.getMessage();
    }
  }
}
