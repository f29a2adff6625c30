package no.bindeledd.e2e;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Finds the synthetic people of these tests in any text or bytes: their numbers and names as they
 * are, in hexadecimal and in base64.
 */
final class Leaks {
  private static final Pattern NAME =
      Pattern.compile(Pattern.quote(Youth.CANARY) + "(fugl|s)", Pattern.CASE_INSENSITIVE);
  private static final Pattern DIGITS = Pattern.compile("[0-9]{11,}");
  private static final Pattern HEX = Pattern.compile("[0-9a-fA-F]{12,}");
  private static final Pattern BASE64 = Pattern.compile("[A-Za-z0-9+/_-]{14,}");

  private Leaks() {}

  /** What was found, with some of what stands around it. */
  static List<String> in(String text) {
    List<String> found = new ArrayList<>();
    Set<String> numbers = numbers();
    plain(text, numbers, found);
    for (Matcher hex = HEX.matcher(text); hex.find(); ) {
      // Where the bytes begin is not known.
      for (int shift = 0; shift < 2; shift++) {
        int length = (hex.group().length() - shift) / 2 * 2;
        byte[] decoded = HexFormat.of().parseHex(hex.group(), shift, shift + length);
        inside(decoded, "hex", numbers, text, hex.start(), found);
      }
    }
    for (Matcher base64 = BASE64.matcher(text); base64.find(); ) {
      for (int shift = 0; shift < 4; shift++) {
        byte[] decoded = decoded(base64.group().substring(shift));
        inside(decoded, "base64", numbers, text, base64.start(), found);
      }
    }
    return found;
  }

  /** The same in bytes, without hexadecimal and base64. */
  static List<String> inBytes(byte[] bytes) {
    List<String> found = new ArrayList<>();
    plain(new String(bytes, ISO_8859_1), numbers(), found);
    return found;
  }

  private static Set<String> numbers() {
    return Youth.met().stream()
        .flatMap(youth -> List.of(youth.number(), youth.wrongNumber()).stream())
        .collect(Collectors.toUnmodifiableSet());
  }

  private static void inside(
      byte[] decoded, String how, Set<String> numbers, String text, int at, List<String> found) {
    List<String> within = new ArrayList<>();
    plain(new String(decoded, ISO_8859_1), numbers, within);
    if (!within.isEmpty()) {
      found.add(how + ": " + around(text, at));
    }
  }

  private static void plain(String text, Set<String> numbers, List<String> found) {
    for (Matcher name = NAME.matcher(text); name.find(); ) {
      found.add("name: " + around(text, name.start()));
    }
    for (Matcher digits = DIGITS.matcher(text); digits.find(); ) {
      for (int i = digits.start(); i + 11 <= digits.end(); i++) {
        if (numbers.contains(text.substring(i, i + 11))) {
          found.add("number: " + around(text, i));
        }
      }
    }
  }

  private static byte[] decoded(String base64) {
    String usual = base64.replace('-', '+').replace('_', '/');
    String whole = usual.substring(0, usual.length() / 4 * 4);
    return java.util.Base64.getDecoder().decode(whole);
  }

  private static String around(String text, int at) {
    return text.substring(Math.max(0, at - 120), Math.min(text.length(), at + 120))
        .replaceAll("\\p{Cntrl}", " ")
        .toLowerCase(Locale.ROOT);
  }
}
