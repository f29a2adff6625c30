package no.bindeledd.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.sql.Connection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import javax.sql.DataSource;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A shard is written by one instance, as long as that one's database session lives. */
@SuppressWarnings("NullAway.Init")
class ShardHoldTest {
  private static final Shard SHARD = new Shard(3);

  private static LogDatabase database;

  @BeforeAll
  static void start() throws Exception {
    database = LogDatabase.shared();
  }

  private static List<Shard> held() throws Exception {
    try (Connection c = database.source.getConnection()) {
      return new ArrayList<>(ShardHold.held(c));
    }
  }

  private static ShardHold take(Shard shard) throws Exception {
    return ShardHold.take(database.source, shard, Duration.ZERO);
  }

  @Test
  void whoeverComesSecondIsToldWhatToDoAndLeavesNothingOpen() throws Exception {
    String sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()";
    try (ShardHold one = take(SHARD);
        ShardHold other = take(Shard.FIRST)) {
      assertThat(held()).containsExactly(Shard.FIRST, SHARD);
      String before = database.text(sessions);
      assertThatThrownBy(() -> take(SHARD))
          .isInstanceOf(LedgerException.class)
          .hasMessageStartingWith("Another hub instance writes shard 3 of this database.");
      assertThat(database.text(sessions)).isEqualTo(before);
      assertThat(one.keep()).isTrue();
      other.close();
      other.close();
      assertThat(held()).containsExactly(SHARD);
    }
    assertThat(held()).isEmpty();
    take(SHARD).close();
  }

  @Test
  void whoeverIsPatientGetsItWhenTheFirstEnds() throws Exception {
    ShardHold first = take(SHARD);
    CountDownLatch refusedOnce = new CountDownLatch(2);
    DataSource watched =
        (DataSource)
            java.lang.reflect.Proxy.newProxyInstance(
                getClass().getClassLoader(),
                new Class<?>[] {DataSource.class},
                (proxy, method, arguments) -> {
                  refusedOnce.countDown(); // the second try comes after a refusal
                  return method.invoke(database.source, arguments);
                });
    CompletableFuture<ShardHold> second =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return ShardHold.take(watched, SHARD, Duration.ofMinutes(1));
              } catch (Exception e) {
                throw new IllegalStateException(e);
              }
            });
    refusedOnce.await();
    assertThat(second).isNotDone();
    first.close();
    second.get().close();
    assertThat(held()).isEmpty();
  }

  @Test
  void aSessionThatBrokeIsTakenAnewUnlessAnotherWasFaster() throws Exception {
    String breakAll =
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
            + " AND pid <> pg_backend_pid()";
    try (ShardHold one = take(SHARD)) {
      database.sql(breakAll);
      assertThat(one.keep()).isTrue();
      assertThat(held()).containsExactly(SHARD);
      database.sql(breakAll);
      try (ShardHold faster = take(SHARD)) {
        assertThat(one.keep()).isFalse();
        assertThat(faster.keep()).isTrue();
      }
      assertThat(one.keep()).isTrue();
    }
  }
}
