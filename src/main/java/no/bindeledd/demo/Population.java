package no.bindeledd.demo;

import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import java.util.stream.Stream;
import no.bindeledd.demo.Person.Address;
import no.bindeledd.demo.Person.Change;
import no.bindeledd.demo.Person.ConsentGrant;
import no.bindeledd.demo.Person.Dropout;
import no.bindeledd.demo.Person.Participation;
import no.bindeledd.demo.Person.Referral;
import no.bindeledd.demo.Person.School;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.person.AddressGrade;
import no.bindeledd.person.Protection;
import no.bindeledd.policy.ConsentFact;

/**
 * Synthetic young people, the same for the same seed on every machine and every day: person number
 * <em>n</em> depends on the seed and <em>n</em> only, so a larger population begins with the
 * smaller one. Immutable.
 *
 * @param reference the day on which everyone is 16 to 24; the story's dates lie around it
 */
public record Population(long seed, LocalDate reference, List<Person> people) {
  /** School start of the year in which the demo plays. */
  public static final LocalDate REFERENCE = LocalDate.of(2026, 9, 1);

  /** There are about 1.3 million different numbers for these birth dates. */
  public static final int LARGEST = 1_000_000;

  /** Two years after the nominal time 22 % have not completed (M32 2984–2989). */
  private static final double DROPOUT = 0.22;

  /** Of the youth that OT follows, nearly one in four is in a NAV measure (M33 557). */
  private static final double MEASURE_OF_DROPOUTS = 0.24;

  /** Own choice: NAV measures for youth that OT does not follow. */
  private static final double MEASURE_OF_OTHERS = 0.02;

  /** 900 in IPS ung (2023) to 14,700 youth that OT follows (M33 355–387, 557). */
  private static final double REFERRED_OF_DROPOUTS = 0.06;

  /** Own choices from here on: no source gives a number. */
  private static final double NAV_KNOWS_DROPOUT = 0.45;

  private static final double NAV_KNOWS_OTHER = 0.05;
  private static final double FOLLOW_UP_CONSENT = 0.50;
  private static final double FOLLOW_UP_WITHDRAWN = 0.04;
  private static final double FOLLOW_UP_BLOCKED = 0.02;
  private static final double SUPPORT_CONSENT = 0.60;
  private static final double SUPPORT_CONSENT_LATE = 0.25;
  private static final double ABSENCE_GIVEN = 0.80;
  private static final double CASEWORK_CONSENT = 0.60;
  private static final double CASEWORK_LATE = 0.15;
  private static final double EFFORT_GROUP_CONSENT = 0.40;
  private static final double COLLECTION_CONSENT = 0.30;

  /** The purpose of a consent that lets NAV ask named sources (E16). */
  static final String COLLECTION = "CONSENTED_COLLECTION";

  /** Purposes that the young people consent to one by one. */
  private static final List<String> CASEWORK_PURPOSES =
      List.of("FOLLOW_UP_PLAN", "REFERRAL", "JOINT_PLAN", "CASE_DISCUSSION", "COORDINATION");

  /** One in 200: about 0.5 % have a protected address or are shielded. */
  private static final int PROTECTED_EVERY = 200;

  private static final List<Protection> PROTECTIONS =
      List.of(
          new Protection(AddressGrade.FORTROLIG, false),
          new Protection(AddressGrade.STRENGT_FORTROLIG, false),
          new Protection(AddressGrade.UGRADERT, true),
          new Protection(AddressGrade.STRENGT_FORTROLIG_UTLAND, false));

  private static final List<String> GIVEN_NAMES =
      List.of(
          "Solrik",
          "Måneskinn",
          "Fjellvind",
          "Høstmåne",
          "Bekkelin",
          "Snøfrid",
          "Lyngvar",
          "Tåkeine",
          "Bølgje",
          "Granlilje",
          "Steinulv",
          "Regnmar",
          "Vårdis",
          "Ærfugla",
          "Mosegrim",
          "Duggfrisk",
          "Nordlysa",
          "Kvitebjørk",
          "Isvarg",
          "Blåklokka");

  /** Every family name says that the person is not real. */
  private static final List<String> FAMILY_NAMES =
      List.of(
          "Testesen",
          "Prøveland",
          "Prøvestad",
          "Syntetmo",
          "Eksempelvik",
          "Oppdiktdal",
          "Liksomhaug",
          "Påfunnsrud",
          "Testbråten",
          "Prøvås",
          "Syntetnes",
          "Fantasisæter",
          "Jukseplass",
          "Dummyberg",
          "Eksempeløy",
          "Modellund");

