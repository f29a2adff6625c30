package no.bindeledd.gate;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.Problem;
import org.apache.camel.CamelContext;
import org.apache.camel.model.ModelCamelContext;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.model.RoutesDefinition;
import org.apache.camel.model.errorhandler.NoErrorHandlerDefinition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Owns the routes of the exchange folders in the running Camel context: adds, replaces and removes
 * them, one file at a time, and never touches a route of another file.
 *
 * <p>A folder is taken whole or not at all: every file is proved by the {@link RouteLinter} first,
 * and if a changed route cannot be built or started, the routes that the change replaced are put
 * back. When those cannot start either, the fault is the peer's and not the file's, so the new
 * version stays and its start is tried again.
 *
 * <p>Starting is supervised. Each route starts on its own thread; one whose peer is down is tried
 * again after a delay, for as long as it is wanted, while the others run. (Camel itself starts one
 * route at a time: a start that hangs delays the others until it gives up, one that fails does
 * not.) The hub decides what a route does not: no Camel error handler (the gate handles errors) and
 * no start by itself.
 *
 * <p>Thread-safe; changes are made one at a time.
 */
public final class RouteFolders implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(RouteFolders.class);

  private static final int STOP_SECONDS = 10;

  private final ModelCamelContext context;
  private final RouteLinter linter;
  private final Placeholders placeholders;
  private final ExecutorService starter;
  private final ScheduledExecutorService retries;
  private final Duration startWait;
  private final Duration retryDelay;
  private final ReentrantLock changing = new ReentrantLock();

  /** Per exchange, the running version of each file. Guarded by {@link #changing}. */
  private final Map<String, Map<Path, RouteFile>> loaded = new HashMap<>();

  /** Per route id, the version that stands in the context. Guarded by {@link #changing}. */
  private final Map<String, RouteFile> current = new HashMap<>();

  /** Per route id, why its last start failed. Guarded by {@link #changing}. */
  private final SortedMap<String, String> waiting = new TreeMap<>();

  private boolean closed;

  /**
   * @param context the running context; it must be started before the first load
   * @param placeholders the same source that the context resolves {@code {{name}}} with, see {@link
   *     Placeholders#of(CamelContext)}
   * @param starter runs the start of each route; one virtual thread each fits
   * @param retries for starting again what could not start
   * @param startWait how long a change waits for its routes to start before it counts as made
   * @param retryDelay from a failed start to the next try
   */
  public RouteFolders(
      CamelContext context,
      RouteLinter linter,
      Placeholders placeholders,
      ExecutorService starter,
      ScheduledExecutorService retries,
      Duration startWait,
      Duration retryDelay) {
    this.context = (ModelCamelContext) context;
    this.linter = linter;
    this.placeholders = placeholders;
    this.starter = starter;
    this.retries = retries;
    this.startWait = startWait;
    this.retryDelay = retryDelay;
  }

  /**
   * What the linter says about these files; changes nothing. Asked before a changed contract is put
   * in force, so that one whose routes are refused never is.
   */
  public List<Problem> check(Contract contract, Collection<Path> files) {
    return linter.checkFolder(contract, files, placeholders).problems();
  }

  /**
   * Brings the routes of one exchange to what these files say: files whose content is unchanged
   * keep running, changed ones are replaced, missing ones removed. Blocks until the changed routes
   * have started or the start wait is over.
   *
   * @param files all {@code *.camel.yaml} files of the folder
   * @return empty when taken; otherwise why the folder was refused, and nothing has changed
   */
  public List<Problem> load(Contract contract, Collection<Path> files) {
    RouteLinter.FolderResult folder = linter.checkFolder(contract, files, placeholders);
    if (!folder.problems().isEmpty()) {
      return folder.problems();
    }
    if (!context.isStarted()) {
      throw new IllegalStateException("start the Camel context before loading routes into it");
    }
    changing.lock();
    try {
      Map<Path, RouteFile> old = loaded.getOrDefault(contract.id(), Map.of());
      Map<Path, RouteFile> wanted = new LinkedHashMap<>();
      folder.files().forEach(file -> wanted.put(file.path(), file));
      List<Problem> taken = takenIds(contract.id(), wanted.values());
      if (!taken.isEmpty()) {
        return taken;
      }
      List<RouteFile> out = new ArrayList<>();
      List<RouteFile> in = new ArrayList<>();
      old.values().stream().filter(f -> !same(f, wanted.get(f.path()))).forEach(out::add);
      wanted.values().stream().filter(f -> !same(f, old.get(f.path()))).forEach(in::add);
      List<Problem> problems = replace(out, in);
      if (problems.isEmpty()) {
        loaded.put(contract.id(), wanted);
      }
      return problems;
    } finally {
      changing.unlock();
    }
  }

  /** Stops and removes all routes of an exchange whose folder is gone. */
  public void remove(String exchange) {
    changing.lock();
    try {
      Map<Path, RouteFile> old = loaded.remove(exchange);
      if (old != null) {
        old.values().forEach(file -> drop(file.routeId()));
      }
    } finally {
      changing.unlock();
    }
  }

  /** The routes that are loaded, by exchange. */
  public SortedMap<String, List<RouteFile>> routes() {
    changing.lock();
    try {
      SortedMap<String, List<RouteFile>> routes = new TreeMap<>();
      loaded.forEach((exchange, files) -> routes.put(exchange, List.copyOf(files.values())));
      return routes;
    } finally {
      changing.unlock();
    }
  }

  /**
   * The routes whose start failed and is tried again, with the kind of fault: for the health of the
   * channels.
   */
  public SortedMap<String, String> waiting() {
    changing.lock();
    try {
      return new TreeMap<>(waiting);
    } finally {
      changing.unlock();
    }
  }

  /**
   * Routes in the context that no proved file holds. The hub's own fixed routes are expected here,
   * and nothing else: a route that came in another way was never proved.
   */
  public SortedSet<String> strangers() {
    changing.lock();
    try {
      SortedSet<String> strangers = new TreeSet<>();
      context.getRoutes().forEach(route -> strangers.add(route.getRouteId()));
      strangers.removeAll(current.keySet());
      return strangers;
    } finally {
      changing.unlock();
    }
  }

  /** Stops trying to start what could not start. The routes themselves stop with the context. */
  @Override
  public void close() {
    changing.lock();
    try {
      closed = true;
      waiting.clear();
    } finally {
      changing.unlock();
    }
  }

  private static boolean same(RouteFile one, @Nullable RouteFile other) {
    return other != null
        && one.text().equals(other.text())
        && one.routeId().equals(other.routeId())
        && one.party().equals(other.party());
  }

  /** Ids that a route of another exchange, or one made in code, already has. */
  private List<Problem> takenIds(String exchange, Collection<RouteFile> wanted) {
    Map<Path, RouteFile> own = loaded.getOrDefault(exchange, Map.of());
    List<Problem> problems = new ArrayList<>();
    for (RouteFile file : wanted) {
      boolean ours = own.values().stream().anyMatch(f -> f.routeId().equals(file.routeId()));
      if (!ours && context.getRouteDefinition(file.routeId()) != null) {
        problems.add(
            new Problem(
                file.path(),
                0,
                "the route id '" + file.routeId() + "' is already used by another route",
                "give it an id of its own"));
      }
    }
    return problems;
  }

  private List<Problem> replace(List<RouteFile> out, List<RouteFile> in) {
    out.forEach(file -> drop(file.routeId()));
    List<Problem> unbuilt = build(in);
    if (!unbuilt.isEmpty()) {
      in.forEach(file -> drop(file.routeId()));
      build(out);
      superviseFailed(start(out));
      return unbuilt;
    }
    Map<RouteFile, Throwable> failed = start(in);
    List<RouteFile> before = replacedBy(failed.keySet(), out);
    if (before.isEmpty()) {
      superviseFailed(failed);
      return List.of();
    }
    in.forEach(file -> drop(file.routeId()));
    build(out);
    Map<RouteFile, Throwable> failedBefore = start(out);
    if (before.stream().noneMatch(failedBefore::containsKey)) {
      superviseFailed(failedBefore);
      List<Problem> problems = new ArrayList<>();
      failed.forEach((file, fault) -> problems.add(notStarted(file, fault)));
      return problems;
    }
    // The old version cannot start either, so it is the peer and not the file.
    out.forEach(file -> drop(file.routeId()));
    build(in);
    superviseFailed(start(in));
    return List.of();
  }

  private static List<RouteFile> replacedBy(Collection<RouteFile> failed, List<RouteFile> out) {
    return out.stream()
        .filter(old -> failed.stream().anyMatch(file -> file.path().equals(old.path())))
        .toList();
  }

  private static Problem notStarted(RouteFile file, Throwable fault) {
    return new Problem(
        file.path(),
        0,
        "the route '" + file.routeId() + "' does not start (" + reason(fault) + ")",
        "the version before it keeps running; correct the file");
  }

  /** Adds the routes to the context without starting them. */
  private List<Problem> build(List<RouteFile> files) {
    List<Problem> problems = new ArrayList<>();
    for (RouteFile file : files) {
      try {
        RoutesDefinition routes = RouteModel.load(context, file.path(), file.text());
        if (!RouteModel.unlisted(routes).isEmpty() || routes.getRoutes().size() != 1) {
          throw new IllegalStateException("the running context reads the file differently");
        }
        RouteDefinition route = routes.getRoutes().get(0);
        route.setErrorHandler(null);
        route.setErrorHandlerFactory(new NoErrorHandlerDefinition());
        route.setAutoStartup("false");
        context.addRouteDefinition(route);
        current.put(file.routeId(), file);
      } catch (Exception e) {
        LOG.atWarn().log("route {} cannot be built: {}", file.routeId(), reason(e));
        problems.add(
            new Problem(
                file.path(),
                0,
                "the route '" + file.routeId() + "' cannot be built (" + reason(e) + ")",
                "correct the address or the options"));
      }
    }
    return problems;
  }

  /**
   * Starts the routes beside each other and waits for them, but no longer than the start wait; one
   * that is still starting then is left to it.
   *
   * @return those that failed
   */
  private Map<RouteFile, Throwable> start(List<RouteFile> files) {
    Map<RouteFile, CompletableFuture<@Nullable Void>> starts = new LinkedHashMap<>();
    for (RouteFile file : files) {
      starts.put(file, CompletableFuture.runAsync(() -> startNow(file.routeId()), starter));
    }
    Map<RouteFile, Throwable> failed = new LinkedHashMap<>();
    long deadline = System.nanoTime() + startWait.toNanos();
    starts.forEach(
        (file, start) -> {
          try {
            start.get(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
            waiting.remove(file.routeId());
          } catch (ExecutionException e) {
            failed.put(file, Objects.requireNonNullElse(e.getCause(), e));
          } catch (TimeoutException e) {
            waiting.put(file.routeId(), "still starting");
            start.whenComplete((done, fault) -> concluded(file, fault));
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            start.whenComplete((done, fault) -> concluded(file, fault));
          }
        });
    return failed;
  }

  private void startNow(String routeId) {
    try {
      context.getRouteController().startRoute(routeId);
    } catch (Exception e) {
      throw new CompletionException(e);
    }
  }

  private void superviseFailed(Map<RouteFile, Throwable> failed) {
    failed.forEach(this::supervise);
  }

  private void concluded(RouteFile file, @Nullable Throwable fault) {
    changing.lock();
    try {
      if (current.get(file.routeId()) != file) {
        return;
      }
      if (fault == null) {
        waiting.remove(file.routeId());
        LOG.atInfo().log("route {} has started", file.routeId());
      } else {
        supervise(file, fault);
      }
    } finally {
      changing.unlock();
    }
  }

  private void supervise(RouteFile file, Throwable fault) {
    String reason = reason(fault);
    LOG.atWarn().log("route {} does not start, will be tried again: {}", file.routeId(), reason);
    waiting.put(file.routeId(), reason);
    retries.schedule(() -> retry(file), retryDelay.toMillis(), TimeUnit.MILLISECONDS);
  }

  private void retry(RouteFile file) {
    changing.lock();
    try {
      if (closed || current.get(file.routeId()) != file) {
        return;
      }
    } finally {
      changing.unlock();
    }
    CompletableFuture.runAsync(() -> startNow(file.routeId()), starter)
        .whenComplete((done, fault) -> concluded(file, fault));
  }

  private void drop(String routeId) {
    current.remove(routeId);
    waiting.remove(routeId);
    try {
      if (context.getRoute(routeId) != null) {
        context.getRouteController().stopRoute(routeId, STOP_SECONDS, TimeUnit.SECONDS);
        context.removeRoute(routeId);
      }
      RouteDefinition definition = context.getRouteDefinition(routeId);
      if (definition != null) {
        context.removeRouteDefinition(definition);
      }
    } catch (Exception e) {
      LOG.atWarn().log("route {} could not be removed cleanly: {}", routeId, reason(e));
    }
  }

  /** The innermost fault, short. Routes hold no personal data, and Camel masks secrets in URIs. */
  private static String reason(Throwable fault) {
    Throwable root = fault;
    for (int i = 0; i < 20 && root.getCause() != null; i++) {
      root = root.getCause();
    }
    String message = root.getMessage();
    return root.getClass().getSimpleName()
        + (message == null ? "" : ": " + Words.quotable(message));
  }
}
