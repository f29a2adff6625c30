package no.bindeledd.architecture;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaAccess.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.equivalentTo;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noFields;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.AccessTarget.CodeUnitAccessTarget;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaConstructor;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.domain.JavaPackage;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.time.Clock;
import java.time.InstantSource;
import java.time.ZoneId;
import java.util.Collection;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import no.bindeledd.channel.FintComponent;
import no.bindeledd.demo.EmbeddedKafkaMain;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The rooms of the house, who may know whom, and the house rules. Each says why. */
class RoomsTest {
  private static final String HOUSE = "no.bindeledd";

  private static final String[] CORE = {
    HOUSE + ".person..",
    HOUSE + ".exchange..",
    HOUSE + ".policy..",
    HOUSE + ".consent..",
    HOUSE + ".mapping..",
    HOUSE + ".audit.."
  };

  /** Where instants come from: the hub's clock, and what plays or times the world outside it. */
  private static final String[] EDGE = {
    HOUSE + ".hub..", HOUSE + ".cli..", HOUSE + ".demo..", HOUSE + ".bench.."
  };

  private static JavaClasses house;

  /** A package, the packages it may know, and why no other. */
  private record Room(String name, Set<String> mayKnow, String because) {
    String inside() {
      return HOUSE + "." + name + "..";
    }

    @Override
    public String toString() {
      return name;
    }
  }

  static List<Room> rooms() {
    return List.of(
        new Room(
            "person",
            Set.of(),
            "identity numbers, pseudonyms and keys are the ground everything stands on"),
        new Room(
            "exchange",
            Set.of("person"),
            "a contract says what may be sent, whatever the law says today and however it is sent"),
        new Room(
            "policy",
            Set.of("person", "exchange"),
            "a decision depends on contract and facts alone, so that it can be taken again and"
                + " explained; it fetches nothing"),
        new Room(
            "consent",
            Set.of("person", "exchange", "policy"),
            "the registry keeps consents in the words of contract and policy, and decides nothing"),
        new Room(
            "mapping",
            Set.of("person", "exchange"),
            "shaping knows the contract and not who asks, so that it cannot make exceptions"),
        new Room(
            "audit",
            Set.of("person"),
            "the ledger proves what it is given and must not depend on those it is the witness of"),
        new Room(
            "channel",
            Set.of("person", "exchange"),
            "a channel speaks an agency's language; it can neither decide nor go round the gate"),
        new Room(
            "gate",
            Set.of("person", "exchange", "policy", "consent", "mapping", "audit"),
            "the stations are the same for every channel, and delivery follows the gate, never the"
                + " other way"),
        new Room(
            "delivery",
            Set.of("person", "exchange", "policy", "audit", "gate"),
            "what leaves was let out by the gate; how it is addressed is the channel's matter"),
        new Room(
            "reading",
            Set.of("person", "exchange", "policy", "audit"),
            "who reads the audit trail sees it in the words of contract and rule, and moves nothing"),
        new Room(
            "hub",
            Set.of(
                "reading",
                "person",
                "exchange",
                "policy",
                "consent",
                "mapping",
                "audit",
                "channel",
                "gate",
                "delivery"),
            "the hub joins the rooms, and runs in production without the demo and the commands"),
        new Room(
            "demo",
            Set.of("person", "exchange", "policy", "channel"),
            "the synthetic agencies meet the hub at its channels only, as real ones do"),
        new Room(
            "bench",
            Set.of(
                "reading",
                "person",
                "exchange",
                "policy",
                "consent",
                "mapping",
                "audit",
                "channel",
                "gate",
                "delivery",
                "hub",
                "demo"),
            "what is measured must not know that it is measured"),
        new Room(
            "cli",
            Set.of(
                "reading",
                "person",
                "exchange",
                "policy",
                "consent",
                "mapping",
                "audit",
                "channel",
                "gate",
                "delivery",
                "hub",
                "demo",
                "bench"),
            "commands are what people type; nothing may depend on them"));
  }

  @BeforeAll
  static void read() {
    house =
        new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages(HOUSE);
  }

  @ParameterizedTest
  @MethodSource("rooms")
  void aRoomKnowsOnlyTheRoomsItMay(Room room) {
    String[] open =
        Stream.concat(Stream.of(room.name()), room.mayKnow().stream())
            .map(name -> HOUSE + "." + name + "..")
            .toArray(String[]::new);
    noClasses()
        .that()
        .resideInAPackage(room.inside())
        .should()
        .dependOnClassesThat(resideInAPackage(HOUSE + "..").and(not(resideInAnyPackage(open))))
        .because(room.because())
        .check(house);
  }

