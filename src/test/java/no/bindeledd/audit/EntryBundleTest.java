package no.bindeledd.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Entries in one piece, and what a partial piece is where only the full one is left. */
class EntryBundleTest {
  /** Entries of one, two, none and 300 bytes. */
  private static final byte[] BUNDLE =
      MemoryLog.join(List.of(new byte[] {0, 1, 7, 0, 2, 8, 9, 0, 0, 1, 44}, new byte[300]));

  @Test
  void eachEntryIsReadByItsLength() {
    assertThat(EntryBundle.offsets(BUNDLE, 4)).containsExactly(2, 5, 9, 11);
    assertThat(EntryBundle.entries(BUNDLE, 4))
        .containsExactly(new byte[] {7}, new byte[] {8, 9}, new byte[0], new byte[300]);
    assertThat(EntryBundle.entries(new byte[0], 0)).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"0, 0", "1, 0", "2, 0", "3, 1", "4, 1", "6, 1", "7, 2", "8, 2", "9, 3", "310, 3"})
  void onePieceTooShortSaysHowManyAreWhole(int length, int whole) {
    byte[] cut = Arrays.copyOf(BUNDLE, length);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> EntryBundle.offsets(cut, 4))
        .withMessage("it ends after " + whole + " whole entries of 4");
    if (whole > 0 && List.of(3, 7, 9).contains(length)) {
      assertThat(EntryBundle.entries(cut, whole)).hasSize(whole);
    }
  }

  @Test
  void onePieceTooLongIsToldSo() {
    for (byte[] more : List.of(Arrays.copyOf(BUNDLE, BUNDLE.length + 1), BUNDLE)) {
      int count = more.length == BUNDLE.length ? 3 : 4;
      assertThatIllegalArgumentException()
          .isThrownBy(() -> EntryBundle.offsets(more, count))
          .withMessage("it has something after its " + count + " entries");
    }
  }

  @Test
  void aPartialPieceIsTheBeginningOfTheFullOne() throws Exception {
    byte[] entries =
        MemoryLog.join(
            Stream.concat(
                    Stream.of(BUNDLE), Collections.nCopies(252, new byte[] {0, 1, 5}).stream())
                .toList());
    byte[] hashes = new byte[256 * 32];
    Arrays.fill(hashes, 96, hashes.length, (byte) 1);
    LogSource log =
        path ->
            switch (path) {
              case "tile/entries/001" -> entries;
              case "tile/0/001" -> hashes;
              default -> null;
            };
    assertThat(log.read(new TilePath(TilePath.ENTRIES, 1, 4))).isEqualTo(BUNDLE);
    assertThat(log.read(new TilePath(TilePath.ENTRIES, 1, 5)))
        .isEqualTo(Arrays.copyOf(entries, BUNDLE.length + 3));
    assertThat(log.read(new TilePath(TilePath.ENTRIES, 1, 256))).isEqualTo(entries);
    assertThat(log.read(new TilePath(0, 1, 3))).isEqualTo(new byte[96]);
    assertThat(log.read(new TilePath(TilePath.ENTRIES, 2, 4))).isNull();
    assertThat(log.read(new TilePath(0, 2, 256))).isNull();
    LogSource damaged = path -> path.equals("tile/entries/001") ? Arrays.copyOf(BUNDLE, 8) : null;
    assertThat(damaged.read(new TilePath(TilePath.ENTRIES, 1, 4)))
        .isEqualTo(Arrays.copyOf(BUNDLE, 7)); // its whole entries: whoever reads it says what lacks
  }
}
