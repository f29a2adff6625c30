package no.bindeledd.gate;

import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import no.bindeledd.gate.RouteFile.Direction;
import org.apache.camel.catalog.CamelCatalog;
import org.apache.camel.catalog.DefaultCamelCatalog;
import org.apache.camel.tooling.model.ComponentModel;
import org.jspecify.annotations.Nullable;

/**
 * The endpoint options that a route may set, per scheme and direction, each with the values it may
 * have. Everything else is refused: an option that is not here may redirect, copy, log or lose
 * data, or run code (proxies, interceptors, file name expressions, class names, bean references).
 * Settings that the hub itself must make stand on its components, not in a route.
 */
final class EndpointOptions {
  /**
   * What a value may look like.
   *
   * @param raw for the text in the file; null when a placeholder may stand for it
   * @param resolved for the value once placeholders are resolved; null when it is secret or a path
   *     on the hub's own disk, which {@code raw} ties to a placeholder
   */
  private record Rule(@Nullable Pattern raw, @Nullable Pattern resolved, String says) {
    static Rule value(String pattern, String says) {
      return new Rule(null, Pattern.compile(pattern), says);
    }

    static Rule literal(String pattern, String says) {
      Pattern compiled = Pattern.compile(pattern);
      return new Rule(compiled, compiled, says);
    }

    static Rule placeholder(String pattern, String says) {
      return new Rule(Pattern.compile(pattern), null, says);
    }
  }

  private static final String NAME = "\\{\\{[A-Za-z][A-Za-z0-9._-]*\\}\\}";
  private static final Rule COUNT = Rule.value("[0-9]{1,9}", "a whole number");
  private static final Rule TIME = Rule.value("[0-9]{1,9}(ms|s|m|h)?", "a time such as 500 or 5s");
  private static final Rule FLAG = Rule.value("true|false", "true or false");
  private static final Rule TRUE = Rule.literal("true", "true");
  private static final Rule FALSE = Rule.literal("false", "false");
  private static final Rule WORD = Rule.value("[A-Za-z0-9._-]{1,200}", "one plain word");
  private static final Rule SECRET = Rule.placeholder(NAME, "RAW({{a placeholder}})");
  private static final Rule DISK =
      Rule.placeholder(NAME, "{{a placeholder}} for a path that the operator sets");
  private static final Rule BEAN =
      Rule.literal("#(bean:)?[A-Za-z][A-Za-z0-9_-]*", "a bean of the hub, written #name");
  private static final Rule HUB_BROKERS =
      Rule.placeholder("\\{\\{kafka\\.brokers\\}\\}", "{{kafka.brokers}}, the hub's own broker");
  private static final Rule ANY_BROKERS =
      Rule.placeholder(
          "\\{\\{kafka\\.brokers\\}\\}|\\{\\{peers\\.[A-Za-z0-9._-]+\\.brokers\\}\\}",
          "{{kafka.brokers}} or {{peers.<name>.brokers}}");
  private static final Rule MOVE =
      Rule.literal(
          "[A-Za-z0-9_-]+(/([A-Za-z0-9_-]|\\.(?!\\.)|\\$\\{file:(name|onlyname)\\}"
              + "|\\$\\{date:now:[yMdHmsS-]+\\})*)?",
          "a folder below the inbox, such as done or done/${file:onlyname}");
  private static final Rule GLOB =
      Rule.literal("[A-Za-z0-9_.,*-]{1,200}", "a file name pattern such as *.csv");
  private static final Rule SERIALIZER =
      Rule.literal(
          "org\\.apache\\.kafka\\.common\\.serialization\\.(ByteArray|String)(Des|S)erializer",
          "Kafka's own byte array or string (de)serializer");

  private static final Map<String, Rule> KAFKA_SECURITY =
      Map.ofEntries(
          Map.entry("securityProtocol", WORD),
          Map.entry("saslMechanism", WORD),
          Map.entry("saslJaasConfig", SECRET),
          Map.entry("sslContextParameters", BEAN),
          Map.entry("sslKeyPassword", SECRET),
          Map.entry("sslKeystoreLocation", DISK),
          Map.entry("sslKeystorePassword", SECRET),
          Map.entry("sslKeystoreType", WORD),
          Map.entry("sslTruststoreLocation", DISK),
          Map.entry("sslTruststorePassword", SECRET),
          Map.entry("sslTruststoreType", WORD));

