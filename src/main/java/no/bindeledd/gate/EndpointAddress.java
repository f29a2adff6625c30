package no.bindeledd.gate;

import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * An outside address without options, in the one form in which two spellings of the same place are
 * equal. Whatever could be read in two ways (percent signs, user names, empty or dotted path
 * segments, {@code RAW()}, fragments) has no canonical form and is refused, not normalised.
 */
final class EndpointAddress {
  private static final Map<String, Integer> DEFAULT_PORTS =
      Map.of("http", 80, "https", 443, "sftp", 22);
  private static final Pattern PLAIN = Pattern.compile("[A-Za-z0-9._~/:-]*");
  private static final Pattern TOPIC = Pattern.compile("[A-Za-z0-9._-]{1,249}");
  private static final Pattern HOST =
      Pattern.compile("[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\\.[A-Za-z0-9-]+)*");
  private static final Pattern PORT = Pattern.compile("[1-9][0-9]{0,4}|0");
  private static final Set<String> SCHEMES =
      Set.of("kafka", "http", "https", "fint", "sftp", "mllp");

  private EndpointAddress() {}

  /** The address has no canonical form; the message says why, without repeating the address. */
  static final class NotCanonical extends Exception {
    private static final long serialVersionUID = 1L;

    NotCanonical(String message) {
      super(message);
    }
  }

  /** The canonical form of {@code scheme:rest}, placeholders already resolved. */
  static String canonical(String scheme, String rest) throws NotCanonical {
    if (!SCHEMES.contains(scheme)) {
      throw new NotCanonical("the scheme '" + scheme + "' is none of those the hub delivers to");
    }
    if (rest.indexOf('@') >= 0) {
      throw new NotCanonical("the address holds a user name or password");
    }
    if (!PLAIN.matcher(rest).matches()) {
      throw new NotCanonical("the address holds a character other than letters, digits and ._~/:-");
    }
    if (scheme.equals("fint")) {
      return fint(rest);
    }
    String bare = rest.startsWith("//") ? rest.substring(2) : rest;
    if (scheme.equals("kafka")) {
      if (!TOPIC.matcher(bare).matches() || bare.equals(".") || bare.equals("..")) {
        throw new NotCanonical("the address is not one topic name");
      }
      return "kafka:" + bare;
    }
    return hostAndPath(scheme, bare);
  }

  private static String fint(String rest) throws NotCanonical {
    String bare = rest.startsWith("//") ? rest.substring(2) : rest;
    int colon = bare.indexOf(':');
    String scheme = colon < 0 ? "" : bare.substring(0, colon);
    if (!scheme.equals("http") && !scheme.equals("https")) {
      throw new NotCanonical("a fint address must go on with http:// or https://");
    }
    return "fint:" + canonical(scheme, bare.substring(colon + 1));
  }

  private static String hostAndPath(String scheme, String bare) throws NotCanonical {
    int slash = bare.indexOf('/');
    String authority = slash < 0 ? bare : bare.substring(0, slash);
    String path = slash < 0 ? "" : bare.substring(slash + 1);
    int colon = authority.indexOf(':');
    String host = colon < 0 ? authority : authority.substring(0, colon);
    if (!HOST.matcher(host).matches()) {
      throw new NotCanonical("the host is not a name or an IPv4 address");
    }
    String port =
        colon < 0
            ? String.valueOf(DEFAULT_PORTS.getOrDefault(scheme, -1))
            : authority.substring(colon + 1);
    if (!PORT.matcher(port).matches()) {
      throw new NotCanonical("the port is missing or not a number");
    }
    if (path.indexOf(':') >= 0) {
      throw new NotCanonical("the path holds a colon");
    }
    if (!path.isEmpty()) {
      String[] segments = path.split("/", -1);
      for (int i = 0; i < segments.length; i++) {
        boolean last = i == segments.length - 1;
        String segment = segments[i];
        if (segment.equals(".") || segment.equals("..") || (segment.isEmpty() && !last)) {
          throw new NotCanonical("the path holds an empty or dotted segment");
        }
      }
    }
    return scheme + "://" + host.toLowerCase(Locale.ROOT) + ":" + port + "/" + path;
  }
}
