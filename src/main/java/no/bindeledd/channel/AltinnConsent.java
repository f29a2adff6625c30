package no.bindeledd.channel;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import no.bindeledd.exchange.OrganisationNumber;
import org.jspecify.annotations.Nullable;

/**
 * A consent of Altinn 3 as a Maskinporten token carries it: one of its {@code
 * authorization_details} with the type {@value #TYPE}. Maskinporten has signed it; whether it holds
 * for a request is for the reader to judge. Source: contracts.md § 5; docs.altinn.studio.
 * Immutable.
 *
 * @param from the person's identity number
 * @param to the organisation that may use it
 * @param status the state that it names; null when it names none
 */
public record AltinnConsent(
    UUID id,
    String from,
    OrganisationNumber to,
    Instant consented,
    Instant validTo,
    @Nullable String status,
    List<Right> rights) {

  static final String TYPE = "urn:altinn:consent";
  private static final String PERSON = "urn:altinn:person:identifier-no:";
  private static final String ORGANISATION = "urn:altinn:organization:identifier-no:";
  private static final String RESOURCE = "urn:altinn:resource";
  private static final String AUTHORITY = "iso6523-actorid-upis";
  private static final String NORWEGIAN = "0192:";
  private static final int MOST = 100;

  /**
   * What it gives.
   *
   * @param resources the ids of the resources in Altinn
   * @param metadata limits that were shown to the person, by name
   */
  public record Right(Set<String> resources, Map<String, String> metadata) {
    public Right {
      resources = Set.copyOf(resources);
      metadata = Map.copyOf(metadata);
    }
  }

  public AltinnConsent {
    rights = List.copyOf(rights);
  }

  /** Without the person's number. */
  @Override
  public String toString() {
    return "AltinnConsent[" + id + "]";
  }

  /** The details cannot be read as Altinn writes them. */
  static final class MalformedException extends Exception {
    private static final long serialVersionUID = 1L;

    MalformedException(String field) {
      super(
          "The access token's authorization_details lack or misspell " + field, null, false, false);
    }
  }

  /**
   * Reads the claim; details of other types are passed over.
   *
   * @throws MalformedException names the member that is wrong, never its value
   */
  static List<AltinnConsent> of(@Nullable Object claim) throws MalformedException {
    if (claim == null) {
      return List.of();
    }
    List<AltinnConsent> consents = new ArrayList<>();
    for (Object element : list(claim, "themselves")) {
      if (!(element instanceof Map<?, ?> detail)) {
        throw new MalformedException("an object");
      }
      if (TYPE.equals(detail.get("type"))) {
        consents.add(consent(detail));
      }
    }
    return consents;
  }

  private static AltinnConsent consent(Map<?, ?> detail) throws MalformedException {
    List<Right> rights = new ArrayList<>();
    for (Object right : list(detail.get("consentRights"), "consentRights")) {
      rights.add(right(right));
    }
    return new AltinnConsent(
        id(text(detail, "id")),
        after(PERSON, text(detail, "from"), "from"),
        organisation(detail.get("to")),
        time(detail, "consented"),
        time(detail, "validTo"),
        detail.get("status") instanceof String status ? status : null,
        rights);
  }

  private static Right right(Object element) throws MalformedException {
    if (!(element instanceof Map<?, ?> right)) {
      throw new MalformedException("consentRights");
    }
    Set<String> resources = new LinkedHashSet<>();
    if (list(right.get("action"), "action").contains("consent")) {
      for (Object resource : list(right.get("resource"), "resource")) {
        if (resource instanceof Map<?, ?> named && RESOURCE.equals(named.get("type"))) {
          resources.add(text(named, "value"));
        }
      }
    }
    Map<String, String> limits = new HashMap<>();
    // Altinn writes both.
    for (String spelling : List.of("metaData", "metadata")) {
      Object metadata = right.get(spelling);
      if (metadata instanceof Map<?, ?> members) {
        members.forEach((name, value) -> limits.put(String.valueOf(name), String.valueOf(value)));
      } else if (metadata != null) {
        throw new MalformedException("metadata");
      }
    }
    return new Right(resources, limits);
  }

  /** As in the request, or as in the token. */
  private static OrganisationNumber organisation(@Nullable Object to) throws MalformedException {
    String number;
    if (to instanceof String urn) {
      number = after(ORGANISATION, urn, "to");
    } else if (to instanceof Map<?, ?> actor && AUTHORITY.equals(actor.get("authority"))) {
      number = after(NORWEGIAN, text(actor, "ID"), "to");
    } else {
      throw new MalformedException("to");
    }
    if (!OrganisationNumber.isValid(number)) {
      throw new MalformedException("to");
    }
    return new OrganisationNumber(number);
  }

  private static UUID id(String text) throws MalformedException {
    try {
      return UUID.fromString(text);
    } catch (IllegalArgumentException e) {
      throw new MalformedException("id");
    }
  }

  private static Instant time(Map<?, ?> detail, String name) throws MalformedException {
    try {
      return OffsetDateTime.parse(text(detail, name)).toInstant();
    } catch (DateTimeException e) {
      throw new MalformedException(name);
    }
  }

  private static List<?> list(@Nullable Object value, String name) throws MalformedException {
    if (value instanceof List<?> list && list.size() <= MOST) {
      return list;
    }
    throw new MalformedException(name);
  }

  private static String text(Map<?, ?> from, String name) throws MalformedException {
    if (from.get(name) instanceof String text && !text.isBlank()) {
      return text;
    }
    throw new MalformedException(name);
  }

  private static String after(String prefix, String text, String name) throws MalformedException {
    if (!text.startsWith(prefix)) {
      throw new MalformedException(name);
    }
    return text.substring(prefix.length());
  }
}
