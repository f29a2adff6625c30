package no.bindeledd.policy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import no.bindeledd.exchange.AgencyKind;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.ContractReader;
import no.bindeledd.exchange.Problem;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.person.Protection;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PolicyPackTest {
  private static final Path SHIPPED = Path.of("policies");
  private static final Instant AT = Instant.parse("2026-09-01T10:00:00Z");

  private final PolicyPack shipped = PolicyPack.read(SHIPPED);

  @Test
  void anEmptyPackRefusesEverything(@TempDir Path folder) {
    PolicyPack empty = PolicyPack.read(folder);
    for (Contract contract : Exchanges.ALL.values()) {
      Contract.Recipient to = contract.to().getFirst();
      Decision decision =
          empty.decide(
              contract, to.view(), facts(contract, nameOf(contract), to.name(), List.of()));
      assertThat(decision.outcome()).as(contract.id()).isEqualTo(Outcome.REFUSED);
      assertThat(decision.grounds().reason()).isEqualTo(ReasonCode.NO_AGREEMENT);
    }
  }

  @Test
  void theHashFollowsTheNamesAndBytesOfTheFiles(@TempDir Path folder) throws IOException {
    Path file = Files.createDirectories(folder.resolve("agreements")).resolve("a.yaml");
    String empty = PolicyPack.read(folder).hash();
    Path words = Files.createDirectories(folder.resolve("vocabulary")).resolve("words.yaml");
    Files.copy(SHIPPED.resolve("vocabulary/words.yaml"), words);
    Files.writeString(file, Files.readString(file("health-nav")));
    String one = PolicyPack.read(folder).hash();
    assertThat(one).matches("[0-9a-f]{64}").isNotEqualTo(empty);
    assertThat(PolicyPack.read(folder).hash()).isEqualTo(one);
    Files.move(file, file.resolveSibling("b.yaml"));
    assertThat(PolicyPack.read(folder).hash()).isNotEqualTo(one);
    Files.writeString(file.resolveSibling("b.yaml"), Files.readString(file("health-nav")) + "#\n");
    assertThat(PolicyPack.read(folder).hash()).isNotEqualTo(one);
  }

  @Test
  void onlyTheAttributesThatAConditionNamesAreAskedFor() {
    PolicyPack pack = PolicyPack.read(Path.of("src/test/resources/decision-pack"));
    assertThat(pack.attributesNeeded(Exchanges.DROPOUT_NOTICE))
        .containsExactlyInAnyOrder("trinn", "status/type");
    assertThat(pack.attributesNeeded(Exchanges.IPS_REFERRAL)).isEmpty();
    assertThat(shipped.attributesNeeded(Exchanges.DROPOUT_NOTICE)).isEmpty();
  }

  @Test
  void anAgreementOnAnUnknownExchangeIsFoundWithItsLine() throws IOException {
    ContractReader reader = new ContractReader();
    List<Contract> all = new ArrayList<>();
    try (Stream<Path> folders = Files.list(Path.of("routes"))) {
      folders.filter(Files::isDirectory).forEach(folder -> all.add(reader.read(folder)));
    }
    assertThat(shipped.danglingReferences(all)).isEmpty();
    List<Problem> dangling =
        shipped.danglingReferences(
            all.stream().filter(c -> !c.id().equals("ips-referral")).toList());
    assertThat(dangling)
        .extracting(Problem::toString)
        .containsExactly(
            SHIPPED.resolve("agreements/health-nav.yaml")
                + ":16: There is no exchange 'ips-referral'; correct the name to a folder under"
                + " routes/, or remove the clause");
  }

  @Test
  void receiversAreThoseOfTheVersionInEffect() {
    PolicyPack pack = PolicyPack.read(Path.of("src/test/resources/decision-pack"));
    List<String> ot = List.of("311013572");
    assertThat(receivers(pack, "nav-ot", "measure-event", "2026-02-28T22:59:59Z")).isEmpty();
    assertThat(receivers(pack, "nav-ot", "measure-event", "2026-02-28T23:00:00Z")).isEqualTo(ot);
    assertThat(receivers(pack, "nav-ot", "measure-event", "2026-10-31T22:59:59Z")).isEqualTo(ot);
    assertThat(receivers(pack, "nav-ot", "measure-event", "2026-10-31T23:00:00Z")).isEmpty();
    assertThat(receivers(pack, "nav-ot", "dropout-notice", "2026-05-01T10:00:00Z")).isEmpty();
    assertThat(receivers(pack, "health-nav", "measure-event", "2026-05-01T10:00:00Z")).isEmpty();
  }

  private static List<String> receivers(
      PolicyPack pack, String agreement, String exchange, String at) {
    return pack.receivers(agreement, exchange, Instant.parse(at)).stream()
        .map(Object::toString)
        .toList();
  }

  @Test
  void anAgreementIsFoundByItsVersionAndADeadlineByItsGroup() {
    PolicyPack pack = PolicyPack.read(Path.of("src/test/resources/decision-pack"));
    assertThat(pack.agreement("school-ot@2").orElseThrow().version()).isEqualTo(2);
    assertThat(pack.agreement("school-ot@3")).isEmpty();
    assertThat(pack.legalBasis("duty@2").orElseThrow().version()).isEqualTo(2);
    assertThat(pack.legalBasis("duty@3")).isEmpty();
    Contract referral = new ContractReader().read(Path.of("routes/youth-referral"));
    Contract.Deadline deadline = Objects.requireNonNull(referral.deadline());
    assertThat(shipped.deadline(deadline, AT).orElseThrow().days()).isEqualTo(56);
    assertThat(shipped.deadline(deadline, Instant.parse("2016-12-31T22:59:59Z"))).isEmpty();
    assertThat(pack.deadline(deadline, AT)).isEmpty();
  }

  @Test
  void paragraph13bNumber5CarriesFromNavToOtNothingButDatedAndNecessaryFlags() {
    List<LegalBasis> bases =
        shipped.legalBases().stream()
            .filter(b -> b.statute().contains("§ 13 b") && b.statute().contains("nr. 5"))
            .filter(b -> b.senders().contains(AgencyKind.NAV))
            .toList();
    assertThat(bases).isNotEmpty();
    for (LegalBasis flag : bases) {
      assertThat(flag.categories())
          .as(flag.id())
          .isSubsetOf("IDENTITY", "MEASURE_FLAG", "DECISION_EXISTS", "JOB_SEEKER_PERIOD");
      assertThat(flag.necessity()).as(flag.id()).isNotNull();
      assertThat(flag.status().getFirst().from()).as(flag.id()).isAfter(LocalDate.of(2021, 12, 31));
    }
  }

  @Test
  void causesAndDiagnosesLeaveOnNothingAndTheEffortGroupOnAConsentThatNamesIt() {
    Set<String> carried =
        shipped.legalBases().stream()
            .flatMap(b -> b.categories().stream())
            .collect(Collectors.toSet());
    assertThat(carried).doesNotContain("MEASURE_CAUSE", "DIAGNOSIS", "JOURNAL", "BENEFITS", "KVP");
    assertThat(shipped.legalBases())
        .filteredOn(b -> b.categories().contains("EFFORT_GROUP"))
        .isNotEmpty()
        .allMatch(b -> b.consent() == LegalBasis.Consent.PERSON && b.itemised());
  }

  @Test
  void healthTellsNothingWithoutConsent() {
    assertThat(shipped.legalBases())
        .filteredOn(b -> b.senders().contains(AgencyKind.HEALTH))
        .isNotEmpty()
        .allMatch(b -> b.consent() != LegalBasis.Consent.NONE || b.duty());
  }

  @Test
  void aBasisWithoutConsentSaysWhyItIsNecessaryAndEveryOneNamesItsSource() {
    assertThat(shipped.legalBases())
        .allMatch(b -> b.consent() != LegalBasis.Consent.NONE || b.necessity() != null)
        .allMatch(b -> !b.source().isBlank());
  }

  @Test
  void aMessageWithoutASubjectIsRefusedWhereThereMustBeOne() {
    Facts f = facts(Exchanges.MEASURE_EVENT, "nav", "ot", List.of());
    Facts nobody =
        new Facts(
            f.exchange(),
            f.purpose(),
            f.sender(),
            f.senderKind(),
            f.receiver(),
            f.receiverKind(),
            null,
            f.protection(),
            f.consents(),
            null,
            Map.of(),
            f.at());
    Decision decision =
        shipped.decide(
            Exchanges.MEASURE_EVENT, Exchanges.view(Exchanges.MEASURE_EVENT, "ot"), nobody);
    assertThat(decision).isEqualTo(Plan.refuse(ReasonCode.INVALID_IDENTITY_NUMBER));
  }

  @Test
  void factsOfAnotherExchangeOrPurposeAreRefused() {
    Facts list = facts(Exchanges.MEASURE_EVENT, "nav", "ot", List.of());
    Contract dropout = Exchanges.DROPOUT_NOTICE;
    assertThat(shipped.decide(dropout, Exchanges.view(dropout, "ot"), list))
        .isEqualTo(Plan.refuse(ReasonCode.UNKNOWN_EXCHANGE));
    Facts other =
        new Facts(
            "measure-event",
            "RIGHTS_QUERY",
            list.sender(),
            list.senderKind(),
            list.receiver(),
            list.receiverKind(),
            list.subject(),
            list.protection(),
            list.consents(),
            null,
            Map.of(),
            list.at());
    Contract measure = Exchanges.MEASURE_EVENT;
    assertThat(shipped.decide(measure, Exchanges.view(measure, "ot"), other))
        .isEqualTo(Plan.refuse(ReasonCode.NO_BASIS));
  }

  @Test
  void oneReceiverDoesNotGetTheViewOfAnother() {
    Contract dropout = Exchanges.DROPOUT_NOTICE;
    Facts toFint = facts(dropout, "school", "ot-fint", List.of());
    assertThat(shipped.decide(dropout, Exchanges.view(dropout, "ot"), toFint))
        .isEqualTo(Plan.refuse(ReasonCode.UNKNOWN_RECIPIENT));
  }

  private static Path file(String agreement) {
    return SHIPPED.resolve("agreements").resolve(agreement + ".yaml");
  }

  private static String nameOf(Contract contract) {
    String to = contract.to().getFirst().name();
    return contract.from().stream()
        .map(Contract.Sender::name)
        .filter(n -> !n.equals(to))
        .findFirst()
        .orElseThrow();
  }

  private static Facts facts(
      Contract contract, String from, String to, List<ConsentFact> consents) {
    return Exchanges.facts(contract, from, to, Protection.NONE, consents, null, Map.of(), AT);
  }
}
