package no.bindeledd.audit;

import java.time.Instant;
import java.util.List;
import java.util.stream.IntStream;
import no.bindeledd.person.Pseudonym;
import org.jspecify.annotations.Nullable;

/** Entries as a hub would write them. */
final class Entries {
  private static final Instant START = Instant.parse("2026-09-01T08:00:00Z");

  private Entries() {}

  static Pseudonym subject(int person) {
    return new Pseudonym(String.format("%032x", 0x9e3779b97f4a7c15L * (person + 1)));
  }

  static List<AuditEntry> batch(int from, int count) {
    return IntStream.range(from, from + count).mapToObj(Entries::number).toList();
  }

  static AuditEntry number(int i) {
    return of(
        i % 3 == 0 ? "measure-event" : "dropout-notice",
        i % 5 == 0 ? "REFUSED" : "RELEASED",
        subject(i % 50),
        null,
        "message-" + i,
        START.plusMillis(i));
  }

  @SuppressWarnings("NullAway") // it does not read a nullable array from class files
  static AuditEntry of(
      String exchange,
      String outcome,
      @Nullable Pseudonym subject,
      byte @Nullable [] salt,
      String message,
      Instant at) {
    byte[] used = salt == null && subject != null ? AuditEntry.newSalt() : salt;
    return new AuditEntry(
        at,
        Station.DECIDE,
        exchange,
        "311000004",
        "311013572",
        subject,
        message,
        "4bf92f3577b34da6a3ce929d0e0e4736",
        outcome,
        outcome,
        List.of("opplaeringslova-25-8@1", "forvaltningsloven-13b@2"),
        "county-school@3",
        List.of("6f1d3f0e-58a8-4f0e-9d3c-0f8d7a9b1c2d@1"),
        "sha256:9f86d081884c7d65",
        "sha256:60303ae22b998861",
        List.of("/reference", "/foedselsnummer", "/skole/navn", "/avbruddsdato"),
        List.of("/fravaersprosent"),
        used == null ? null : AuditEntry.payloadHash(used, new byte[] {1}),
        used,
        null);
  }
}
