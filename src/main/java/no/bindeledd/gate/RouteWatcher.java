package no.bindeledd.gate;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import no.bindeledd.person.Sha256;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Notices changed files under {@code routes/}, {@code mappings/} and {@code policies/} by looking
 * at their content at an interval. Content and not file events, as events get lost on network and
 * container mounts and fire in the middle of a write; the files are few and small. A change is
 * reported when two looks in a row see the same content, so that a half-written file is not.
 *
 * <p>Samples are not watched: they change nothing that runs. A listener that throws is called again
 * at the next look.
 */
public final class RouteWatcher implements AutoCloseable {
  /** Told about changes, on the scheduler's thread. */
  @FunctionalInterface
  public interface Listener {
    void changed(Change change);
  }

  /**
   * What is different from last time.
   *
   * @param exchanges the ids whose folder under {@code routes/} or {@code mappings/} changed,
   *     appeared or disappeared; every id when a file beside the folders changed, such as the code
   *     lists in {@code mappings/codes/}
   * @param policies whether anything under {@code policies/} changed
   */
  public record Change(SortedSet<String> exchanges, boolean policies) {
    public Change {
      exchanges = Collections.unmodifiableSortedSet(new TreeSet<>(exchanges));
    }
  }

  private static final Logger LOG = LoggerFactory.getLogger(RouteWatcher.class);
  private static final String ROUTES = "routes/";
  private static final String MAPPINGS = "mappings/";
  private static final String POLICIES = "policies/";

  private final Path home;
  private final Listener listener;
  private final ScheduledExecutorService scheduler;
  private final Duration interval;
  private @Nullable ScheduledFuture<?> looking;

  /** Per file, relative with '/', a hash of its content. Touched by the looking thread only. */
  private SortedMap<String, String> known = new TreeMap<>();

  private SortedMap<String, String> last = new TreeMap<>();

  /**
   * @param home the folder that holds {@code routes/}, {@code mappings/} and {@code policies/}
   * @param interval between two looks; a change is reported after one to two of them
   */
  public RouteWatcher(
      Path home, Listener listener, ScheduledExecutorService scheduler, Duration interval) {
    this.home = home;
    this.listener = listener;
    this.scheduler = scheduler;
    this.interval = interval;
  }

  /**
   * Takes what lies there now as known, and begins to look for what is different from it. Call it
   * before loading the folders, so that a change in between is not missed.
   */
  public synchronized void start() {
    if (looking != null) {
      throw new IllegalStateException("the watcher runs already");
    }
    known = content();
    last = known;
    long millis = interval.toMillis();
    looking = scheduler.scheduleWithFixedDelay(this::look, millis, millis, TimeUnit.MILLISECONDS);
  }

  @Override
  public synchronized void close() {
    if (looking != null) {
      looking.cancel(false);
    }
  }

  /** One look; the scheduler calls it. */
  void look() {
    try {
      SortedMap<String, String> now = content();
      boolean settled = now.equals(last);
      last = now;
      if (!settled || now.equals(known)) {
        return;
      }
      listener.changed(change(known, now));
      known = now;
    } catch (UncheckedIOException e) {
      LOG.atDebug().log("a file changed while it was being read; looking again");
    } catch (RuntimeException e) {
      LOG.atError().log("a change could not be taken ({}); trying again", e.getClass().getName());
    }
  }

  private static Change change(SortedMap<String, String> old, SortedMap<String, String> now) {
    SortedSet<String> exchanges = new TreeSet<>();
    boolean policies = false;
    boolean shared = false;
    SortedSet<String> files = new TreeSet<>(old.keySet());
    files.addAll(now.keySet());
    SortedSet<String> all = new TreeSet<>();
    for (String file : files) {
      String exchange = exchange(file);
      if (file.startsWith(ROUTES) && exchange != null) {
        all.add(exchange);
      }
      if (java.util.Objects.equals(old.get(file), now.get(file))) {
        continue;
      }
      if (file.startsWith(POLICIES)) {
        policies = true;
      } else if (exchange == null) {
        shared = true;
      } else {
        exchanges.add(exchange);
      }
    }
    return new Change(shared ? all : exchanges, policies);
  }

  /** The folder right under routes/ or mappings/; null for what lies beside them. */
  private static @Nullable String exchange(String file) {
    int first = file.indexOf('/');
    int second = file.indexOf('/', first + 1);
    if (second < 0 || file.startsWith(MAPPINGS + "codes/") || file.startsWith(POLICIES)) {
      return null;
    }
    return file.substring(first + 1, second);
  }

  private SortedMap<String, String> content() {
    SortedMap<String, String> content = new TreeMap<>();
    for (String folder : List.of(ROUTES, MAPPINGS, POLICIES)) {
      Path root = home.resolve(folder);
      if (!Files.isDirectory(root)) {
        continue;
      }
      try (Stream<Path> files = Files.walk(root, FileVisitOption.FOLLOW_LINKS)) {
        files
            .filter(file -> isWatched(root.relativize(file)) && Files.isRegularFile(file))
            .forEach(file -> content.put(folder + slashes(root.relativize(file)), hash(file)));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return content;
  }

  /** Hidden files (editors, and the folders behind a Kubernetes mount) and samples are left out. */
  private static boolean isWatched(Path relative) {
    for (Path part : relative) {
      String name = part.toString();
      if (name.startsWith(".") || name.endsWith("~") || name.equals("samples")) {
        return false;
      }
    }
    return true;
  }

  private static String slashes(Path relative) {
    return relative.toString().replace('\\', '/');
  }

  private static String hash(Path file) {
    try (InputStream in = Files.newInputStream(file)) {
      MessageDigest digest = Sha256.digest();
      byte[] buffer = new byte[8192];
      for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
        digest.update(buffer, 0, read);
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