  private static final Map<String, Rule> KAFKA_IN =
      with(
          KAFKA_SECURITY,
          Map.ofEntries(
              Map.entry("allowManualCommit", TRUE),
              Map.entry("autoCommitEnable", FALSE),
              Map.entry("autoOffsetReset", Rule.literal("earliest|latest", "earliest or latest")),
              Map.entry("batching", FLAG),
              Map.entry("batchingIntervalMs", COUNT),
              Map.entry("breakOnFirstError", TRUE),
              Map.entry("brokers", ANY_BROKERS),
              Map.entry("clientId", WORD),
              Map.entry("commitTimeoutMs", TIME),
              Map.entry("consumersCount", COUNT),
              Map.entry("fetchMaxBytes", COUNT),
              Map.entry("fetchMinBytes", COUNT),
              Map.entry("fetchWaitMaxMs", COUNT),
              Map.entry("groupId", WORD),
              Map.entry("groupInstanceId", WORD),
              Map.entry("heartbeatIntervalMs", COUNT),
              Map.entry("isolationLevel", WORD),
              Map.entry("kafkaManualCommitFactory", BEAN),
              Map.entry("keyDeserializer", SERIALIZER),
              Map.entry("maxPartitionFetchBytes", COUNT),
              Map.entry("maxPollIntervalMs", TIME),
              Map.entry("maxPollRecords", COUNT),
              Map.entry("pollOnError", Rule.literal("RETRY|RECONNECT", "RETRY or RECONNECT")),
              Map.entry("pollTimeoutMs", TIME),
              Map.entry("preValidateHostAndPort", FLAG),
              Map.entry("sessionTimeoutMs", COUNT),
              Map.entry("valueDeserializer", SERIALIZER)));

  private static final Map<String, Rule> KAFKA_OUT =
      with(
          KAFKA_SECURITY,
          Map.ofEntries(
              Map.entry("brokers", HUB_BROKERS),
              Map.entry("clientId", WORD),
              Map.entry("compressionCodec", WORD),
              Map.entry("deliveryTimeoutMs", COUNT),
              Map.entry("enableIdempotence", TRUE),
              Map.entry("keySerializer", SERIALIZER),
              Map.entry("lazyStartProducer", FLAG),
              Map.entry("lingerMs", COUNT),
              Map.entry("maxBlockMs", COUNT),
              Map.entry("maxInFlightRequest", COUNT),
              Map.entry("maxRequestSize", COUNT),
              Map.entry("producerBatchSize", COUNT),
              Map.entry("requestRequiredAcks", Rule.literal("all", "all")),
              Map.entry("requestTimeoutMs", COUNT),
              Map.entry("retries", COUNT),
              Map.entry("synchronous", FLAG),
              Map.entry("useIterator", FLAG),
              Map.entry("valueSerializer", SERIALIZER)));

  private static final Map<String, Rule> SFTP =
      Map.ofEntries(
          Map.entry("autoCreate", FLAG),
          Map.entry("binary", FLAG),
          Map.entry("connectTimeout", TIME),
          Map.entry("disconnect", FLAG),
          Map.entry("knownHostsFile", DISK),
          Map.entry("maximumReconnectAttempts", COUNT),
          Map.entry("password", SECRET),
          Map.entry(
              "preferredAuthentications",
              Rule.literal("(publickey|password)(,(publickey|password))?", "publickey, password")),
          Map.entry("privateKeyFile", DISK),
          Map.entry("privateKeyPassphrase", SECRET),
          Map.entry("reconnectDelay", TIME),
          Map.entry("serverAliveInterval", COUNT),
          Map.entry("soTimeout", TIME),
          Map.entry("stepwise", FLAG),
          Map.entry("strictHostKeyChecking", Rule.literal("yes", "yes")),
          Map.entry("timeout", TIME),
          Map.entry("useUserKnownHostsFile", FALSE),
          Map.entry("username", WORD));

  private static final Map<String, Rule> SFTP_IN =
      with(
          SFTP,
          Map.ofEntries(
              Map.entry("antExclude", GLOB),
              Map.entry("antInclude", GLOB),
              Map.entry("backoffErrorThreshold", COUNT),
              Map.entry("backoffIdleThreshold", COUNT),
              Map.entry("backoffMultiplier", COUNT),
              Map.entry("bridgeErrorHandler", FLAG),
              Map.entry("delay", TIME),
              Map.entry("delete", FLAG),
              Map.entry("excludeExt", GLOB),
              Map.entry("greedy", FLAG),
              Map.entry("includeExt", GLOB),
              Map.entry("initialDelay", TIME),
              Map.entry("maxMessagesPerPoll", COUNT),
              Map.entry("move", MOVE),
              Map.entry("moveFailed", MOVE),
              Map.entry("processStrategy", Rule.literal("#(bean:)?gateFiles", "#gateFiles")),
              Map.entry("readLock", Rule.literal("none|changed|rename", "none, changed or rename")),
              Map.entry("readLockCheckInterval", COUNT),
              Map.entry("readLockMinAge", TIME),
              Map.entry("readLockMinLength", COUNT),
              Map.entry("readLockTimeout", COUNT),
              Map.entry("recursive", FALSE),
              Map.entry("streamDownload", FLAG),
              Map.entry("throwExceptionOnConnectFailed", FLAG)));

  private static final Map<String, Rule> SFTP_OUT =
      with(
          SFTP,
          Map.of(
              "fileExist",
              Rule.literal("Fail", "Fail"),
              "jailStartingDirectory",
              TRUE,
              "lazyStartProducer",
              FLAG,
              "tempPrefix",
              Rule.literal("\\.?[A-Za-z0-9_-]+\\.?", "a plain prefix such as .part-")));

