package no.bindeledd.hub;

import java.sql.SQLException;
import java.time.Instant;
import java.time.InstantSource;
import java.time.LocalDate;
import java.time.ZoneId;
import no.bindeledd.consent.ConsentRegistry;
import no.bindeledd.gate.HeldMessages;
import no.bindeledd.person.Pseudonym;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Time changes facts without anybody saying so. At midnight in Oslo people turn 16 and 18, laws
 * come into force and agreements lapse: everything that is held is judged again. When a consent or
 * block begins or ends, what is held about that person is. Not thread-safe: called again and again
 * from one thread.
 */
final class TurningPoints {
  private static final Logger LOG = LoggerFactory.getLogger(TurningPoints.class);
  private static final ZoneId OSLO = ZoneId.of("Europe/Oslo");

  private final ConsentRegistry consents;
  private final HeldMessages held;
  private final InstantSource clock;
  private Instant seen;

  /** From now on; what turned before is judged by the hub's start. */
  TurningPoints(ConsentRegistry consents, HeldMessages held, InstantSource clock) {
    this.consents = consents;
    this.held = held;
    this.clock = clock;
    this.seen = clock.instant();
  }

  /** Judges again whatever has turned since the last call. What fails is done by the next one. */
  void pass() {
    Instant now = clock.instant();
    try {
      if (!day(now).equals(day(seen))) {
        held.reconsiderAll();
      } else {
        for (Pseudonym subject : consents.turning(seen, now)) {
          held.reconsider(subject);
        }
      }
      seen = now;
    } catch (SQLException e) {
      LOG.warn(
          "It cannot be seen now whose consents begin or end (SQLSTATE {}); it is tried again",
          e.getSQLState());
    }
  }

  private static LocalDate day(Instant at) {
    return LocalDate.ofInstant(at, OSLO);
  }
}
