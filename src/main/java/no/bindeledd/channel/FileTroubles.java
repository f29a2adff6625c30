package no.bindeledd.channel;

import org.apache.camel.Endpoint;
import org.apache.camel.Exchange;
import org.apache.camel.component.file.GenericFileEndpoint;
import org.apache.camel.component.file.GenericFileOperationFailedException;
import org.apache.camel.spi.ExceptionHandler;
import org.apache.camel.support.LifecycleStrategySupport;
import org.apache.camel.util.URISupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is logged when files cannot be listed, read or moved. Camel's own words name the file, and a
 * sender may put anything in a name; these tell the folder and what happened. Thread-safe.
 *
 * <p>Camel's logger of {@code GenericFileOnCompletion}, which names files too, is off in the
 * settings of the log.
 */
public final class FileTroubles extends LifecycleStrategySupport {
  private static final Logger LOG = LoggerFactory.getLogger(FileTroubles.class);

  @Override
  public void onEndpointAdd(Endpoint endpoint) {
    if (endpoint instanceof GenericFileEndpoint<?> files) {
      files.setExceptionHandler(new Told(files));
    }
  }

  private record Told(GenericFileEndpoint<?> files) implements ExceptionHandler {
    @Override
    public void handleException(Throwable exception) {
      tell(files, kinds(exception));
    }

    @Override
    public void handleException(String message, Throwable exception) {
      tell(files, kinds(exception));
    }

    @Override
    public void handleException(String message, @Nullable Exchange exchange, Throwable exception) {
      tell(files, kinds(exception));
    }
  }

  /**
   * @param what happened, without the name of a file
   */
  static void tell(GenericFileEndpoint<?> files, String what) {
    LOG.warn(
        "Files of {} could not be listed, read or moved: {}. They stay and are tried again; check"
            + " the server, and the permissions of the folder, done/ and failed/",
        URISupport.sanitizeUri(files.getEndpointBaseUri()),
        what);
  }

  /** The kinds of the exception and its causes, and what the server answered. */
  static String kinds(Throwable exception) {
    StringBuilder kinds = new StringBuilder();
    for (Throwable cause = exception; cause != null; cause = cause.getCause()) {
      kinds.append(kinds.isEmpty() ? "" : ", because of ").append(cause.getClass().getSimpleName());
      if (cause instanceof GenericFileOperationFailedException failed) {
        kinds.append(" (answer ").append(failed.getCode()).append(')');
      }
    }
    return kinds.toString();
  }
}
