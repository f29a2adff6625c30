package no.bindeledd.audit;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** A published log over HTTP. Safe on any thread. */
public final class LogWebsite implements LogSource {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final URI prefix;
  private final HttpClient client;

  /**
   * @param prefix with or without the last slash
   */
  public LogWebsite(URI prefix, HttpClient client) {
    this.prefix = prefix.toString().endsWith("/") ? prefix : URI.create(prefix + "/");
    this.client = client;
  }

  @Override
  public byte @Nullable [] read(String path) throws IOException {
    HttpRequest request = HttpRequest.newBuilder(prefix.resolve(path)).timeout(PATIENCE).build();
    HttpResponse<byte[]> response;
    try {
      response = client.send(request, HttpResponse.BodyHandlers.ofByteArray());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("Interrupted while reading " + request.uri());
    }
    return switch (response.statusCode()) {
      case 200 -> response.body();
      case 404, 410 -> null;
      default ->
          throw new IOException(request.uri() + " answered with status " + response.statusCode());
    };
  }
}
