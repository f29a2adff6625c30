package no.bindeledd.demo;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import no.bindeledd.exchange.OrganisationNumber;

/**
 * All synthetic agencies of the demo around one population, each a real server or client on
 * 127.0.0.1. It knows what the agencies sent and received, so that it can be held against the hub's
 * books. Start it before the hub, which needs {@link #properties}; let the agencies send when the
 * hub is ready. Thread-safe, except that each sending method is called by one thread at a time.
 */
public final class World implements AutoCloseable {
  /** The list period that both sides use. */
  public static final String LIST_ID = "2026-09";

  private static final ZoneId OSLO = ZoneId.of("Europe/Oslo");

  private static final String SCHOOL_CAPACITY = "school.measure-capacity.v1";
  private static final List<String> NAV_NAMES = List.of("nav-a", "nav-b", "nav-c");

  private final Deque<AutoCloseable> open = new ArrayDeque<>();
  private final Population population;
  private final TokenIssuer tokens;
  private final SchoolSystem school;
  private final TopicReader schoolInbox;
  private final FintAdapter fint;
  private final CountyService county;
  private final NavSystem nav;
  private final List<NavOffice> offices;
  private final OtSystem ot;
  private final TreatmentTeam treatmentTeam;
  private final Mailboxes mailboxes;
  private final Casework casework;
  private final Replies replies;

  /**
   * What the world is made of.
   *
   * @param directory keeps what the agencies must remember over restarts
   * @param bootstrap the broker; {@link #topics} must exist on it
   * @param keys for a recipient's organisation, what opens a value that was sealed for it
   * @param faults whether the agencies' services fail now and then
   * @param listener hears of every record that an agency reads from a topic
   */
  public record Settings(
      Path directory,
      String bootstrap,
      Population population,
      Function<OrganisationNumber, Function<byte[], byte[]>> keys,
      boolean faults,
      TopicReader.Listener listener,
      Clock clock) {}

  /**
   * What a recipient got from one exchange, at this start and earlier ones.
   *
   * @param records repeated deliveries included
   * @param different records that differ
   */
  public record Received(String exchange, String recipient, long records, long different) {}

  private World(Settings settings) {
    population = settings.population();
    Path directory = settings.directory();
    boolean faults = settings.faults();
    tokens = opened(new TokenIssuer(settings.clock()));
    school = opened(new SchoolSystem(population, directory.resolve("school")));
    schoolInbox =
        opened(
            new TopicReader(
                settings.bootstrap(),
                Map.of(SCHOOL_CAPACITY, Function.identity()),
                settings.listener()));
    fint =
        opened(
            new FintAdapter(directory.resolve("fint"), faults ? Faults.every(25) : Faults.none()));
    county = opened(new CountyService(population, Faults.none()));
    nav =
        opened(
            new NavSystem(
                population,
                settings.bootstrap(),
                directory.resolve("nav"),
                faults ? Faults.every(7) : Faults.none()));
    List<NavOffice> started = new ArrayList<>();
    for (int i = 0; i < NAV_NAMES.size(); i++) {
      OrganisationNumber office = Agencies.NAV_OFFICES.get(i);
      started.add(
          opened(
              new NavOffice(
                  population,
                  office,
                  NAV_NAMES.get(i),
                  settings.bootstrap(),
                  settings.keys().apply(office),
                  settings.listener())));
    }
    offices = List.copyOf(started);
    ot =
        opened(
            new OtSystem(
                population,
                settings.bootstrap(),
                settings.keys().apply(Agencies.OT),
                settings.listener()));
    treatmentTeam = new TreatmentTeam(population);
    mailboxes = opened(new Mailboxes(settings.bootstrap(), settings.keys(), settings.listener()));
    LocalDate today = firstDay(directory, settings.clock());
    casework = new Casework(population, today);
    replies = new Replies(population, casework, mailboxes, today);
  }

  /** Kept, so that a later start sends the same letters and the eight weeks go on. */
  private static LocalDate firstDay(Path directory, Clock clock) {
    Path file = directory.resolve("first-day");
    try {
      if (!Files.exists(file)) {
        Files.createDirectories(directory);
        Files.writeString(file, LocalDate.ofInstant(clock.instant(), OSLO).toString());
      }
      return LocalDate.parse(Files.readString(file).strip());
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot read or write " + file, e);
    }
  }

