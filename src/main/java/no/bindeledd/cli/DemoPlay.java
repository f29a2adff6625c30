package no.bindeledd.cli;

import java.net.URI;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import no.bindeledd.demo.Casework;
import no.bindeledd.demo.ConsentPortal;
import no.bindeledd.demo.Hub;
import no.bindeledd.demo.NavOffice;
import no.bindeledd.demo.Progress;
import no.bindeledd.demo.Questions;
import no.bindeledd.demo.World;
import no.bindeledd.gate.Books;
import no.bindeledd.gate.Deadlines;
import no.bindeledd.gate.HeldMessages;
import no.bindeledd.hub.RunningHub;

/**
 * What the synthetic agencies do in a demo, from the first consent to the last reply, and whether
 * the hub's books say what they saw. For one run and one thread.
 */
final class DemoPlay {
  private static final Duration SETTLED = Duration.ofSeconds(1);
  private static final Duration LONGEST_READING = Duration.ofSeconds(15);
  private static final Duration LONGEST_SETTLING = Duration.ofMinutes(10);

  private final World world;
  private final RunningHub hub;
  private final Progress progress;
  private final List<String> faults = new ArrayList<>();

  /**
   * What came of it.
   *
   * @param faults what must not be; empty in a demo that went well
   */
  record Played(SortedMap<String, Books> books, Questions questions, List<String> faults) {}

  DemoPlay(World world, RunningHub hub, Progress progress) {
    this.world = world;
    this.hub = hub;
    this.progress = progress;
  }

  Played play() throws Exception {
    URI rest = URI.create("http://127.0.0.1:" + hub.port());
    int mllp = Integer.parseInt(hub.setting("hub.mllp.port"));
    Questions questions;
    try (ConsentPortal portal = new ConsentPortal(rest, world.tokens());
        Hub agenciesView = new Hub(rest, mllp, world.tokens(), Hub.Patience.STANDARD)) {
      Progress.Task consents = progress.task("consents and protection", 0);
      int protections = portal.registerProtections(world.population());
      int given = portal.registerConsents(world.population(), false);
      consents.ended(given + " consents, " + protections + " protected");
      questions = exchange(agenciesView);
      int late = portal.registerConsents(world.population(), true);
      progress.task("late consents", 0).ended(late + " given after the messages were sent");
      int owed = hub.part(Deadlines.class).send();
      progress.task("deadlines", 0).ended(owed + " warnings and escalations");
      settle("deliveries");
      reply(agenciesView, portal);
      settle("deliveries of the replies");
    }
    SortedMap<String, Books> books = books();
    faults.addAll(disagreements(books));
    return new Played(books, questions, List.copyOf(faults));
  }

