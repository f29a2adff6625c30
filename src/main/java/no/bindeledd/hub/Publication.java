package no.bindeledd.hub;

import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import no.bindeledd.audit.LedgerException;
import no.bindeledd.audit.LogPublisher;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Publishes the ledger once a second, beside the writing. Refuses to start on a log that is older
 * or other than the published one, or than what a witness has seen. Safe on any thread.
 */
public final class Publication implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Publication.class);
  private static final Duration PAUSE = Duration.ofSeconds(1);

  private final LogPublisher publisher;
  private final Following following;

  Publication(LogPublisher publisher) throws IOException, SQLException {
    this.publisher = publisher;
    publisher.open();
    publisher.publish();
    this.following =
        new Following(
            "the log's publication",
            PAUSE,
            () -> {
              now();
              return false;
            });
  }

  /**
   * Publishes what is confirmed now.
   *
   * @return entries published in all
   */
  public synchronized long now() throws IOException, SQLException {
    try {
      return publisher.publish();
    } catch (LedgerException e) {
      if (following.trouble() == null) {
        LOG.error("The log is not published: {}", e.getMessage());
      }
      throw e;
    }
  }

  /** What went wrong last, or null. */
  @Nullable String trouble() {
    return following.trouble();
  }

  @Override
  public void close() {
    following.close();
  }
}
