package no.bindeledd.demo;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.person.Protection;
import no.bindeledd.policy.ConsentFact;
import org.jspecify.annotations.Nullable;

/**
 * Where the synthetic people give and withdraw consents, and where their address gradings and
 * shieldings come from: a client of the hub's keeper API. Thread-safe.
 */
public final class ConsentPortal implements AutoCloseable {
  /** The scope that the hub asks its keepers for. */
  public static final String SCOPE = "bindeledd:keeper";

  private static final ObjectMapper JSON = new ObjectMapper();

  /** The county runs the registry, and receives nothing under a consent itself. */
  private static final OrganisationNumber KEEPER = Agencies.COUNTY;

  private static final int AT_ONCE = 32;

  private final URI rest;
  private final TokenIssuer tokens;
  private final HttpClient http =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(Duration.ofSeconds(5))
          .build();

  public ConsentPortal(URI rest, TokenIssuer tokens) {
    this.rest = rest;
    this.tokens = tokens;
  }

  /**
   * Registers the protection of everybody who has one.
   *
   * @return how many
   */
  public int registerProtections(Population population) throws InterruptedException {
    List<Callable<@Nullable Void>> calls = new ArrayList<>();
    for (Person person : population.people()) {
      Protection protection = person.protection();
      if (protection.any()) {
        ObjectNode body = JSON.createObjectNode();
        body.put("subject", person.identityNumber());
        body.put("grade", protection.grade().name());
        body.put("shielded", protection.shielded());
        calls.add(() -> put("/protection", body));
      }
    }
    return all(calls);
  }

  /**
   * Registers consents and blocks.
   *
   * @param late those that come after the messages, or those that were there before
   * @return how many
   */
  public int registerConsents(Population population, boolean late) throws InterruptedException {
    List<Callable<@Nullable Void>> calls = new ArrayList<>();
    for (Person person : population.people()) {
      for (Person.ConsentGrant grant : person.consents()) {
        if (grant.late() == late) {
          calls.add(() -> register(person, grant));
        }
      }
    }
    return all(calls);
  }

  /** Something withdrawn was given first. */
  private @Nullable Void register(Person person, Person.ConsentGrant grant)
      throws IOException, InterruptedException {
    boolean withdrawn = grant.state() == ConsentFact.State.WITHDRAWN;
    ObjectNode body = body(person, grant);
    body.put("state", (withdrawn ? ConsentFact.State.GIVEN : grant.state()).name());
    send("PUT", "/consents/" + grant.id(), body, "If-None-Match", "*");
    return withdrawn ? withdraw(person, grant) : null;
  }

  private @Nullable Void withdraw(Person person, Person.ConsentGrant grant)
      throws IOException, InterruptedException {
    ObjectNode withdrawal = JSON.createObjectNode();
    withdrawal.put("subject", person.identityNumber());
    withdrawal.put("captured", "PORTAL");
    send("POST", "/consents/" + grant.id() + "/withdrawal", withdrawal, "If-Match", "\"1\"");
    return null;
  }

  /**
   * Some change their minds after the agencies have received something: every fifth of those who
   * let NAV ask, and every twelfth who agreed to the plan.
   *
   * @return how many
   */
  public int withdrawSome(Population population) throws InterruptedException {
    List<Callable<@Nullable Void>> calls = new ArrayList<>();
    for (Person person : population.people()) {
      for (Person.ConsentGrant grant : person.consents()) {
        if (regretted(person, grant)) {
          calls.add(() -> withdraw(person, grant));
        }
      }
    }
    return all(calls);
  }

  static boolean regretted(Person person, Person.ConsentGrant grant) {
    return switch (grant.purpose()) {
      case Population.COLLECTION -> person.number() % 5 == 0;
      case "FOLLOW_UP_PLAN" -> person.number() % 12 == 0;
      default -> false;
    };
  }

  private static ObjectNode body(Person person, Person.ConsentGrant grant) {
    ObjectNode body = JSON.createObjectNode();
    body.put("subject", person.identityNumber());
    body.put("purpose", grant.purpose());
    if (grant.guardians() != null) {
      body.put("kind", ConsentFact.Kind.PARTICIPATION.name());
      ObjectNode grantors = body.putObject("grantors");
      grantors.put("person", grant.guardians().isEmpty());
      grant.guardians().forEach(grantors.putArray("guardians")::add);
    }
    if (!grant.sources().isEmpty()) {
      body.put("kind", ConsentFact.Kind.FETCHING.name());
      grant.sources().forEach(body.putArray("sources")::add);
    }
    grant.recipients().forEach(body.putArray("recipients")::add);
    grant.categories().forEach(body.putArray("categories")::add);
    body.put("validFrom", grant.validFrom().toString());
    if (grant.validTo() != null) {
      body.put("validTo", grant.validTo().toString());
    }
    body.put("textVersion", "demo-portal@1");
    body.put("captured", "PORTAL");
    return body;
  }

  private @Nullable Void put(String path, ObjectNode body)
      throws IOException, InterruptedException {
    send("PUT", path, body);
    return null;
  }

  /**
   * @param more names and values of headers
   */
  private void send(String method, String path, ObjectNode body, String... more)
      throws IOException, InterruptedException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(rest + path))
            .timeout(Duration.ofSeconds(30))
            .header("Content-Type", "application/json")
            .header("Authorization", "Bearer " + tokens.token(KEEPER, SCOPE))
            .method(method, HttpRequest.BodyPublishers.ofByteArray(JSON.writeValueAsBytes(body)));
    if (more.length > 0) {
      request.headers(more);
    }
    HttpResponse<String> response =
        http.send(request.build(), HttpResponse.BodyHandlers.ofString());
    // A busy machine may keep the issuer's keys waiting; what was not taken is sent again.
    for (int attempt = 1; response.statusCode() == 503 && attempt < 20; attempt++) {
      Hub.Patience.STANDARD.waitAfter(attempt);
      response = http.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }
    if (response.statusCode() >= 300) {
      // A problem document of the hub holds nothing from the request.
      throw new IllegalStateException("The hub's keeper API answered " + response.body());
    }
  }

  private static int all(List<Callable<@Nullable Void>> calls) throws InterruptedException {
    Semaphore places = new Semaphore(AT_ONCE);
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<@Nullable Void>> running = new ArrayList<>();
      for (Callable<@Nullable Void> call : calls) {
        places.acquire();
        running.add(
            threads.submit(
                () -> {
                  try {
                    return call.call();
                  } finally {
                    places.release();
                  }
                }));
      }
      for (Future<@Nullable Void> one : running) {
        one.get();
      }
    } catch (ExecutionException e) {
      throw new IllegalStateException("A consent or protection could not be registered", e);
    }
    return calls.size();
  }

  @Override
  public void close() {
    http.shutdownNow();
  }
}
