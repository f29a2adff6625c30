package no.bindeledd.audit;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A published log as a map from path to bytes, made straight from the definitions: slow, and
 * independent of the publisher.
 */
final class MemoryLog implements LogSource {
  final SortedMap<String, byte[]> files = new TreeMap<>();
  final List<byte[]> entries;

  MemoryLog(List<byte[]> entries, LogKey key) {
    this.entries = entries;
    TreeHash hash = new TreeHash();
    List<byte[]> level = new ArrayList<>();
    entries.forEach(entry -> level.add(hash.leaf(entry)));
    byte[] root = MerkleProof.root(level);
    bundles();
    List<byte[]> nodes = level;
    for (int l = 0; !nodes.isEmpty(); l++) {
      List<byte[]> above = new ArrayList<>();
      for (int i = 0; i < nodes.size(); i += 256) {
        List<byte[]> tile = nodes.subList(i, Math.min(i + 256, nodes.size()));
        files.put(new TilePath(l, i / 256, tile.size()).path(), join(tile));
        if (tile.size() == 256) {
          above.add(MerkleProof.root(tile));
        }
      }
      nodes = above;
    }
    files.put(
        LogDirectory.CHECKPOINT,
        new Checkpoint(key.verifier().name(), entries.size(), root)
            .sign(key)
            .encoded()
            .getBytes(StandardCharsets.UTF_8));
  }

  private MemoryLog(MemoryLog other) {
    this.entries = other.entries;
    files.putAll(other.files);
  }

  MemoryLog copy() {
    return new MemoryLog(this);
  }

  private void bundles() {
    for (int i = 0; i < entries.size(); i += 256) {
      int width = Math.min(256, entries.size() - i);
      CanonicalWriter bundle = new CanonicalWriter(1 << 16);
      for (byte[] entry : entries.subList(i, i + width)) {
        bundle.int16(entry.length);
        bundle.raw(entry);
      }
      files.put(new TilePath(TilePath.ENTRIES, i / 256, width).path(), bundle.toByteArray());
    }
  }

  static byte[] join(List<byte[]> pieces) {
    CanonicalWriter all = new CanonicalWriter(1024);
    pieces.forEach(all::raw);
    return all.toByteArray();
  }

  /** A piece that is there. */
  byte[] piece(String path) {
    return Objects.requireNonNull(files.get(path), path);
  }

  @Override
  public byte @Nullable [] read(String path) {
    return files.get(path);
  }
}
