package no.bindeledd.audit;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Where a published log is read from. Implementations are safe on any thread. */
@FunctionalInterface
public interface LogSource {
  /**
   * @param path below the log's prefix, with slashes: {@code checkpoint}, or a {@link TilePath}
   * @return its bytes, or null when there is no such piece
   * @throws IOException when nobody can tell
   */
  byte @Nullable [] read(String path) throws IOException;

  /**
   * What the log's newest checkpoint says; no signature is checked. Null when there is none.
   *
   * @throws IllegalArgumentException when it cannot be read as one
   */
  default @Nullable Checkpoint checkpoint() throws IOException {
    byte[] note = read(LogDirectory.CHECKPOINT);
    return note == null ? null : Checkpoint.parse(SignedNote.parse(note).text());
  }

  /** The piece of a tree, in full or partial width; a full one serves where the partial is gone. */
  default byte @Nullable [] read(TilePath tile) throws IOException {
    byte[] bytes = read(tile.path());
    if (bytes != null || tile.full()) {
      return bytes;
    }
    byte[] full = read(new TilePath(tile.level(), tile.index(), TilePath.FULL).path());
    if (full == null) {
      return null;
    }
    if (tile.level() != TilePath.ENTRIES) {
      return java.util.Arrays.copyOf(full, Math.min(full.length, tile.width() * TreeHash.LENGTH));
    }
    int end = 0;
    for (int i = 0; i < tile.width() && end + 2 <= full.length; i++) {
      end += 2 + EntryBundle.length(full, end + 2);
    }
    return java.util.Arrays.copyOf(full, Math.min(full.length, end));
  }
}
