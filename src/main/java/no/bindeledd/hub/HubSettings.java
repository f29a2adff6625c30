package no.bindeledd.hub;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Period;
import java.util.List;
import java.util.Map;
import java.util.Set;
import no.bindeledd.audit.Shard;
import no.bindeledd.person.Numbers;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;

/**
 * The hub's own settings, {@code bindeledd.*}.
 *
 * @param home the folder that holds {@code routes/}, {@code mappings/} and {@code policies/}
 * @param secrets the folder with the hub's keys, readable by its user alone
 * @param createSecrets make secret files that are missing. Off by default: a hub that silently
 *     makes a new key can no longer read what it keeps, nor prove what it signed
 * @param origin the name of the house's log, part of every signed checkpoint
 * @param shard which part of the log this instance writes, from 0: a number of its own for each
 *     instance on the same database
 * @param numbers which identity numbers are taken: production refuses synthetic ones
 * @param largestMessage a larger body is refused unread
 * @param consentCache memory for the consents of people who were asked about, 190 bytes a person
 *     with one consent
 * @param watch how often the folders are looked at for changes
 * @param tokens whose tokens are believed; null when no exchange is pushed by REST
 * @param altinn what a consent to a resource of Altinn 3 is a consent to here, by the resource's id
 * @param fint the hub's login at FINT; null when none is needed
 * @param delivery how failing deliveries are tried again
 * @param audit where copies of the audit trail go
 * @param archive where old parts of the ledger go
 */
@ConfigurationProperties("bindeledd")
public record HubSettings(
    @DefaultValue(".") Path home,
    @DefaultValue("data/secrets") Path secrets,
    @DefaultValue("false") boolean createSecrets,
    @DefaultValue("bindeledd.local/1") String origin,
    @DefaultValue("0") int shard,
    @DefaultValue("REAL_ONLY") Numbers numbers,
    @DefaultValue("10MB") DataSize largestMessage,
    @DefaultValue("64MB") DataSize consentCache,
    @DefaultValue("1s") Duration watch,
    @Nullable Tokens tokens,
    @DefaultValue Map<String, AltinnResource> altinn,
    @Nullable Fint fint,
    @DefaultValue Delivery delivery,
    @DefaultValue Audit audit,
    @DefaultValue Archive archive,
    @DefaultValue Published published) {

  /**
   * Where copies of the audit trail go. The ledger is their buffer: a receiver that is down gets
   * what it lacks later.
   *
   * @param syslog CEF lines; null to send none
   * @param otlp OpenTelemetry log records; null to send none
   */
  public record Audit(@Nullable Syslog syslog, @Nullable Otlp otlp) {}

  /**
   * A syslog receiver.
   *
   * @param tls off only for a receiver on the same machine
   * @param authority PEM file with the certificates to trust; null for the platform's own
   * @param hostname how this hub calls itself, printable ASCII without space
   */
  public record Syslog(
      String host,
      @DefaultValue("6514") int port,
      @DefaultValue("true") boolean tls,
      @Nullable Path authority,
      @DefaultValue("bindeledd") String hostname) {}

  /**
   * An OpenTelemetry receiver.
   *
   * @param endpoint its address for logs, such as {@code https://collector.example/v1/logs}
   */
  public record Otlp(String endpoint) {}

  /**
   * Old parts of the ledger.
   *
   * @param after how old the newest entry of a part is when it leaves the database for a file; null
   *     keeps all of it there
   * @param folder where the files are; by default {@code archive} beside the secrets
   */
  public record Archive(@Nullable Period after, @Nullable Path folder) {}

  /** The folder of the archive files. */
  Path archives() {
    Path folder = archive.folder();
    return (folder == null ? secrets.toAbsolutePath().resolveSibling("archive") : folder)
        .toAbsolutePath();
  }

  /**
   * The published log.
   *
   * @param folder where all logs are, each in the folder of its origin; by default {@code log}
   *     beside the secrets
   * @param entriesOverHttp whether the entries, too, are given to whoever asks; the hashes are
   * @param witnesses who cosigns each published checkpoint
   */
  public record Published(
      @Nullable Path folder,
      @DefaultValue("false") boolean entriesOverHttp,
      @DefaultValue List<Witness> witnesses) {}

  /**
   * An independent witness of the log.
   *
   * @param url its address, above {@code add-checkpoint}
   * @param key its verifier key, as it gave it
   */
  public record Witness(URI url, String key) {}

  /** The part of the ledger that this instance writes. */
  Shard ownShard() {
    return new Shard(shard);
  }

  /** The folder of all published logs. */
  Path logs() {
    Path folder = published.folder();
    return (folder == null ? secrets.toAbsolutePath().resolveSibling("log") : folder)
        .toAbsolutePath();
  }

  /**
   * The hub's own login at FINT (OAuth2 password grant; contracts.md § 1).
   *
   * @param orgId the header {@code x-org-id}
   * @param client the header {@code x-client}
   */
  public record Fint(
      String tokenEndpoint,
      String username,
      String password,
      String clientId,
      String clientSecret,
      @DefaultValue("fint-client") String scope,
      @Nullable String orgId,
      @Nullable String client) {
    @Override
    public String toString() {
      return "Fint[" + tokenEndpoint + "]";
    }
  }

  /**
   * What a consent to a resource of Altinn 3 is a consent to.
   *
   * @param purpose the purpose code of the exchange
   * @param categories data categories; empty means all of the purpose
   * @param textVersion the version of the text that Altinn shows for the resource
   * @param metadata names of metadata that limit nothing of what is told here; a consent with any
   *     other is not used, since it may be for less
   */
  public record AltinnResource(
      String purpose,
      @DefaultValue Set<String> categories,
      @DefaultValue("1") int textVersion,
      @DefaultValue Set<String> metadata) {}

  static final String KEEPER_SCOPE = "bindeledd:keeper";
  static final String AUDIT_SCOPE = "bindeledd:audit";

  /**
   * A Maskinporten-shaped issuer.
   *
   * @param issuer the exact {@code iss}
   * @param metadata address of the issuer's metadata document (RFC 8414); by default found from the
   *     issuer
   * @param audience the exact {@code aud} that names this hub
   * @param keeperScope the scope that lets a caller register consents and protection
   * @param auditScope what the scopes of those who read the audit trail begin with, see {@link
   *     AuditAccess}
   */
  public record Tokens(
      String issuer,
      @Nullable String metadata,
      String audience,
      @DefaultValue(KEEPER_SCOPE) String keeperScope,
      @DefaultValue(AUDIT_SCOPE) String auditScope) {}

  /**
   * See {@link no.bindeledd.delivery.RetryPolicy}.
   *
   * @param answerWithin a peer that has not answered a request by then is taken to be away
   */
  public record Delivery(
      @DefaultValue("10") int attempts,
      @DefaultValue("250ms") Duration firstPause,
      @DefaultValue("1m") Duration longestPause,
      @DefaultValue("30s") Duration answerWithin) {}
}
