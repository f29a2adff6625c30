package no.bindeledd.demo;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import no.bindeledd.demo.AgencyServer.Answer;

/**
 * The county's service that knows who has a right to upper secondary education: {@code POST
 * /utdanning/ot/rettigheter {foedselsnummer}}. It answers more than anyone may see, as such
 * services do: the OT code may be OTSY (ill), and a remark is free text. Thread-safe.
 */
public final class CountyService implements AutoCloseable {
  private static final String RIGHTS = "/utdanning/ot/rettigheter";
  static final Map<String, Integer> GROUPS =
      Map.of(
          "OTUK", 1, "OTOV", 2, "OTOA", 3, "OTAP", 3, "OTAR", 3, "OTKO", 3, "OTSY", 4, "OTBA", 4);

  private final Map<String, Person> register = new HashMap<>();
  private final Faults faults;
  private final AgencyServer server;
  private final AtomicLong answered = new AtomicLong();

  /** Starts the server; the faults answer 503. */
  public CountyService(Population population, Faults faults) {
    population.people().forEach(p -> register.put(p.identityNumber(), p));
    this.faults = faults;
    this.server = new AgencyServer(this::answer);
  }

  public String url() {
    return server.url();
  }

  /** Questions that got an answer. */
  public long answered() {
    return answered.get();
  }

  private Answer answer(String method, String path, byte[] body) throws IOException {
    if (!method.equals("POST") || !path.equals(RIGHTS)) {
      return Answer.empty(404);
    }
    if (faults.next()) {
      return new Answer(503, Map.of("Retry-After", "1"), new byte[0]);
    }
    String number;
    try {
      number = AgencyServer.JSON.readTree(body).path("foedselsnummer").asText("");
    } catch (IOException e) {
      return Answer.empty(400);
    }
    if (number.isEmpty()) {
      return Answer.empty(400);
    }
    Person person = register.get(number);
    if (person == null) {
      return Answer.empty(404);
    }
    answered.incrementAndGet();
    return Answer.json(200, rights(person));
  }

  private static ObjectNode rights(Person person) {
    ObjectNode rights = AgencyServer.JSON.createObjectNode();
    boolean right = person.dropout() != null;
    rights.put("rett", right);
    rights.put("rettighetstype", right ? "UNGDOMSRETT" : "INGEN");
    rights.put("restAar", right ? 4 - person.level() : 0);
    String status = person.otStatus();
    if (status != null) {
      ObjectNode ot = rights.putObject("otStatus");
      ot.put("kode", status);
      ot.put("gruppe", GROUPS.getOrDefault(status, 1));
      rights.put("merknad", "Intern merknad som ikke skal deles");
    }
    return rights;
  }

  @Override
  public void close() {
    server.close();
  }
}