  /** Starts all agencies. */
  public static World start(Settings settings) {
    return new World(settings);
  }

  /** The topics that the agencies read or write. */
  public static List<String> topics() {
    List<String> topics = new ArrayList<>(OtSystem.TOPICS);
    NAV_NAMES.forEach(n -> topics.add(NavOffice.topic(n)));
    topics.add(SCHOOL_CAPACITY);
    topics.add(NavSystem.MEASURE_EVENTS);
    Mailboxes.topics().forEach(topics::add);
    return topics;
  }

  /** Where the hub finds the agencies: the placeholders of the route files. */
  public Map<String, String> properties() {
    Map<String, String> properties = new LinkedHashMap<>();
    properties.put("peers.school.sftp", school.address());
    properties.put("peers.school.username", school.username());
    properties.put("peers.school.password", school.password());
    properties.put("peers.school.knownHosts", school.knownHosts().toString());
    properties.put("peers.fint.url", fint.url());
    properties.put("peers.nav.url", nav.url());
    properties.put("peers.county.url", county.url());
    properties.put("peers.maskinporten.issuer", tokens.issuer());
    properties.put("peers.maskinporten.keys", tokens.keys());
    properties.put("peers.maskinporten.audience", TokenIssuer.AUDIENCE);
    return properties;
  }

  /** What every recipient got, for the books. */
  public List<Received> received() {
    List<Received> all = new ArrayList<>();
    all.add(received("dropout-notice", "ot", ot.inbox(), OtSystem.DROPOUT_NOTICE));
    all.add(new Received("dropout-notice", "ot-fint", fint.accepted(), fint.stored()));
    all.add(received("list-reconciliation", "ot", ot.inbox(), OtSystem.LIST_ANSWER));
    for (NavOffice office : offices) {
      all.add(
          received(
              "list-reconciliation",
              office.name(),
              office.inbox(),
              NavOffice.topic(office.name())));
    }
    all.add(received("measure-event", "ot", ot.inbox(), OtSystem.MEASURE_EVENT));
    all.add(new Received("ips-referral", "nav", nav.accepted(), nav.referrals()));
    all.add(received("measure-capacity", "ot", ot.inbox(), OtSystem.MEASURE_CAPACITY));
    all.add(received("measure-capacity", "school", schoolInbox, SCHOOL_CAPACITY));
    all.add(received("consent-withdrawal", "ot", ot.inbox(), OtSystem.CONSENT_WITHDRAWAL));
    all.add(new Received("consent-withdrawal", "nav", nav.acceptedNotices(), nav.notices()));
    all.add(new Received("collection-answer", "nav", nav.acceptedAnswers(), nav.answers()));
    mailboxes.received().forEach(all::add);
    return all;
  }

  private static Received received(
      String exchange, String recipient, TopicReader inbox, String topic) {
    return new Received(exchange, recipient, inbox.records(topic), inbox.different(topic));
  }

  /** Records that an agency's key did not open; anything but 0 is a fault of the hub. */
  public long unreadable() {
    return ot.inbox().unreadable()
        + mailboxes.unreadable()
        + offices.stream().mapToLong(o -> o.inbox().unreadable()).sum();
  }

  public Population population() {
    return population;
  }

  public TokenIssuer tokens() {
    return tokens;
  }

  public SchoolSystem school() {
    return school;
  }

  public FintAdapter fint() {
    return fint;
  }

  public CountyService county() {
    return county;
  }

  public NavSystem nav() {
    return nav;
  }

  /** The offices A, B and C. */
  public List<NavOffice> offices() {
    return offices;
  }

  public OtSystem ot() {
    return ot;
  }

  public TreatmentTeam treatmentTeam() {
    return treatmentTeam;
  }

  /** What caseworkers of all agencies write about single people. */
  public Casework casework() {
    return casework;
  }

  /** What agencies write because of what they have read. */
  public Replies replies() {
    return replies;
  }

  private <T extends AutoCloseable> T opened(T agency) {
    open.push(agency);
    return agency;
  }

  @Override
  public void close() {
    RuntimeException failure = null;
    while (!open.isEmpty()) {
      try {
        open.pop().close();
      } catch (Exception e) {
        failure =
            failure == null ? new IllegalStateException("An agency did not stop", e) : failure;
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}
