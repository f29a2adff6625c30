package no.bindeledd.channel;

import java.net.URI;
import java.time.Duration;
import org.apache.camel.Category;
import org.apache.camel.Consumer;
import org.apache.camel.Processor;
import org.apache.camel.Producer;
import org.apache.camel.spi.Metadata;
import org.apache.camel.spi.UriEndpoint;
import org.apache.camel.spi.UriParam;
import org.apache.camel.spi.UriPath;
import org.apache.camel.support.DefaultEndpoint;
import org.jspecify.annotations.Nullable;

/** One class of resources at a FINT installation, to write to. */
@UriEndpoint(
    firstVersion = "0.1.0",
    scheme = "fint",
    title = "FINT",
    syntax = "fint:resource",
    producerOnly = true,
    category = {Category.API})
public final class FintEndpoint extends DefaultEndpoint {
  @UriPath(description = "Address of the class, such as https://host/utdanning/ot/otungdom")
  @Metadata(required = true)
  private final URI resource;

  @UriParam(description = "The header x-org-id")
  private @Nullable String orgId;

  @UriParam(description = "The header x-client")
  private @Nullable String client;

  @UriParam(description = "The login, as a bean", label = "security")
  private @Nullable FintCredentials credentials;

  @UriParam(description = "Limit of each HTTP request", javaType = "java.time.Duration")
  private long requestTimeout = FintClient.Limits.STANDARD.request().toMillis();

  @UriParam(
      description = "Limit from the write until its status is final",
      javaType = "java.time.Duration")
  private long settleTimeout = FintClient.Limits.STANDARD.settle().toMillis();

  @UriParam(
      description = "Pause before the first poll of the status; doubled for each further one",
      javaType = "java.time.Duration")
  private long firstPoll = FintClient.Limits.STANDARD.firstPoll().toMillis();

  @UriParam(description = "Longest pause between polls", javaType = "java.time.Duration")
  private long longestPoll = FintClient.Limits.STANDARD.longestPoll().toMillis();

  FintEndpoint(String uri, FintComponent component, URI resource) {
    super(uri, component);
    this.resource = resource;
  }

  @Override
  public Producer createProducer() {
    return new FintProducer(
        this,
        ((FintComponent) getComponent()).fint(),
        new FintClient.Target(resource, orgId, client, credentials),
        new FintClient.Limits(
            Duration.ofMillis(requestTimeout),
            Duration.ofMillis(settleTimeout),
            Duration.ofMillis(firstPoll),
            Duration.ofMillis(longestPoll)));
  }

  @Override
  public Consumer createConsumer(Processor processor) {
    throw new UnsupportedOperationException("fint: delivers; it does not receive");
  }

  public void setOrgId(@Nullable String orgId) {
    this.orgId = orgId;
  }

  public void setClient(@Nullable String client) {
    this.client = client;
  }

  public void setCredentials(@Nullable FintCredentials credentials) {
    this.credentials = credentials;
  }

  public void setRequestTimeout(long requestTimeout) {
    this.requestTimeout = requestTimeout;
  }

  public void setSettleTimeout(long settleTimeout) {
    this.settleTimeout = settleTimeout;
  }

  public void setFirstPoll(long firstPoll) {
    this.firstPoll = firstPoll;
  }

  public void setLongestPoll(long longestPoll) {
    this.longestPoll = longestPoll;
  }
}
