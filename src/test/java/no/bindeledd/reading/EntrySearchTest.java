package no.bindeledd.reading;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.sql.Connection;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import no.bindeledd.audit.Archiving;
import no.bindeledd.audit.AuditEntry;
import no.bindeledd.audit.AuditReader;
import no.bindeledd.audit.LedgerException;
import no.bindeledd.audit.LogDirectory;
import no.bindeledd.audit.LogPublisher;
import no.bindeledd.audit.Shard;
import no.bindeledd.person.Pseudonym;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every query gives exactly what a look at every entry gives, with and without the index. */
@SuppressWarnings("NullAway.Init")
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class EntrySearchTest {
  private static final Instant START = Instant.parse("2026-09-01T08:00:00Z");
  private static final List<String> SCHOOLS = List.of("311000004", "311122134");

  /** Two whole blocks and a rest. */
  private static final int ENTRIES = 2 * Blocks.SIZE + 3000;

  @TempDir static Path folder;
  private static TestLedger ledger;
  private static EntrySearch search;
  private static List<AuditEntry> all;

  @BeforeAll
  static void write() throws Exception {
    ledger = new TestLedger();
    search = new EntrySearch(ledger.source);
    Random random = new Random(4);
    all = new ArrayList<>();
    for (int i = 0; i < ENTRIES; i++) {
      all.add(entry(i, random));
    }
    ledger.append(all);
  }

  @AfterAll
  static void stop() throws Exception {
    ledger.close();
  }

  private static AuditEntry entry(int i, Random random) {
    Instant at = START.plusSeconds(i).plusSeconds(random.nextInt(30)); // not quite in order
    String trace = String.format("00-%032x-00f067aa0ba902b7-01", i / 5 + 1);
    String message = String.format("%032x", i / 2);
    if (i % 2 == 1) {
      return TestLedger.delivery(at, "dropout-notice", SCHOOLS.getFirst(), "ot", message, trace);
    }
    boolean rare = i == 5000 || i == 66_004;
    String outcome = rare ? "DEIDENTIFIED" : i % 10 == 0 ? "REFUSED" : "RELEASED";
    return TestLedger.decision(
        at,
        i % 3 == 0 ? "measure-event" : "dropout-notice",
        SCHOOLS.get(random.nextInt(2)),
        "311013572",
        TestLedger.person(i % 400),
        message,
        trace,
        outcome,
        outcome,
        List.of("opplaeringslova-25-8@" + (1 + i % 4 / 2), "forvaltningsloven-13b@2"),
        List.of(),
        List.of("/reference"),
        List.of());
  }

  private static EntryQuery query(
      @Nullable Integer person,
      @Nullable String message,
      @Nullable String trace,
      @Nullable String organisation,
      @Nullable String exchange,
      @Nullable String outcome,
      @Nullable String rule,
      @Nullable Integer from,
      @Nullable Integer to) {
    return new EntryQuery(
        person == null ? null : TestLedger.person(person),
        message,
        trace,
        organisation,
        exchange,
        outcome,
        rule,
        from == null ? null : START.plusSeconds(from),
        to == null ? null : START.plusSeconds(to));
  }

  static Stream<EntryQuery> queries() {
    String message = String.format("%032x", 1234);
    String trace = String.format("%032x", 77);
    return Stream.of(
        EntryQuery.ALL,
        query(6, null, null, null, null, null, null, null, null),
        query(7, null, null, null, null, null, null, null, null), // nobody
        query(null, message, null, null, null, null, null, null, null),
        query(null, null, trace, null, null, null, null, null, null),
        query(
            null, null, "00-" + trace + "-00f067aa0ba902b7-01", null, null, null, null, null, null),
        query(null, null, null, SCHOOLS.get(1), null, null, null, null, null),
        query(null, null, null, "311013572", null, null, null, null, null),
        query(null, null, null, null, "measure-event", null, null, null, null),
        query(null, null, null, null, "no-such-exchange", null, null, null, null),
        query(null, null, null, null, null, "DEIDENTIFIED", null, null, null),
        query(null, null, null, null, null, "DELIVERED", null, 9000, 9500),
        query(null, null, null, null, null, null, "opplaeringslova-25-8@2", null, null),
        query(null, null, null, null, null, null, "opplaeringslova-25-8", null, null),
        query(null, null, null, null, null, null, "school-ot@1", null, null),
        query(null, null, null, null, null, null, "school-ot@2", null, null),
        query(null, null, null, null, null, null, null, 8100, 8300),
        query(null, null, null, null, null, null, null, null, 100),
        query(null, null, null, null, null, null, null, 17_000, null),
        query(null, null, null, null, null, null, null, 32_700, 32_900), // in two blocks
        query(null, null, null, null, null, null, null, 50_000, 50_001),
        query(6, null, null, SCHOOLS.get(0), "measure-event", "RELEASED", "school-ot", 10, 18_000),
        query(null, null, null, SCHOOLS.get(0), "measure-event", "REFUSED", null, null, 12_000));
  }

  @Order(1)
  @ParameterizedTest
  @MethodSource("queries")
  void withoutAnIndexEverythingIsFound(EntryQuery query) throws Exception {
    assertThat(pages(query, 1000)).isEqualTo(expected(query));
  }

  @Test
  @Order(2)
  void whatIsNotAWholeBlockIsLeftAlone() throws Exception {
    EntryIndex index = new EntryIndex(ledger.source);
    assertThat(index.indexNextBlock()).isTrue();
    assertThat(pages(query(6, null, null, null, null, null, null, null, null), 7))
        .isEqualTo(expected(query(6, null, null, null, null, null, null, null, null)));
    assertThat(index.indexNextBlock()).isTrue();
    assertThat(index.indexNextBlock()).isFalse();
  }

  @Order(3)
  @ParameterizedTest
  @MethodSource("queries")
  void withTheIndexTheSameIsFound(EntryQuery query) throws Exception {
    assertThat(pages(query, 1000)).isEqualTo(expected(query));
  }

  @Test
  @Order(4)
  void aBlockTellsWhereATimeBeginsAndEnds() throws Exception {
    Blocks.Block second =
        new Blocks.Block(
            1, START.plusSeconds(Blocks.SIZE), START.plusSeconds(2 * Blocks.SIZE + 30));
    try (Connection connection = ledger.source.getConnection()) {
      Instant time = START.plusSeconds(50_000);
      assertThat(Steps.from(connection, second, time)).isBetween(48_000L, 50_000L);
      assertThat(Steps.to(connection, second, time)).isBetween(49_970L, 51_200L);
      assertThat(Steps.from(connection, second, null)).isEqualTo(second.from());
      assertThat(Steps.to(connection, second, null)).isEqualTo(second.to());
      assertThat(Steps.to(connection, second, Instant.MAX)).isEqualTo(second.to());
      assertThat(Steps.from(connection, second, START)).isEqualTo(second.from());
    }
    EntryQuery query = query(null, null, null, null, null, null, null, 32_700, 50_001);
    ledger.sql("UPDATE audit_block SET steps = NULL"); // indexed before there were any
    assertThat(pages(query, 1000)).isEqualTo(expected(query));
  }

  @Test
  @Order(5)
  void whatIsArchivedIsFoundToo() throws Exception {
    LogDirectory log = LogDirectory.of(folder, TestLedger.ORIGIN);
    new LogPublisher(ledger.source, ledger.ledger, ledger.key, log, LogPublisher.Cosigners.NONE)
        .publish();
    try (Connection connection = ledger.source.getConnection()) {
      Archiving.Ready ready =
          Objects.requireNonNull(
              Archiving.prepare(
                  connection, Shard.FIRST, log, ledger.key.verifiers(), folder, Instant.MAX));
      Archiving.move(connection, ready, START);
      sameIsFound();
      ledger.sql("TRUNCATE audit_block, audit_flow, audit_posting, audit_term");
      assertThat(pages(query(6, null, null, null, null, null, null, null, null), 100))
          .isEqualTo(expected(query(6, null, null, null, null, null, null, null, null)));
      EntryIndex index = new EntryIndex(ledger.source);
      assertThat(index.indexNextBlock()).isTrue();
      sameIsFound();
      assertThat(index.indexNextBlock()).isTrue();
      assertThat(index.indexNextBlock()).isFalse();
    }
  }

  private static void sameIsFound() throws Exception {
    EntryQuery person = query(6, null, null, null, null, null, null, null, null);
    EntryQuery rare = query(null, null, null, null, null, "DEIDENTIFIED", null, null, null);
    EntryQuery time = query(null, null, null, null, null, null, null, 8100, 8300);
    for (EntryQuery query : List.of(person, rare, time)) {
      assertThat(pages(query, 100)).isEqualTo(expected(query));
    }
    try (Connection connection = ledger.source.getConnection()) {
      assertThat(EntrySearch.about(connection, TestLedger.person(6)))
          .extracting(AuditReader.Found::index)
          .containsExactlyElementsOf(about(TestLedger.person(6)));
    }
  }

  /** The person's entries and those of the same messages, by looking at all. */
  private static List<Long> about(Pseudonym person) {
    Set<String> messages = new HashSet<>();
    for (AuditEntry entry : all) {
      if (person.equals(entry.subject())) {
        messages.add(Objects.requireNonNull(entry.message()));
      }
    }
    return LongStream.range(0, all.size())
        .filter(i -> messages.contains(all.get((int) i).message()))
        .boxed()
        .toList();
  }

  @Test
  @Order(14)
  void pagesStayWholeWhileTheLedgerGrows() throws Exception {
    EntryQuery query = query(null, null, null, null, "measure-event", "REFUSED", null, null, null);
    List<Long> expected = expected(query);
    EntrySearch.Page first = search.search(query, null, 100);
    ledger.append(all.subList(0, 100));
    List<Long> read = new ArrayList<>(indexes(first));
    for (Place before = first.before(); before != null; ) {
      EntrySearch.Page next = search.search(query, before, 100);
      read.addAll(indexes(next));
      before = next.before();
    }
    assertThat(read).isEqualTo(expected);
  }

  @Test
  @Order(15)
  void aDamagedEntryIsNamedAndThePagesBehindItCanBeRead() throws Exception {
    long newest = ENTRIES + 99;
    ledger.sql("UPDATE audit_entry SET entry = '\\x00' WHERE idx = " + newest);
    assertThatThrownBy(() -> search.search(EntryQuery.ALL, null, 10))
        .isInstanceOf(LedgerException.class)
        .hasMessageContaining(String.valueOf(newest));
    assertThat(search.search(EntryQuery.ALL, Place.parse("" + newest), 10).entries()).hasSize(10);
  }

  @Test
  @Order(16)
  void anEntryThatWasAlteredIsMarked() throws Exception {
    ledger.sql("UPDATE audit_entry SET outcome = 'RELEASED' WHERE idx = 66004");
    EntryQuery query = query(null, null, null, null, null, "DEIDENTIFIED", null, null, null);
    AuditReader.Found found =
        search.search(query, Place.parse("" + (ENTRIES - 1L)), 10).entries().getFirst();
    assertThat(found.intact()).isFalse();
    assertThat(
            EntryView.of(new EntrySearch.Page(List.of(found), Place.parse("0"), false), true)
                .getFirst()
                .intact())
        .isFalse();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, -1, 1001})
  @Order(17)
  void aPageHasALimit(int limit) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> search.search(EntryQuery.ALL, null, limit));
  }

  @Test
  @Order(18)
  void nothingThatLooksLikeAnIdentityNumberIsTakenAsAFilter() {
    String number = "14830851160";
    assertThatIllegalArgumentException()
        .isThrownBy(() -> query(null, number, null, null, null, null, null, null, null))
        .withMessageNotContaining(number);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> query(null, null, number, null, null, null, null, null, null));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> query(null, null, null, number, null, null, null, null, null));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> query(null, null, null, null, number, null, null, null, null));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> query(null, null, null, null, null, number, null, null, null));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> query(null, null, null, null, null, null, number, null, null));
  }

  @Test
  @Order(19)
  void whoMayNotSeeSubjectsSeesNothingThatTiesEntriesToAPerson() {
    AuditEntry entry =
        TestLedger.decision(
            START,
            "measure-event",
            SCHOOLS.getFirst(),
            "311013572",
            TestLedger.person(1),
            "ab",
            "cd",
            "RELEASED",
            "RELEASED",
            List.of(),
            List.of("6f1d3f0e-58a8-4f0e-9d3c-0f8d7a9b1c2d@1"),
            List.of(),
            List.of());
    AuditReader.Found found = new AuditReader.Found(1, entry, true);
    EntrySearch.Page page = new EntrySearch.Page(List.of(found), Place.parse("0"), false);
    EntryView without = EntryView.of(page, false).getFirst();
    assertThat(without.subject()).isNull();
    assertThat(without.consents()).isEmpty();
    EntryView with = EntryView.of(page, true).getFirst();
    assertThat(with.subject()).isEqualTo(TestLedger.person(1).value());
    assertThat(with.consents()).hasSize(1);
  }

  private static List<Long> expected(EntryQuery query) {
    List<Long> indexes = new ArrayList<>();
    for (int i = ENTRIES - 1; i >= 0; i--) {
      if (query.matches(all.get(i))) {
        indexes.add((long) i);
      }
    }
    return indexes;
  }

  private static List<Long> pages(EntryQuery query, int limit) throws Exception {
    List<Long> indexes = new ArrayList<>();
    Place before = null;
    do {
      EntrySearch.Page page = search.search(query, before, limit);
      assertThat(page.entries()).hasSizeLessThanOrEqualTo(limit);
      indexes.addAll(indexes(page));
      before = page.before();
    } while (before != null);
    return indexes;
  }

  private static List<Long> indexes(EntrySearch.Page page) {
    return page.entries().stream().map(AuditReader.Found::index).toList();
  }
}