  @Test
  void everyPackageIsARoomOfTheHouse() {
    assertThat(house.stream().map(JavaClass::getPackageName).collect(Collectors.toSet()))
        .as("a new package says in this test whom it may know, and why")
        .isSubsetOf(
            rooms().stream().map(room -> HOUSE + "." + room.name()).collect(Collectors.toSet()));
  }

  @Test
  void theCoreKnowsNeitherCamelNorSpring() {
    noClasses()
        .that()
        .resideInAnyPackage(CORE)
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("org.apache.camel..", "org.springframework..")
        .because("rules and proofs must be testable, and readable, without a framework")
        .check(house);
  }

  @Test
  void namesSayWhatAClassIs() {
    noClasses()
        .should()
        .haveNameMatching(".*(Util|Utils|Helper|Helpers|Manager|Impl)")
        .because("such a name fits anything, so anything ends up in it")
        .check(house);
  }

  @Test
  void onlyCommandsWriteToTheConsole() {
    noClasses()
        .that(
            not(resideInAPackage(HOUSE + ".cli.."))
                // A process of its own, whose standard output is how it tells that it is ready.
                .and(not(equivalentTo(EmbeddedKafkaMain.class))))
        .should()
        .accessField(System.class, "out")
        .because("standard output belongs to a command's answer, which programs read")
        .check(house);
    noClasses()
        .that()
        // The demo draws its progress on standard error.
        .resideOutsideOfPackages(HOUSE + ".cli..", HOUSE + ".demo..")
        .should()
        .accessField(System.class, "err")
        .orShould()
        .accessTargetWhere(target(nameMatching("printStackTrace")))
        .because("what the hub has to say goes to its log, and a stack trace may carry a value")
        .check(house);
  }

  @Test
  void timeIsInjected() {
    noClasses()
        .that()
        .resideOutsideOfPackages(EDGE)
        // Camel makes its components itself; this one's clock is set afterwards.
        .and(not(equivalentTo(FintComponent.class)))
        .should()
        .accessTargetWhere(describe("reads the machine's clock", RoomsTest::readsTheClock))
        .because("a decision is taken, and can be proved again, at a given instant")
        .check(house);
  }

  private static boolean readsTheClock(JavaAccess<?> access) {
    String name = access.getTarget().getName();
    JavaClass owner = access.getTarget().getOwner();
    if (owner.isEquivalentTo(System.class)) {
      return name.equals("currentTimeMillis");
    }
    if (owner.isEquivalentTo(Clock.class) || owner.isEquivalentTo(InstantSource.class)) {
      return name.startsWith("system") || name.startsWith("tick");
    }
    boolean given =
        access.getTarget() instanceof CodeUnitAccessTarget unit
            && unit.getRawParameterTypes().stream()
                .anyMatch(type -> !type.isEquivalentTo(ZoneId.class));
    return !given
        && (owner.isEquivalentTo(Date.class)
            ? name.equals(JavaConstructor.CONSTRUCTOR_NAME)
            : name.equals("now") && owner.getPackageName().startsWith("java.time"));
  }

  @Test
  void nothingChangesForTheWholeProcess() {
    String reason = "two hubs in one process, as tests have them, must not meet in a static field";
    fields()
        .that()
        .areStatic()
        .and()
        .doNotHaveModifier(JavaModifier.SYNTHETIC)
        .should()
        .beFinal()
        .because(reason)
        .check(house);
    noFields()
        .that()
        .areStatic()
        .should()
        .haveRawType(describe("made to be changed", RoomsTest::isMadeToBeChanged))
        .because(reason)
        .check(house);
  }

  /** Also true of {@code ConcurrentMap}; an unchanging map is declared as {@code Map}. */
  private static boolean isMadeToBeChanged(JavaClass type) {
    boolean collection =
        type.isAssignableTo(Collection.class)
            || type.isAssignableTo(Map.class)
            || type.isAssignableTo(ThreadLocal.class)
            || type.isAssignableTo(StringBuilder.class);
    return type.getPackageName().startsWith("java.util.concurrent")
        || (collection && !type.isInterface());
  }

  @Test
  void everyPackageIsNullMarked() {
    Set<String> unmarked =
        house.stream()
            .map(JavaClass::getPackage)
            .filter(room -> !room.isAnnotatedWith(NullMarked.class))
            .map(JavaPackage::getName)
            .collect(Collectors.toSet());
    assertThat(unmarked)
        .as("without @NullMarked in package-info.java nothing checks a package for null")
        .isEmpty();
  }
}
