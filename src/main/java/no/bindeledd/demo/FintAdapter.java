package no.bindeledd.demo;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicLong;
import no.bindeledd.demo.AgencyServer.Answer;

/**
 * The county's FINT adapter, the writing side of {@code utdanning/ot/otungdom}: a POST answers 202
 * with the address of a status, which turns 201 (contracts.md § 1). A resource with the same {@code
 * systemId}, or without one for the same person, replaces the earlier one, so a repeated write is
 * harmless. Thread-safe.
 */
public final class FintAdapter implements AutoCloseable {
  private static final String RESOURCE = "/utdanning/ot/otungdom";
  private static final String STATUS = "/status/";

  /** One write in so many is still at work when it is asked after for the first time. */
  private static final int SLOW_EVERY = 10;

  private final Faults faults;
  private final AgencyServer server;
  private final ConcurrentMap<String, Status> statuses = new ConcurrentHashMap<>();
  private final AtomicLong writes = new AtomicLong();
  private final ReceivedLog received;

  private enum Status {
    AT_WORK,
    DONE
  }

  /**
   * Starts the server.
   *
   * @param directory keeps what was written over restarts
   * @param faults answer 500 and store nothing
   */
  public FintAdapter(Path directory, Faults faults) {
    this.faults = faults;
    this.received = new ReceivedLog(directory.resolve("otungdom"));
    this.server = new AgencyServer(this::answer);
  }

  /** {@code http://127.0.0.1:port}. */
  public String url() {
    return server.url();
  }

  /** Writes that were taken, at this start and earlier ones, repeated ones included. */
  public long accepted() {
    return received.records();
  }

  /** Different resources. */
  public long stored() {
    return received.different();
  }

  private Answer answer(String method, String path, byte[] body) throws IOException {
    if (method.equals("POST") && path.equals(RESOURCE)) {
      return faults.next() ? Answer.empty(500) : write(body);
    }
    if (method.equals("GET") && path.startsWith(STATUS)) {
      return status(path.substring(STATUS.length()));
    }
    return Answer.empty(404);
  }

  private Answer write(byte[] body) {
    String key;
    try {
      key = key(AgencyServer.JSON.readTree(body));
    } catch (IOException e) {
      return Answer.empty(400);
    }
    if (key.isEmpty()) {
      return Answer.empty(400);
    }
    received.add(key);
    long count = writes.incrementAndGet();
    String id = UUID.randomUUID().toString();
    statuses.put(id, count % SLOW_EVERY == 0 ? Status.AT_WORK : Status.DONE);
    return new Answer(202, Map.of("Location", server.url() + STATUS + id), new byte[0]);
  }

  private static String key(JsonNode resource) throws JacksonException {
    String systemId = resource.at("/systemId/identifikatorverdi").asText("");
    return systemId.isEmpty() ? resource.at("/_links/person/0/href").asText("") : systemId;
  }

  private Answer status(String id) {
    Status status = statuses.get(id);
    if (status == null) {
      return Answer.empty(404);
    }
    if (status == Status.AT_WORK) {
      statuses.put(id, Status.DONE);
      return Answer.empty(202);
    }
    return new Answer(
        201, Map.of("Location", server.url() + RESOURCE + "/systemid/" + id), new byte[0]);
  }

  @Override
  public void close() {
    server.close();
    received.close();
  }
}