  private static final List<String> PLACES =
      List.of("Eksempelvik", "Prøvedal", "Testnes", "Syntetfjord", "Liksomby");

  private static final List<School> SCHOOLS =
      List.of(
          new School(Agencies.SCHOOL, "Eksempelvik videregående skole"),
          new School(Agencies.SECOND_SCHOOL, "Prøvedal videregående skole"));

  private static final List<String> PROGRAMMES =
      List.of("BABAT1----", "HSHEA2----", "STUSP1----", "ELELE1----", "RMRMF1----", "TPTIP1----");

  private static final List<String> REASONS =
      List.of(
          "FV", "FR", "AR", "IM", "TN", "AF", "FL", "AS", "LA", "AP", "PM", "MI", "UV", "FR", "FV",
          "AF");

  private static final List<String> OT_STATUSES =
      List.of("OTUK", "OTUK", "OTUK", "OTOV", "OTOV", "OTOA", "OTAP", "OTAR", "OTSY", "OTBA");

  private static final List<String> END_CAUSES =
      List.of("SYK", "FATT_JOBB", "TRENGER_ANNEN_STOTTE", "IKKE_MOTT", "UTDANNING", "ANNET");

  private static final List<String> DIAGNOSES =
      List.of(
          "F32.1^Moderat depressiv episode",
          "F41.1^Generalisert angstlidelse",
          "F20.0^Paranoid schizofreni",
          "F10.2^Alkoholavhengighet");

  public Population {
    people = List.copyOf(people);
  }

  /** The people of this seed, around {@link #REFERENCE}. */
  public static Population of(long seed, int size) {
    return of(seed, size, REFERENCE);
  }

  /** The people of this seed, around the given day. */
  public static Population of(long seed, int size, LocalDate reference) {
    if (size < 1 || size > LARGEST) {
      throw new IllegalArgumentException(
          "A population has from 1 to " + LARGEST + " people, not " + size);
    }
    RandomGeneratorFactory<RandomGenerator> algorithm =
        RandomGeneratorFactory.of("L64X128MixRandom");
    Set<String> taken = HashSet.newHashSet(size);
    List<Person> people = new ArrayList<>(size);
    for (int number = 1; number <= size; number++) {
      RandomGenerator random = algorithm.create(seed * 0x9E3779B97F4A7C15L + number);
      Person person = person(number, reference, random, taken);
      people.add(withCaseworkConsents(person, reference, algorithm.create(~seed * 31 + number)));
    }
    return new Population(seed, reference, people);
  }

  public Stream<Person> dropouts() {
    return people.stream().filter(p -> p.dropout() != null);
  }

  /** Those on the list of a NAV office. */
  public Stream<Person> knownTo(OrganisationNumber office) {
    return people.stream().filter(p -> office.equals(p.navOffice()));
  }

  public Stream<Person> referred() {
    return people.stream().filter(p -> p.referral() != null);
  }

  @Override
  public String toString() {
    return "Population[seed=" + seed + ", people=" + people.size() + "]";
  }

  private static Person person(
      int number, LocalDate reference, RandomGenerator random, Set<String> taken) {
    LocalDate birthDate = birthDate(reference, random);
    String identityNumber = SyntheticNumber.of(birthDate, random);
    while (!taken.add(identityNumber)) {
      birthDate = birthDate(reference, random);
      identityNumber = SyntheticNumber.of(birthDate, random);
    }
    Protection protection =
        number % PROTECTED_EVERY == 7
            ? PROTECTIONS.get(number / PROTECTED_EVERY % PROTECTIONS.size())
            : Protection.NONE;
    String given = pick(GIVEN_NAMES, random);
    String family = pick(FAMILY_NAMES, random);
    // The few protected people all leave school, so that every demo shows what the gate does then.
    boolean left = random.nextDouble() < DROPOUT || protection.any();
    boolean inNav = random.nextDouble() < (left ? NAV_KNOWS_DROPOUT : NAV_KNOWS_OTHER);
    OrganisationNumber office = pick(Agencies.NAV_OFFICES, random);
    boolean inMeasure = random.nextDouble() < (left ? MEASURE_OF_DROPOUTS : MEASURE_OF_OTHERS);
    boolean referred = random.nextDouble() < REFERRED_OF_DROPOUTS && left;
    List<ConsentGrant> consents = new ArrayList<>();
    if (left || inMeasure) {
      followUpConsent(reference, random, consents);
    }
    if (referred) {
      supportConsent(reference, random, consents);
    }
    return new Person(
        number,
        identityNumber,
        given,
        family,
        birthDate,
        "+479999%04d".formatted(number % 10_000),
        "person" + number + "@example.no",
        new Address(
            "Oppdiktet vei " + random.nextInt(1, 100),
            "%04d".formatted(random.nextInt(1, 100)),
            pick(PLACES, random)),
        pick(SCHOOLS, random),
        pick(PROGRAMMES, random),
        random.nextInt(1, 4),
        protection,
        left ? dropout(reference, random) : null,
        left ? pick(OT_STATUSES, random) : null,
        inNav ? office : null,
        listCode(random),
        inMeasure ? List.of(participation(reference, random)) : List.of(),
        referred ? referral(number, birthDate, reference, random) : null,
        List.copyOf(consents));
  }

