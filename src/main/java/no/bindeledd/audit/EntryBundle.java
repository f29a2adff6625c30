package no.bindeledd.audit;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Up to 256 entries in one piece: two bytes of length, big-endian, before each. No state, safe on
 * any thread. Source: C2SP tlog-tiles.
 */
final class EntryBundle {
  private EntryBundle() {}

  /**
   * Where each entry of a bundle begins; its two bytes of length stand before it.
   *
   * @param count how many entries it must hold
   * @throws IllegalArgumentException when it does not hold exactly so many; its message tells how
   *     many are whole
   */
  static int[] offsets(byte[] bundle, int count) {
    int[] offsets = new int[count];
    int at = 0;
    for (int i = 0; i < count; i++) {
      if (at + 2 > bundle.length || at + 2 + length(bundle, at + 2) > bundle.length) {
        throw new IllegalArgumentException("it ends after " + i + " whole entries of " + count);
      }
      offsets[i] = at + 2;
      at = offsets[i] + length(bundle, offsets[i]);
    }
    if (at != bundle.length) {
      throw new IllegalArgumentException("it has something after its " + count + " entries");
    }
    return offsets;
  }

  /** The length of the entry that begins here. */
  static int length(byte[] bundle, int offset) {
    return (bundle[offset - 2] & 0xff) << 8 | (bundle[offset - 1] & 0xff);
  }

  static List<byte[]> entries(byte[] bundle, int count) {
    List<byte[]> entries = new ArrayList<>(count);
    for (int offset : offsets(bundle, count)) {
      entries.add(Arrays.copyOfRange(bundle, offset, offset + length(bundle, offset)));
    }
    return entries;
  }
}
