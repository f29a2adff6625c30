package no.bindeledd.reading;

import java.nio.charset.StandardCharsets;

/**
 * What a coverage-guided fuzzer calls: whatever stands in an entry, its CEF line is one line, and a
 * parser that was not written here reads the same from it. How to run it: CONTRIBUTING.md.
 */
public final class CefFuzzTarget {
  private static final int TEXTS = 4;

  private CefFuzzTarget() {}

  /** The name and form that Jazzer asks for. */
  public static void fuzzerTestOneInput(byte[] data) throws Exception {
    String[] texts = new String(data, StandardCharsets.UTF_8).split("\0", -1);
    if (texts.length < TEXTS) {
      return;
    }
    for (String text : texts) {
      if (!CefLineTest.isText(text)) {
        return;
      }
    }
    CefLineTest.requireReadBack(texts[0], texts[1], texts[2], texts[3]);
  }
}
