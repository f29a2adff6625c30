package no.bindeledd.mapping;

/** A value was not in a code list. Carries the list's name and never the value. */
final class UnknownCode extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String list;

  UnknownCode(String list) {
    super("a code is not in the list " + list, null, false, false);
    this.list = list;
  }

  String list() {
    return list;
  }
}
