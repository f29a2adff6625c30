package no.bindeledd.person;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** A secret file cannot be used; the message names the file and what to do, never its content. */
public final class SecretFileException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  SecretFileException(Path file, String what, String remedy, @Nullable Exception cause) {
    super(file + ": " + what + "; " + remedy, cause);
  }
}