  private static final Map<String, Rule> MLLP =
      Map.of(
          "charsetName", WORD,
          "idleTimeout", TIME,
          "readTimeout", TIME,
          "receiveBufferSize", COUNT,
          "receiveTimeout", TIME,
          "requireEndOfData", FLAG,
          "sendBufferSize", COUNT,
          "sslContextParameters", BEAN,
          "stringPayload", FLAG,
          "validatePayload", FLAG);

  private static final Map<String, Rule> MLLP_IN =
      with(
          MLLP,
          Map.of(
              "acceptTimeout", TIME,
              "autoAck", FLAG,
              "backlog", COUNT,
              "bindRetryInterval", TIME,
              "bindTimeout", TIME,
              "bridgeErrorHandler", FLAG,
              "hl7Headers", FLAG,
              "maxConcurrentConsumers", COUNT,
              "reuseAddress", FLAG));

  private static final Map<String, Rule> MLLP_OUT =
      with(
          MLLP,
          Map.of(
              "connectTimeout",
              TIME,
              "keepAlive",
              FLAG,
              "lazyStartProducer",
              FLAG,
              "tcpNoDelay",
              FLAG));

  private static final Map<String, Rule> HTTP_OUT =
      Map.of(
          "bridgeEndpoint", TRUE,
          "connectionsPerRoute", COUNT,
          "contentTypeCharsetEnabled", FLAG,
          "httpMethod", Rule.literal("POST|PUT", "POST or PUT"),
          "lazyStartProducer", FLAG,
          "maxTotalConnections", COUNT,
          "sslContextParameters", BEAN,
          "throwExceptionOnFailure", TRUE);

  private static final Map<String, Map<String, Rule>> RECEIVING =
      Map.of("kafka", KAFKA_IN, "sftp", SFTP_IN, "mllp", MLLP_IN);

  private static final Map<String, Map<String, Rule>> DELIVERING =
      Map.of(
          "kafka", KAFKA_OUT,
          "sftp", SFTP_OUT,
          "mllp", MLLP_OUT,
          "http", HTTP_OUT,
          "https", HTTP_OUT,
          "fint", Map.of());

  private final CamelCatalog catalog = new DefaultCamelCatalog(true);

  private static Map<String, Rule> with(Map<String, Rule> base, Map<String, Rule> more) {
    Map<String, Rule> all = new TreeMap<>(base);
    all.putAll(more);
    return Map.copyOf(all);
  }

  private static Map<String, Map<String, Rule>> table(Direction direction) {
    return direction == Direction.RECEIVING ? RECEIVING : DELIVERING;
  }

  /** The schemes that a route may receive from or deliver to. */
  static Set<String> schemes(Direction direction) {
    return new TreeSet<>(table(direction).keySet());
  }

  /** The options of an allowed scheme that a route may set. */
  static Set<String> allowed(Direction direction, String scheme) {
    return new TreeSet<>(table(direction).getOrDefault(scheme, Map.of()).keySet());
  }

  /** A refused option: what is wrong and what to do. */
  record Refusal(String what, String remedy) {}

  /**
   * Judges one option of an allowed scheme.
   *
   * @param raw the value as the file has it, without {@code RAW()}
   * @param resolved the value once placeholders are resolved
   * @return why it is refused, or null when it is allowed
   */
  @Nullable Refusal judge(
      Direction direction, String scheme, String name, String raw, String resolved) {
    Rule rule = table(direction).getOrDefault(scheme, Map.of()).get(name);
    if (rule == null) {
      return unlisted(direction, scheme, name);
    }
    boolean fits =
        (rule.raw() == null || rule.raw().matcher(raw).matches())
            && (rule.resolved() == null || rule.resolved().matcher(resolved).matches());
    return fits
        ? null
        : new Refusal(
            "the option '" + name + "' of " + scheme + " has a value that is not allowed",
            "it must be " + rule.says());
  }

  private Refusal unlisted(Direction direction, String scheme, String name) {
    Set<String> allowed = allowed(direction, scheme);
    String shown = Words.quotable(name);
    if (known(scheme).contains(name)) {
      return new Refusal(
          "the option '" + shown + "' of " + scheme + " is not allowed in a route",
          "remove it, as it could redirect, copy, log or lose records, or run code");
    }
    String near = Words.nearest(name, allowed);
    return new Refusal(
        "'" + shown + "' is not an option of " + scheme,
        near == null ? "remove it" : "did you mean '" + near + "'?");
  }

  /** The endpoint options that Camel's catalog knows; empty for the hub's own components. */
  Set<String> known(String scheme) {
    ComponentModel model = catalog.componentModel(scheme);
    Set<String> names = new TreeSet<>();
    if (model != null) {
      model.getEndpointOptions().forEach(option -> names.add(option.getName()));
    }
    return names;
  }
}
