package no.bindeledd.fault;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import javax.sql.DataSource;
import org.postgresql.PGConnection;

/**
 * A real database whose connections break when a test says so: the server's own process for the
 * connection is ended with {@code pg_terminate_backend}. Thread-safe.
 */
public final class FragileDatabase {
  /** When the connection of a transaction breaks. */
  public enum Break {
    NEVER,
    AT_FIRST_STATEMENT,
    BEFORE_COMMIT,
    /** The commit is done, but whoever asked for it never hears so. */
    AFTER_COMMIT,
    /** As before, and the commit is done only when {@link #land} is called. */
    COMMIT_IN_FLIGHT
  }

  private final DataSource real;
  private final AtomicInteger commits = new AtomicInteger();
  private volatile Supplier<Break> next = () -> Break.NEVER;
  private volatile boolean down;
  private volatile CompletableFuture<Connection> inFlight = new CompletableFuture<>();
  private volatile CountDownLatch hold = new CountDownLatch(0);
  private volatile CountDownLatch held = new CountDownLatch(0);

  public FragileDatabase(DataSource real) {
    this.real = real;
  }

  /** Asked once for each connection that is handed out. */
  public void breaks(Supplier<Break> next) {
    this.next = next;
  }

  /** While down, nobody gets a connection. */
  public void down(boolean down) {
    this.down = down;
  }

  /** Commits that were done. */
  public int commits() {
    return commits.get();
  }

  /** The next who asks for a connection waits until {@link #letGo}. */
  public void holdNext() {
    hold = new CountDownLatch(1);
    held = new CountDownLatch(1);
  }

  public void awaitHeld() throws InterruptedException {
    held.await();
  }

  public void letGo() {
    hold.countDown();
  }

  /** Lets the commit in flight arrive; waits until there is one. */
  public void land() throws Exception {
    try (Connection connection = inFlight.join()) {
      connection.commit();
      commits.incrementAndGet();
    }
    inFlight = new CompletableFuture<>();
  }

  public DataSource source() {
    return proxy(
        DataSource.class,
        (self, method, arguments) ->
            method.getName().equals("getConnection") ? open() : call(real, method, arguments));
  }

  private Connection open() throws SQLException {
    held.countDown();
    try {
      hold.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new SQLException("interrupted", "08006", e);
    }
    if (down) {
      throw new SQLException("the database is down", "08001");
    }
    Connection connection = real.getConnection();
    Break when = next.get();
    return when == Break.NEVER ? counting(connection) : breaking(connection, when);
  }

  private Connection counting(Connection connection) {
    return proxy(
        Connection.class,
        (self, method, arguments) -> {
          Object result = call(connection, method, arguments);
          if (method.getName().equals("commit")) {
            commits.incrementAndGet();
          }
          return result;
        });
  }

  private Connection breaking(Connection connection, Break when) {
    return proxy(
        Connection.class,
        (self, method, arguments) -> {
          String name = method.getName();
          if (when == Break.AT_FIRST_STATEMENT && name.equals("prepareStatement")) {
            end(connection);
          }
          if (!name.equals("commit")) {
            boolean gone = when == Break.COMMIT_IN_FLIGHT && inFlight.getNow(null) == connection;
            return gone ? null : call(connection, method, arguments);
          }
          switch (when) {
            case COMMIT_IN_FLIGHT -> {
              inFlight.complete(connection);
              throw new SQLException("the connection broke in the commit", "08006");
            }
            case AFTER_COMMIT -> {
              connection.commit();
              commits.incrementAndGet();
              end(connection);
              throw new SQLException("the connection broke in the commit", "08006");
            }
            default -> {
              end(connection);
              return call(connection, method, arguments);
            }
          }
        });
  }

  private void end(Connection connection) throws SQLException {
    int pid = connection.unwrap(PGConnection.class).getBackendPID();
    try (Connection administrator = real.getConnection();
        PreparedStatement end =
            administrator.prepareStatement("SELECT pg_terminate_backend(?, 5000)")) {
      end.setInt(1, pid);
      end.execute();
    }
  }

  private static Object call(Object target, Method method, Object[] arguments) throws Throwable {
    try {
      return method.invoke(target, arguments);
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }

  private static <T> T proxy(Class<T> type, java.lang.reflect.InvocationHandler handler) {
    return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
  }
}
