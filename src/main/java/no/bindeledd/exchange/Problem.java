package no.bindeledd.exchange;

import java.nio.file.Path;

/**
 * Something wrong in a file that a person wrote, with the place and the remedy. Never holds a value
 * from a person's record.
 *
 * @param line from 1; 0 when the whole file is meant
 */
public record Problem(Path file, int line, String what, String remedy) {
  /** The form that the command line prints: {@code file:line: what; what to do}. */
  @Override
  public String toString() {
    return file + ":" + line + ": " + what + "; " + remedy;
  }
}