  /** What the person agrees to that caseworkers write about; drawn apart from all the rest. */
  private static Person withCaseworkConsents(
      Person person, LocalDate reference, RandomGenerator random) {
    if (person.dropout() == null) {
      return person;
    }
    List<ConsentGrant> consents = new ArrayList<>(person.consents());
    for (String purpose : CASEWORK_PURPOSES) {
      double share = random.nextDouble();
      boolean late = random.nextDouble() < CASEWORK_LATE;
      ConsentGrant grant = grant(ConsentFact.State.GIVEN, purpose, reference, random, late);
      if (share < CASEWORK_CONSENT) {
        consents.add(grant);
      }
    }
    if (person.referral() != null) {
      consents.add(participation(person, reference, random));
    }
    if (!person.participations().isEmpty() && random.nextDouble() < EFFORT_GROUP_CONSENT) {
      consents.add(
          narrowed(
              grant(ConsentFact.State.GIVEN, "FOLLOW_UP_DECISION", reference, random, false),
              Set.of(),
              Set.of("EFFORT_GROUP"),
              Set.of()));
    }
    if (random.nextDouble() < COLLECTION_CONSENT
        && person.school().organisation().equals(Agencies.SCHOOL)) {
      // NAV may ask the school and OT, and they may tell this.
      consents.add(
          narrowed(
              grant(ConsentFact.State.GIVEN, COLLECTION, reference, random, false),
              Set.of(Agencies.NAV_STATE.value()),
              Set.of("ENROLMENT_END", "PROGRAMME", "ABSENCE", "OT_STATUS_GROUP"),
              Set.of(Agencies.SCHOOL.value(), Agencies.OT.value())));
    }
    return person.with(consents);
  }

  private static ConsentGrant narrowed(
      ConsentGrant plain, Set<String> recipients, Set<String> categories, Set<String> sources) {
    return new ConsentGrant(
        plain.id(),
        plain.state(),
        plain.purpose(),
        recipients,
        categories,
        plain.validFrom(),
        plain.validTo(),
        plain.late(),
        null,
        sources);
  }

  /** Below 18 the guardians consent, and every third family has had only one sign so far. */
  private static ConsentGrant participation(
      Person person, LocalDate reference, RandomGenerator random) {
    Set<String> guardians = new HashSet<>();
    if (person.birthDate().plusYears(18).isAfter(reference)) {
      guardians.add(SyntheticNumber.of(person.birthDate().minusYears(30), random));
      if (person.number() % 3 != 0) {
        guardians.add(SyntheticNumber.of(person.birthDate().minusYears(28), random));
      }
    }
    ConsentGrant plain =
        grant(ConsentFact.State.GIVEN, "EMPLOYMENT_SUPPORT", reference, random, false);
    return new ConsentGrant(
        plain.id(),
        plain.state(),
        plain.purpose(),
        plain.recipients(),
        plain.categories(),
        plain.validFrom(),
        plain.validTo(),
        plain.late(),
        Set.copyOf(guardians),
        Set.of());
  }

  private static LocalDate birthDate(LocalDate reference, RandomGenerator random) {
    LocalDate oldest = reference.minusYears(25).plusDays(1);
    LocalDate youngest = reference.minusYears(16);
    long days = ChronoUnit.DAYS.between(oldest, youngest) + 1;
    return oldest.plusDays(random.nextLong(days));
  }

