package no.bindeledd.reading;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.sql.Connection;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import no.bindeledd.audit.AuditEntry;
import no.bindeledd.audit.LedgerException;
import no.bindeledd.audit.LogDirectory;
import no.bindeledd.audit.LogProof;
import no.bindeledd.audit.LogPublisher;
import no.bindeledd.audit.VerifierKey;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.ContractReader;
import no.bindeledd.exchange.Text;
import no.bindeledd.policy.PolicyPack;
import org.apache.pdfbox.Loader;
import org.apache.pdfbox.pdmodel.PDDocument;
import org.apache.pdfbox.text.PDFTextStripper;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.w3c.dom.Document;
import org.w3c.dom.Element;

/** The report to the person concerned: everything, in words, and only what is proved. */
@SuppressWarnings("NullAway.Init")
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class SubjectReportTest {
  private static final Instant AT = Instant.parse("2026-09-01T08:00:00Z");
  private static final String SCHOOL = "311000004";
  private static final String OT = "311013572";
  private static final String CONSENT = "6f1d3f0e-58a8-4f0e-9d3c-0f8d7a9b1c2d@1";
  private static final ObjectMapper JSON = new ObjectMapper();

  private static TestLedger ledger;
  private static LogDirectory log;
  private static LogPublisher publisher;
  private static Glossary glossary;
  private static Map<String, byte[]> files;

  @BeforeAll
  static void write() throws Exception {
    ledger = new TestLedger();
    log = new LogDirectory(Files.createTempDirectory("reading-log-"));
    publisher =
        new LogPublisher(
            ledger.source, ledger.ledger, ledger.key, log, LogPublisher.Cosigners.NONE);
    publisher.open();
    glossary = glossary();
    ledger.append(others(0, 700));
    ledger.append(
        List.of(
            decision(
                1,
                "aa11",
                "REDUCED",
                List.of("/foedselsnummer", "/skole"),
                List.of("/fravaersprosent")),
            TestLedger.delivery(AT.plusSeconds(90), "dropout-notice", SCHOOL, "ot", "aa11", "cd"),
            decision(2, "aa22", "REFUSED", List.of(), List.of()),
            consent(),
            ReadRecord.of(
                AT.plusSeconds(4),
                ReadRecord.Kind.SUBJECTS_READ,
                "311108565",
                TestLedger.person(1000),
                null,
                "one person",
                3)));
    ledger.append(others(700, 900));
    publisher.publish();
    files = ReportFiles.of(trail(1000), glossary, keys(), AT.plusSeconds(3600));
  }

  @AfterAll
  static void stop() throws Exception {
    ledger.close();
  }

  private static Glossary glossary() throws Exception {
    List<Contract> contracts = new ArrayList<>();
    try (Stream<Path> folders = Files.list(Path.of("routes"))) {
      ContractReader reader = new ContractReader();
      folders.sorted().forEach(folder -> contracts.add(reader.read(folder)));
    }
    return new Glossary(
        PolicyPack.read(Path.of("policies")),
        contracts,
        number ->
            number.equals(OT) ? new Text("Oppfølgingstjenesten", "The follow-up service") : null);
  }

  private static List<AuditEntry> others(int from, int to) {
    return IntStream.range(from, to)
        .mapToObj(
            i ->
                TestLedger.decision(
                    AT.plusSeconds(i),
                    "dropout-notice",
                    SCHOOL,
                    OT,
                    TestLedger.person(i),
                    "b" + i,
                    "cd",
                    "RELEASED",
                    "RELEASED",
                    List.of(),
                    List.of(),
                    List.of("/reference"),
                    List.of()))
        .toList();
  }

  private static AuditEntry decision(
      int second, String message, String outcome, List<String> released, List<String> withheld) {
    return TestLedger.decision(
        AT.plusSeconds(second),
        "dropout-notice",
        SCHOOL,
        OT,
        TestLedger.person(1000),
        message,
        "cd",
        outcome,
        outcome.equals("REFUSED") ? "NO_BASIS" : outcome,
        outcome.equals("REFUSED") ? List.of() : List.of("oppl-9-4-dropout@1"),
        List.of(),
        released,
        withheld);
  }

  private static AuditEntry consent() {
    return TestLedger.consent(AT.plusSeconds(3), "311067850", TestLedger.person(1000), CONSENT);
  }

  private static List<VerifierKey> keys() {
    return ledger.key.verifiers();
  }

  private static SubjectTrail trail(int person) throws Exception {
    try (Connection connection = ledger.source.getConnection()) {
      return SubjectTrail.read(connection, log, keys(), TestLedger.person(person));
    }
  }

  private static String text(String name) {
    return new String(files.get(name), StandardCharsets.UTF_8);
  }

  @Test
  @Order(1)
  void itTellsInBothLanguagesWhatWasSharedWithheldStoppedAndRead() {
    assertThat(text("report.nb.html"))
        .contains("Dette er delt")
        .contains("1. september 2026 kl. 10.00")
        .contains("organisasjon 311000004")
        .contains("Oppfølgingstjenesten (org.nr. 311013572)")
        .contains("Delte opplysninger om")
        .contains("fødselsnummer og fødselsdato")
        .contains("Holdt tilbake")
        .contains("fraværsoversikt")
        .contains("Opplæringslova § 9-4: Oppfølgingstjenesten skal ha")
        .contains("oppfølging av ungdom")
        .contains("10 år")
        .contains("Avtale mellom skolene og oppfølgingstjenesten")
        .contains("levert 1. september 2026 kl. 10.01")
        .contains("Det finnes ikke et rettslig grunnlag som gjelder nå for denne delingen.")
        .contains("Samtykke gitt")
        .contains("organisasjon 311108565")
        .contains("Datatilsynet");
    assertThat(text("report.en.html"))
        .contains("What was shared")
        .contains("The follow-up service (org. no. 311013572)")
        .contains("absence overview")
        .contains("No legal basis in force now covers this sharing.")
        .contains("delivered 1 September 2026 at 10:01")
        .contains("Consent given");
  }

  @ParameterizedTest
  @ValueSource(strings = {"report.nb.html", "report.en.html"})
  @Order(2)
  void thePageCanBeReadByAnybody(String name) throws Exception {
    DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
    Document page = factory.newDocumentBuilder().parse(new ByteArrayInputStream(files.get(name)));
    Element root = page.getDocumentElement();
    assertThat(root.getAttribute("lang")).isEqualTo(name.substring(7, 9));
    assertThat(page.getElementsByTagName("title").item(0).getTextContent()).isNotBlank();
    assertThat(page.getElementsByTagName("h1").getLength()).isEqualTo(1);
    assertThat(page.getElementsByTagName("main").getLength()).isEqualTo(1);
    assertThat(page.getElementsByTagName("script").getLength()).isZero();
    for (int i = 0; i < page.getElementsByTagName("th").getLength(); i++) {
      Element header = (Element) page.getElementsByTagName("th").item(i);
      assertThat(header.getAttribute("scope")).isIn("col", "row");
    }
    int level = 0;
    for (int i = 0; i < page.getElementsByTagName("*").getLength(); i++) {
      String tag = page.getElementsByTagName("*").item(i).getNodeName();
      if (tag.matches("h[1-6]")) {
        int next = tag.charAt(1) - '0';
        assertThat(next).as("no heading level is skipped").isLessThanOrEqualTo(level + 1);
        level = next;
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"nb", "en"})
  @Order(3)
  void thePdfSaysTheSameAndIsTagged(String language) throws Exception {
    try (PDDocument pdf = Loader.loadPDF(files.get("report." + language + ".pdf"))) {
      assertThat(pdf.getDocumentCatalog().getLanguage()).startsWith(language);
      assertThat(pdf.getDocumentCatalog().getMarkInfo().isMarked()).isTrue();
      assertThat(pdf.getDocumentCatalog().getStructureTreeRoot()).isNotNull();
      assertThat(new PDFTextStripper().getText(pdf).replaceAll("\\s+", " "))
          .contains(language.equals("nb") ? "fraværsoversikt" : "absence overview");
    }
  }

  @Test
  @Order(4)
  void everyEntryComesWithAProofThatStandsAlone() throws Exception {
    JsonNode proofs = JSON.readTree(files.get("proofs.json"));
    assertThat(proofs.path("entries")).hasSize(5);
    List<VerifierKey> keys = List.of(VerifierKey.parse(proofs.path("vkeys").get(0).asText()));
    byte[] pseudonym = HexFormat.of().parseHex(proofs.path("pseudonym").asText());
    int named = 0;
    for (JsonNode each : proofs.path("entries")) {
      byte[] entry = each.path("entry").asText().getBytes(StandardCharsets.UTF_8);
      assertThat(LogProof.parse(each.path("proof").asText()).problem(entry, keys)).isNull();
      if (each.has("salt")) {
        MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
        sha256.update(HexFormat.of().parseHex(each.path("salt").asText()));
        sha256.update((byte) 1);
        assertThat(JSON.readTree(entry).path("subject").asText())
            .isEqualTo(HexFormat.of().formatHex(sha256.digest(pseudonym)));
        named++;
      }
    }
    assertThat(named).isEqualTo(4);
  }

  @Test
  @Order(5)
  void nobodyElseIsInIt() throws Exception {
    assertThat(trail(1).entries()).hasSize(1);
    assertThat(trail(4711).entries()).isEmpty();
    Map<String, byte[]> empty = ReportFiles.of(trail(4711), glossary, keys(), AT);
    assertThat(new String(empty.get("report.nb.html"), StandardCharsets.UTF_8))
        .contains("Ingenting er delt om deg.");
  }

  @Test
  @Order(6)
  void anythingThatXmlDoesNotAllowIsShownAsAQuestionMark() {
    assertThat(ReportPage.escaped("a<b>&\"\u0001\uD800\uFFFEæ"))
        .isEqualTo("a&lt;b&gt;&amp;&quot;???æ");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "UPDATE audit_entry SET outcome = 'RELEASED' WHERE idx = 702",
        "UPDATE audit_entry SET entry = overlay(entry placing 'x' from 20), leaf ="
            + " sha256('\\x00' || overlay(entry placing 'x' from 20)) WHERE idx = 700",
        "UPDATE audit_entry SET salt = '\\x00112233445566778899aabbccddeeff' WHERE idx = 703",
        "UPDATE audit_entry SET subject = (SELECT subject FROM audit_entry WHERE idx = 700) WHERE"
            + " idx = 5"
      })
  @Order(7)
  void aBrokenEntryStopsTheReportAndIsNamed(String tampering) throws Exception {
    ledger.sql("CREATE TABLE untouched AS SELECT * FROM audit_entry");
    try {
      ledger.sql(tampering);
      assertThatThrownBy(() -> trail(1000))
          .isInstanceOf(LedgerException.class)
          .hasMessageMatching("Entry (700|702|703|5) .*");
    } finally {
      ledger.sql(
          "DELETE FROM audit_entry; INSERT INTO audit_entry SELECT * FROM untouched;"
              + " DROP TABLE untouched");
    }
  }

  @Test
  @Order(8)
  void aPublishedLogThatAnotherKeySignedIsNotUsed() throws Exception {
    VerifierKey other =
        no.bindeledd.audit.LogKey.open(
                Files.createTempDirectory("reading-").resolve("log.key"), TestLedger.ORIGIN)
            .verifier();
    try (Connection connection = ledger.source.getConnection()) {
      assertThatThrownBy(
              () -> SubjectTrail.read(connection, log, List.of(other), TestLedger.person(1000)))
          .isInstanceOf(LedgerException.class)
          .hasMessageContaining("not signed");
    }
  }
}
