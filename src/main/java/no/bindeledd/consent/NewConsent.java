package no.bindeledd.consent;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Pattern;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.policy.ConsentFact;
import no.bindeledd.policy.ConsentFact.State;
import org.jspecify.annotations.Nullable;

/**
 * A version of a consent or block about to be recorded. Immutable. Instants are kept to the
 * microsecond, as the database does.
 *
 * @param id chosen by whoever captured it, so that a repeated request is recognised
 * @param expectedVersion the version it was made from; 0 for a new id
 * @param purpose the purpose code; for a block also {@link ConsentFact#ANY_PURPOSE}
 * @param recipients organisation numbers; empty means all
 * @param categories data categories; empty means all of the purpose
 * @param validTo exclusive; null means until withdrawn or lifted
 * @param captured how it was given, such as the form and its text version; no personal values
 */
public record NewConsent(
    UUID id,
    int expectedVersion,
    Pseudonym subject,
    State state,
    String purpose,
    Set<String> recipients,
    Set<String> categories,
    Instant validFrom,
    @Nullable Instant validTo,
    String captured) {

  private static final Pattern NINE_DIGITS = Pattern.compile("[0-9]{9}");

  /** Nothing else is kept: what is written in the wrong field may be a name. */
  private static final Pattern CODE = Pattern.compile("[A-Z][A-Z0-9_]{0,63}");

  public NewConsent {
    recipients = Set.copyOf(recipients);
    categories = Set.copyOf(categories);
    validFrom = validFrom.truncatedTo(ChronoUnit.MICROS);
    validTo = validTo == null ? null : validTo.truncatedTo(ChronoUnit.MICROS);
    require(expectedVersion >= 0, "expectedVersion is below 0; give 0 for a new consent");
    require(
        purpose.equals(ConsentFact.ANY_PURPOSE) || CODE.matcher(purpose).matches(),
        "purpose is no code; give the purpose of the exchange, such as FOLLOW_UP");
    require(
        categories.stream().allMatch(category -> CODE.matcher(category).matches()),
        "categories holds something that is no code; give data categories, such as ABSENCE");
    require(
        state == State.BLOCKED || !purpose.equals(ConsentFact.ANY_PURPOSE),
        "purpose is '*', which only a block may have; name one purpose");
    require(
        recipients.stream().allMatch(r -> NINE_DIGITS.matcher(r).matches()),
        "recipients holds something that is no organisation number; give nine digits each");
    require(
        validTo == null || !validTo.isBefore(validFrom),
        "validTo is before validFrom; give a later instant");
    require(
        state != State.WITHDRAWN || expectedVersion > 0,
        "a withdrawal needs the version it withdraws; give expectedVersion");
    require(!captured.isBlank(), "captured is empty; say how it was given");
  }

  /** A new consent, for a purpose and until withdrawn. */
  public static NewConsent given(
      UUID id,
      Pseudonym subject,
      String purpose,
      Set<String> recipients,
      Set<String> categories,
      Instant validFrom,
      @Nullable Instant validTo,
      String captured) {
    return new NewConsent(
        id, 0, subject, State.GIVEN, purpose, recipients, categories, validFrom, validTo, captured);
  }

  /** A new block, until lifted. */
  public static NewConsent block(
      UUID id,
      Pseudonym subject,
      String purpose,
      Set<String> recipients,
      Set<String> categories,
      Instant validFrom,
      String captured) {
    return new NewConsent(
        id, 0, subject, State.BLOCKED, purpose, recipients, categories, validFrom, null, captured);
  }

  private static void require(boolean holds, String otherwise) {
    if (!holds) {
      throw new IllegalArgumentException(otherwise);
    }
  }
}
