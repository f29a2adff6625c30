package no.bindeledd.gate;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdException;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Compresses what many messages have in common, before it is encrypted: four bytes of length and a
 * Zstandard frame (RFC 8878). No state, safe on any thread.
 */
final class Squeezed {
  /** As fast as encryption and writing of what it saves; a fifth of the size is left. */
  private static final int LEVEL = -5;

  private static final int MOST = 1 << 30;

  private Squeezed() {}

  static byte[] squeeze(byte[] plain) {
    byte[] squeezed = new byte[Integer.BYTES + Math.toIntExact(Zstd.compressBound(plain.length))];
    ByteBuffer.wrap(squeezed).putInt(plain.length);
    long length =
        Zstd.compressByteArray(
            squeezed,
            Integer.BYTES,
            squeezed.length - Integer.BYTES,
            plain,
            0,
            plain.length,
            LEVEL);
    if (Zstd.isError(length)) {
      throw new IllegalStateException("Zstandard cannot compress: " + Zstd.getErrorName(length));
    }
    return Arrays.copyOf(squeezed, Integer.BYTES + Math.toIntExact(length));
  }

  /**
   * What {@link #squeeze} was given.
   *
   * @throws IllegalArgumentException when it is something else
   */
  static byte[] stretch(byte[] squeezed) {
    int length = squeezed.length < Integer.BYTES ? -1 : ByteBuffer.wrap(squeezed).getInt();
    if (length < 0 || length > MOST) {
      throw new IllegalArgumentException("Not what was compressed here");
    }
    try {
      byte[] plain =
          Zstd.decompress(Arrays.copyOfRange(squeezed, Integer.BYTES, squeezed.length), length);
      if (plain.length != length) {
        throw new IllegalArgumentException("Not what was compressed here");
      }
      return plain;
    } catch (ZstdException e) {
      throw new IllegalArgumentException("Not what was compressed here", e);
    }
  }
}