  private static Dropout dropout(LocalDate reference, RandomGenerator random) {
    int tenths = random.nextInt(0, 800);
    return new Dropout(
        reference.minusDays(random.nextInt(1, 30)),
        pick(REASONS, random),
        random.nextDouble() < ABSENCE_GIVEN ? tenths / 10 + "," + tenths % 10 : null);
  }

  private static String listCode(RandomGenerator random) {
    double share = random.nextDouble();
    return share < 0.65 ? "IVARETATT" : share < 0.92 ? "IKKE_IVARETATT" : "HAR_FLYTTET";
  }

  private static Participation participation(LocalDate reference, RandomGenerator random) {
    LocalDate start = reference.minusDays(random.nextInt(0, 60));
    LocalDate end = start.plusDays(random.nextInt(60, 300));
    List<Change> changes = new ArrayList<>();
    changes.add(new Change(moment(start.minusDays(7), random), "VENTER_PA_OPPSTART", null));
    changes.add(new Change(moment(start, random), "DELTAR", null));
    if (random.nextDouble() < 0.4) {
      // FULLFORT has no cause; who leaves early has one.
      boolean completed = random.nextDouble() < 0.3;
      changes.add(
          new Change(
              moment(start.plusDays(random.nextInt(10, 55)), random),
              completed ? "FULLFORT" : random.nextBoolean() ? "HAR_SLUTTET" : "AVBRUTT",
              completed ? null : pick(END_CAUSES, random)));
    }
    return new Participation(uuid(random), uuid(random), start, end, List.copyOf(changes));
  }

  private static Referral referral(
      int number, LocalDate birthDate, LocalDate reference, RandomGenerator random) {
    boolean young = birthDate.plusYears(30).isAfter(reference) && random.nextDouble() < 0.8;
    return new Referral(
        "IPS-%d-%06d".formatted(reference.getYear(), number),
        young ? "IPSUNG" : "IPS",
        moment(reference, random),
        pick(DIAGNOSES, random),
        "Har fortalt om søvnvansker.");
  }

  private static void followUpConsent(
      LocalDate reference, RandomGenerator random, List<ConsentGrant> consents) {
    double share = random.nextDouble();
    ConsentFact.State state;
    if (share < FOLLOW_UP_BLOCKED) {
      state = ConsentFact.State.BLOCKED;
    } else if (share < FOLLOW_UP_BLOCKED + FOLLOW_UP_WITHDRAWN) {
      state = ConsentFact.State.WITHDRAWN;
    } else if (share < FOLLOW_UP_BLOCKED + FOLLOW_UP_WITHDRAWN + FOLLOW_UP_CONSENT) {
      state = ConsentFact.State.GIVEN;
    } else {
      return;
    }
    consents.add(grant(state, "FOLLOW_UP", reference, random, false));
  }

  private static void supportConsent(
      LocalDate reference, RandomGenerator random, List<ConsentGrant> consents) {
    double share = random.nextDouble();
    if (share < SUPPORT_CONSENT + SUPPORT_CONSENT_LATE) {
      boolean late = share >= SUPPORT_CONSENT;
      consents.add(grant(ConsentFact.State.GIVEN, "EMPLOYMENT_SUPPORT", reference, random, late));
    }
  }

  private static ConsentGrant grant(
      ConsentFact.State state,
      String purpose,
      LocalDate reference,
      RandomGenerator random,
      boolean late) {
    return new ConsentGrant(
        uuid(random),
        state,
        purpose,
        Set.of(),
        Set.of(),
        moment(reference.minusDays(random.nextInt(1, 120)), random),
        moment(reference.plusYears(2), random),
        late,
        null,
        Set.of());
  }

  private static Instant moment(LocalDate date, RandomGenerator random) {
    return date.atTime(LocalTime.of(random.nextInt(8, 16), random.nextInt(60)))
        .toInstant(ZoneOffset.UTC);
  }

  private static UUID uuid(RandomGenerator random) {
    long high = random.nextLong() & ~0xF000L | 0x4000L;
    long low = random.nextLong() & 0x3FFFFFFFFFFFFFFFL | 0x8000000000000000L;
    return new UUID(high, low);
  }

  private static <T> T pick(List<T> from, RandomGenerator random) {
    return from.get(random.nextInt(from.size()));
  }
}
