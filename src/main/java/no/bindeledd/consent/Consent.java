package no.bindeledd.consent;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Pattern;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.policy.ConsentFact;
import no.bindeledd.policy.ConsentFact.Kind;
import no.bindeledd.policy.ConsentFact.State;
import org.jspecify.annotations.Nullable;

/**
 * One version of a consent or block, whole, as it is recorded. Immutable. Instants are kept to the
 * microsecond, as the database does.
 *
 * @param id chosen by whoever captured it, so that a repeated request is recognised
 * @param version from 1, one more for each change
 * @param kind what is consented to; on a block without meaning
 * @param grantors who stands behind it
 * @param purpose the purpose code; for a block also {@link ConsentFact#ANY_PURPOSE}
 * @param sources organisation numbers that may tell; empty means all, which {@link Kind#FETCHING}
 *     does not allow
 * @param recipients organisation numbers that may learn; empty means all
 * @param categories data categories; empty means all of the purpose
 * @param textVersion which text was shown, {@code id@version}; a consent has one
 * @param validTo exclusive; null means until withdrawn or lifted
 */
public record Consent(
    UUID id,
    int version,
    Pseudonym subject,
    Kind kind,
    State state,
    Grantors grantors,
    String purpose,
    Set<String> sources,
    Set<String> recipients,
    Set<String> categories,
    @Nullable String textVersion,
    Instant validFrom,
    @Nullable Instant validTo,
    Captured captured) {

  private static final Pattern NINE_DIGITS = Pattern.compile("[0-9]{9}");

  /** Nothing else is kept: what is written in the wrong field may be a name. */
  private static final Pattern CODE = Pattern.compile("[A-Z][A-Z0-9_]{0,63}");

  /** The data category of a request to a source: that it is asked, and for what. */
  static final String ASKING = "COLLECTION_REQUEST";

  /** Of consents from before the text was recorded. */
  static final String TEXT_NOT_STATED = "not-stated@1";

  private static final Pattern TEXT = Pattern.compile("[a-z][a-z0-9-]{0,62}@[1-9][0-9]{0,5}");

  /**
   * Who stands behind a consent.
   *
   * @param person the person
   * @param guardians the guardians who do, at most two
   */
  public record Grantors(boolean person, Set<Pseudonym> guardians) {
    /** The person alone. */
    public static final Grantors PERSON = new Grantors(true, Set.of());

    public Grantors {
      guardians = Set.copyOf(guardians);
      require(guardians.size() <= 2, "grantors names more than two guardians; give those who sign");
      require(person || !guardians.isEmpty(), "grantors is empty; say who gives the consent");
    }
  }

  public Consent {
    sources = Set.copyOf(sources);
    recipients = Set.copyOf(recipients);
    categories = Set.copyOf(categories);
    validFrom = validFrom.truncatedTo(ChronoUnit.MICROS);
    validTo = validTo == null ? null : validTo.truncatedTo(ChronoUnit.MICROS);
    require(version > 0, "version is below 1; the first is 1");
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
        sources.stream().allMatch(r -> NINE_DIGITS.matcher(r).matches()),
        "sources holds something that is no organisation number; give nine digits each");
    require(
        kind != Kind.FETCHING || !sources.isEmpty(),
        "sources is empty; a consent to fetch names each source");
    require(
        validTo == null || !validTo.isBefore(validFrom),
        "validTo is before validFrom; give a later instant");
    require(
        state != State.WITHDRAWN || version > 1,
        "a withdrawal needs the consent that it withdraws; give that one first");
    require(
        state != State.GIVEN || textVersion != null,
        "textVersion is missing; say which text was shown, such as sharing-nav@2");
    require(
        textVersion == null || TEXT.matcher(textVersion).matches(),
        "textVersion is not an id and a version; give it as sharing-nav@2");
    require(
        !grantors.guardians().contains(subject),
        "grantors names the person as a guardian; set person to true instead");
  }

  /** What a decision sees of it. */
  public ConsentFact fact() {
    return fact(sources, recipients, categories);
  }

  /**
   * Everything that a decision sees of it: to fetch something, one must ask for it, so a consent to
   * fetch lets its recipients ask its sources, and nothing else goes that way.
   */
  List<ConsentFact> facts() {
    return kind == Kind.FETCHING && state != State.BLOCKED
        ? List.of(fact(), fact(recipients, sources, Set.of(ASKING)))
        : List.of(fact());
  }

  private ConsentFact fact(Set<String> from, Set<String> to, Set<String> about) {
    return new ConsentFact(
        id.toString(),
        version,
        kind,
        state,
        new ConsentFact.Grantors(grantors.person(), grantors.guardians().size()),
        purpose,
        from,
        to,
        about,
        validFrom,
        validTo);
  }

  /** {@code id@version}, as the ledger names it. */
  public String reference() {
    return id + "@" + version;
  }

  /** Without the person and the guardians. */
  @Override
  public String toString() {
    return "Consent[" + reference() + " " + kind + " " + state + "]";
  }

  /** The next version, taken back. */
  Consent withdrawn(Captured how) {
    return next(State.WITHDRAWN, validTo, how);
  }

  /** The next version, a block that ends. */
  Consent lifted(Instant endsAt, Captured how) {
    return next(State.BLOCKED, endsAt.isBefore(validFrom) ? validFrom : endsAt, how);
  }

  private Consent next(State to, @Nullable Instant end, Captured how) {
    return new Consent(
        id,
        version + 1,
        subject,
        kind,
        to,
        grantors,
        purpose,
        sources,
        recipients,
        categories,
        textVersion,
        validFrom,
        end,
        how);
  }

  private static void require(boolean holds, String otherwise) {
    if (!holds) {
      throw new IllegalArgumentException(otherwise);
    }
  }
}
