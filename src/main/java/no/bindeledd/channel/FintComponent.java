package no.bindeledd.channel;

import java.net.URI;
import java.net.http.HttpClient;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.camel.Endpoint;
import org.apache.camel.spi.annotations.Component;
import org.apache.camel.support.DefaultComponent;
import org.jspecify.annotations.Nullable;

/**
 * The scheme {@code fint:}, as in {@code fint:{{peers.fint.url}}/utdanning/ot/otungdom?orgId=…}:
 * delivers to a FINT installation; see {@link FintClient} for the protocol and {@link FintEndpoint}
 * for the options. Credentials never stand in an address: they are set here as a bean.
 */
@Component("fint")
public final class FintComponent extends DefaultComponent {
  private InstantSource clock = InstantSource.system();
  private @Nullable FintCredentials credentials;
  private @Nullable String orgId;
  private @Nullable String client;
  private @Nullable ExecutorService threads;
  private @Nullable HttpClient http;
  private @Nullable FintClient fint;

  @Override
  protected Endpoint createEndpoint(String uri, String remaining, Map<String, Object> parameters)
      throws Exception {
    URI resource = URI.create(remaining);
    if (resource.getHost() == null
        || !("https".equals(resource.getScheme()) || "http".equals(resource.getScheme()))) {
      throw new IllegalArgumentException(
          "A FINT address is fint:https://<host>/<domain>/<package>/<class>");
    }
    FintEndpoint endpoint = new FintEndpoint(uri, this, resource);
    endpoint.setOrgId(orgId);
    endpoint.setClient(client);
    endpoint.setCredentials(credentials);
    setProperties(endpoint, parameters);
    return endpoint;
  }

  @Override
  protected void doStart() throws Exception {
    super.doStart();
    ExecutorService executor =
        Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("fint-", 0).factory());
    HttpClient started =
        HttpClient.newBuilder()
            .executor(executor)
            .connectTimeout(Duration.ofSeconds(5))
            .followRedirects(HttpClient.Redirect.NEVER)
            .build();
    threads = executor;
    http = started;
    fint = new FintClient(started, clock);
  }

  @Override
  protected void doStop() throws Exception {
    super.doStop();
    if (http != null) {
      http.shutdownNow();
    }
    if (threads != null) {
      threads.shutdownNow();
    }
  }

  FintClient fint() {
    return Objects.requireNonNull(fint, "the component fint has not been started");
  }

  public void setClock(InstantSource clock) {
    this.clock = clock;
  }

  /** The login of every endpoint that names none; null means: no bearer token. */
  public void setCredentials(@Nullable FintCredentials credentials) {
    this.credentials = credentials;
  }

  /** The header {@code x-org-id} of every endpoint that names none. */
  public void setOrgId(@Nullable String orgId) {
    this.orgId = orgId;
  }

  /** The header {@code x-client} of every endpoint that names none. */
  public void setClient(@Nullable String client) {
    this.client = client;
  }
}
