package no.bindeledd.audit;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What the publisher finds in memory of what the ledger confirmed. */
class UnpublishedTest {
  private final Unpublished told = new Unpublished();

  private static Confirmed batch(long first, int entries, int bytes) {
    return new Confirmed(
        first,
        Collections.nCopies(entries, Entries.number(1)),
        new byte[bytes],
        new byte[entries * TreeHash.LENGTH]);
  }

  private @Nullable Long firstFrom(long index) {
    Confirmed found = told.from(index);
    return found == null ? null : found.first();
  }

  @Test
  void anEntryIsFoundInItsBatchOrTheNextOneIsTold() {
    assertThat(told.from(0)).isNull();
    for (int[] batch : new int[][] {{10, 5}, {15, 1}, {20, 2}}) {
      told.confirmed(batch(batch[0], batch[1], 1));
    }
    assertThat(firstFrom(0)).isEqualTo(10);
    assertThat(firstFrom(10)).isEqualTo(10);
    assertThat(firstFrom(14)).isEqualTo(10);
    assertThat(firstFrom(15)).isEqualTo(15);
    assertThat(firstFrom(16)).isEqualTo(20);
    assertThat(firstFrom(21)).isEqualTo(20);
    assertThat(firstFrom(22)).isNull();
  }

  @Test
  void whatIsPublishedIsForgottenWholeBatchesAtATime() {
    for (int first : List.of(0, 5, 10)) {
      told.confirmed(batch(first, 5, 1));
    }
    told.forgetBefore(4);
    assertThat(firstFrom(0)).isZero();
    told.forgetBefore(5);
    assertThat(firstFrom(0)).isEqualTo(5);
    told.forgetBefore(12);
    assertThat(firstFrom(0)).isEqualTo(10);
    told.forgetBefore(99);
    assertThat(firstFrom(0)).isNull();
  }

  @Test
  void theOldestIsForgottenWhenThereIsNoMoreRoom() {
    int half = 16 << 20;
    told.confirmed(batch(0, 1, half));
    told.confirmed(batch(1, 1, half));
    assertThat(firstFrom(0)).isZero();
    told.confirmed(batch(2, 1, 1));
    assertThat(firstFrom(0)).isEqualTo(1);
    told.confirmed(batch(3, 1, half));
    assertThat(firstFrom(0)).isEqualTo(2);
    told.forgetBefore(4);
    told.confirmed(batch(4, 1, 2 * half)); // what was forgotten makes room
    assertThat(firstFrom(0)).isEqualTo(4);
  }

  @Test
  void entriesOfAnotherShardAreKeptByTheirPlaceInItsLog() {
    told.confirmed(batch(new Shard(2).entry(7), 3, 1));
    assertThat(firstFrom(7)).isEqualTo(new Shard(2).entry(7));
    assertThat(firstFrom(10)).isNull();
  }
}
