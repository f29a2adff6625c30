package no.bindeledd.gate;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import no.bindeledd.audit.AuditEntry;
import org.jspecify.annotations.Nullable;

/** What somebody gives the {@link Journal} to record, and waits for. */
sealed interface Submission {
  /** Completed when it is recorded, or is not. */
  CompletableFuture<?> future();

  /** How much it adds to a transaction. */
  int rows();

  /**
   * Messages that were judged.
   *
   * @param packed what leaves, encrypted
   * @param fromHeld they are in the database as held, and were judged again
   */
  record Envelopes(
      List<Envelope> envelopes,
      Packed packed,
      boolean fromHeld,
      CompletableFuture<List<Journal.Recorded>> future)
      implements Submission {
    @Override
    public int rows() {
      return envelopes.size();
    }
  }

  record Receipts(List<Journal.Receipt> receipts, CompletableFuture<@Nullable Void> future)
      implements Submission {
    @Override
    public int rows() {
      return receipts.size();
    }
  }

  /** Entries alone, and what was decided on, if anything was. */
  record Notes(
      List<AuditEntry> entries,
      DecisionArchive.@Nullable Kept decided,
      CompletableFuture<@Nullable Void> future)
      implements Submission {
    @Override
    public int rows() {
      return entries.size();
    }
  }

  /** A write of the rarer kinds. */
  record Other(Journal.Work work, CompletableFuture<@Nullable Void> future) implements Submission {
    @Override
    public int rows() {
      return 1;
    }
  }
}