  /** All agencies send at once. */
  private Questions exchange(Hub hub) throws InterruptedException, ExecutionException {
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> sending = new ArrayList<>();
      Progress.Task files = progress.task("dropout-notice", 0);
      sending.add(
          threads.submit(
              () -> files.ended(world.school().sendFiles(files::at).rows() + " rows sent")));
      Progress.Task events = progress.task("measure-event", 0);
      sending.add(
          threads.submit(
              () -> {
                events.ended(world.nav().sendMeasureEvents(events::at) + " events sent");
                return null;
              }));
      Progress.Task referrals = progress.task("ips-referral", world.treatmentTeam().messages());
      sending.add(
          threads.submit(
              () -> {
                var sent = world.treatmentTeam().sendReferrals(hub, referrals::at);
                referrals.ended(sent.taken() + " taken, " + sent.refused() + " refused");
                return null;
              }));
      Progress.Task lists = progress.task("list-reconciliation", 0);
      sending.add(
          threads.submit(
              () -> {
                int rows = 0;
                for (NavOffice office : world.offices()) {
                  world.ot().sendList(hub, World.LIST_ID, office.organisation());
                  office.sendList(hub, World.LIST_ID);
                  rows += world.ot().listSize() + office.listSize();
                  lists.at(rows);
                }
                lists.ended(rows + " rows in " + 2 * world.offices().size() + " lists");
                return null;
              }));
      for (List<String> inOrder : Casework.EXCHANGES) {
        List<Progress.Task> letters = inOrder.stream().map(id -> progress.task(id, 0)).toList();
        sending.add(
            threads.submit(
                () -> {
                  for (int i = 0; i < inOrder.size(); i++) {
                    Progress.Task task = letters.get(i);
                    task.ended(world.casework().send(hub, inOrder.get(i), task::at).toString());
                  }
                  return null;
                }));
      }
      Progress.Task capacities = progress.task("measure-capacity", 0);
      Progress.Task asking = progress.task("rights-query", 0);
      Future<Questions> asked =
          threads.submit(
              () -> {
                int sent = 0;
                Questions all = null;
                for (NavOffice office : world.offices()) {
                  sent += office.sendCapacities(hub);
                  capacities.at(sent);
                  Questions some = office.askRights(hub, asking::at);
                  all = all == null ? some : all.and(some);
                }
                capacities.ended(sent + " sent");
                asking.ended(String.valueOf(all));
                return java.util.Objects.requireNonNull(all, "there is no NAV office");
              });
      for (Future<?> one : sending) {
        one.get();
      }
      return asked.get();
    }
  }

  /** The agencies answer what they have read; some people change their minds meanwhile. */
  private void reply(Hub hub, ConsentPortal portal) throws SQLException, InterruptedException {
    Progress.Task receipts = progress.task("child-welfare-receipt", 0);
    receipts.ended(world.replies().confirmReports(hub, receipts::at).toString());
    Progress.Task school = progress.task("collection-answer, school", 0);
    school.ended(world.replies().answerAsSchool(hub, school::at).toString());
    // What the school has answered is with NAV before anybody changes their mind.
    settle("deliveries of answers");
    int withdrawn = portal.withdrawSome(world.population());
    progress.task("withdrawals", 0).ended(withdrawn + " consents withdrawn");
    Progress.Task ot = progress.task("collection-answer, OT", 0);
    ot.ended(world.replies().answerAsOt(hub, ot::at).toString());
  }

  private void settle(String what) throws SQLException, InterruptedException {
    Progress.Task task = progress.task(what, 0);
    boolean settled = settled();
    task.ended(settled ? "all done" : "not all done");
    if (!settled) {
      faults.add("not everything was delivered in time");
    }
  }

  /** Waits until nothing moves any more. */
  private boolean settled() throws SQLException, InterruptedException {
    long deadline = System.nanoTime() + LONGEST_SETTLING.toNanos();
    SortedMap<String, Books> before = new TreeMap<>();
    long since = System.nanoTime();
    while (System.nanoTime() < deadline) {
      SortedMap<String, Books> now = books();
      boolean quiet =
          now.equals(before)
              && now.values().stream().allMatch(Books::balance)
              && now.values().stream().allMatch(book -> book.pending() == 0)
              && world.school().waitingFiles() == 0
              && noticesDue() == 0
              && hub.part(HeldMessages.class).idle();
      if (!quiet) {
        since = System.nanoTime();
      }
      // The agencies may still be reading what has been delivered.
      Duration still = disagreements(now).isEmpty() ? SETTLED : LONGEST_READING;
      if (System.nanoTime() - since > still.toNanos()) {
        return true;
      }
      before = now;
      Thread.sleep(100);
    }
    return false;
  }

  /** Requests and notices that follow from consents and have not been sent. */
  private int noticesDue() throws SQLException {
    try (Connection connection = hub.database().getConnection();
        PreparedStatement count =
            connection.prepareStatement("SELECT count(*) FROM consent_notice");
        ResultSet row = count.executeQuery()) {
      row.next();
      return row.getInt(1);
    }
  }

  private SortedMap<String, Books> books() throws SQLException {
    try (Connection connection = hub.database().getConnection()) {
      return Books.read(connection, hub.catalogue().current());
    }
  }

  /** Where the books do not balance, or say something else than the agencies received. */
  private List<String> disagreements(SortedMap<String, Books> books) {
    List<String> disagreements = new ArrayList<>();
    books.forEach(
        (exchange, book) -> {
          if (!book.balance()) {
            disagreements.add("the books of " + exchange + " do not balance");
          }
        });
    Map<String, Long> received = new TreeMap<>();
    for (World.Received one : world.received()) {
      received.merge(one.exchange(), one.different(), Long::sum);
    }
    received.forEach(
        (exchange, different) -> {
          Books book = books.get(exchange);
          long delivered = book == null ? 0 : book.delivered();
          if (different != delivered) {
            disagreements.add(
                "%s: the books say %d delivered, the agencies have %d different messages"
                    .formatted(exchange, delivered, different));
          }
        });
    Books requests = books.get("collection-request");
    long asked = requests == null ? 0 : requests.received();
    if (asked != 2L * world.replies().collections()) {
      disagreements.add(
          "collection-request: %d consents name two sources each, the books say %d requests"
              .formatted(world.replies().collections(), asked));
    }
    if (world.unreadable() > 0) {
      disagreements.add(world.unreadable() + " messages could not be opened by their recipient");
    }
    return disagreements;
  }
}
