package no.bindeledd.audit;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;

/**
 * What a coverage-guided fuzzer calls: every parser of the audit room, chosen by the first byte.
 * What is not in its form is an {@link IllegalArgumentException} and nothing else; what is read is
 * written again as it was. How to run it: CONTRIBUTING.md.
 */
public final class FuzzTarget {
  private static final int PARSERS = 8;

  private FuzzTarget() {}

  /** The name and form that Jazzer asks for. */
  public static void fuzzerTestOneInput(byte[] data) {
    if (data.length == 0) {
      return;
    }
    byte[] bytes = Arrays.copyOfRange(data, 1, data.length);
    try {
      parse(Math.floorMod(data[0], PARSERS), bytes);
    } catch (IllegalArgumentException e) {
      // Refused in words, as it should be.
    }
  }

  private static void parse(int parser, byte[] bytes) {
    String text = new String(bytes, StandardCharsets.UTF_8);
    switch (parser) {
      case 0 -> same(bytes, SignedNote.parse(bytes).encoded().getBytes(StandardCharsets.UTF_8));
      case 1 -> {
        Checkpoint read = Checkpoint.parse(text);
        same(read, Checkpoint.parse(read.text()));
      }
      case 2 -> {
        String written = LogProof.parse(text).encoded();
        same(written, LogProof.parse(written).encoded());
      }
      case 3 -> {
        String written = WitnessRequest.parse(text).encoded();
        same(text, written);
      }
      case 4 -> {
        TilePath path = TilePath.parse(text);
        if (path != null) {
          same(text, path.path());
        }
      }
      case 5 -> same(text, VerifierKey.parse(text).vkey());
      case 6 -> {
        if (bytes.length > 0) {
          List<byte[]> entries =
              EntryBundle.entries(
                  Arrays.copyOfRange(bytes, 1, bytes.length), 1 + (bytes[0] & 0xff));
          CanonicalWriter bundle = new CanonicalWriter(1024);
          for (byte[] entry : entries) {
            bundle.int16(entry.length);
            bundle.raw(entry);
          }
          same(Arrays.copyOfRange(bytes, 1, bytes.length), bundle.toByteArray());
        }
      }
      default -> {
        AuditEntry entry =
            new StoredEntry(
                    0, Instant.EPOCH, "", "", "", null, null, new byte[16], new byte[32], bytes)
                .parse();
        byte[] canonical = entry.canonical();
        AuditEntry again =
            new StoredEntry(
                    0, Instant.EPOCH, "", "", "", null, null, new byte[16], new byte[32], canonical)
                .parse();
        same(canonical, again.canonical());
      }
    }
  }

  private static void same(Object expected, Object found) {
    boolean same =
        expected instanceof byte[] one && found instanceof byte[] other
            ? Arrays.equals(one, other)
            : expected.equals(found);
    if (!same) {
      throw new AssertionError("Written otherwise than read");
    }
  }
}
