package no.bindeledd.reading;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.AttributesBuilder;
import io.opentelemetry.api.logs.LogRecordBuilder;
import io.opentelemetry.api.logs.Logger;
import io.opentelemetry.api.logs.Severity;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.TraceFlags;
import io.opentelemetry.api.trace.TraceState;
import io.opentelemetry.context.Context;
import io.opentelemetry.exporter.otlp.http.logs.OtlpHttpLogRecordExporter;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.logs.SdkLoggerProvider;
import io.opentelemetry.sdk.logs.data.LogRecordData;
import io.opentelemetry.sdk.resources.Resource;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import no.bindeledd.audit.AuditEntry;
import org.jspecify.annotations.Nullable;

/**
 * Sends entries as OpenTelemetry log records over OTLP/HTTP; the receiver acknowledges each batch.
 * Records are for those who run systems: no pseudonym, no consent id. Not thread-safe.
 */
public final class OtlpSink implements Exporter.Sink {
  private static final Duration ANSWER_WITHIN = Duration.ofSeconds(10);
  private static final Pattern TRACEPARENT =
      Pattern.compile("00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})");

  private final OtlpHttpLogRecordExporter exporter;
  private final List<LogRecordData> batch = new ArrayList<>();
  private final SdkLoggerProvider provider;
  private final Logger logger;

  /**
   * @param endpoint the receiver's address for logs, such as {@code http://localhost:4318/v1/logs}
   * @param instance which hub: the resource attribute {@code service.instance.id}
   */
  public OtlpSink(String endpoint, String instance) {
    exporter =
        OtlpHttpLogRecordExporter.builder().setEndpoint(endpoint).setTimeout(ANSWER_WITHIN).build();
    provider =
        SdkLoggerProvider.builder()
            .setResource(
                Resource.getDefault()
                    .merge(
                        Resource.create(
                            Attributes.of(
                                AttributeKey.stringKey("service.name"),
                                "bindeledd",
                                AttributeKey.stringKey("service.instance.id"),
                                instance))))
            .addLogRecordProcessor((context, record) -> batch.add(record.toLogRecordData()))
            .build();
    logger = provider.get("no.bindeledd.audit");
  }

  @Override
  public void send(List<Exporter.Numbered> entries) throws IOException {
    batch.clear();
    entries.forEach(entry -> emit(entry.index(), entry.entry()));
    if (batch.isEmpty()) {
      return;
    }
    CompletableResultCode result =
        exporter.export(batch).join(ANSWER_WITHIN.toMillis(), TimeUnit.MILLISECONDS);
    if (!result.isSuccess()) {
      throw new IOException("The OTLP receiver did not take the audit entries");
    }
  }

  private void emit(long index, AuditEntry entry) {
    boolean denied = CefLine.denies(entry);
    LogRecordBuilder record =
        logger
            .logRecordBuilder()
            .setTimestamp(entry.at())
            .setSeverity(denied ? Severity.WARN : Severity.INFO)
            .setSeverityText(denied ? "WARN" : "INFO")
            .setAttribute(
                AttributeKey.stringKey("event.name"),
                "bindeledd.audit." + entry.station().name().toLowerCase(Locale.ROOT))
            .setBody(entry.station() + " " + entry.exchange() + " " + entry.outcome())
            .setAllAttributes(attributes(index, entry));
    Matcher trace = TRACEPARENT.matcher(entry.trace() == null ? "" : entry.trace());
    if (trace.matches()) {
      SpanContext span =
          SpanContext.create(
              trace.group(1),
              trace.group(2),
              TraceFlags.fromHex(trace.group(3), 0),
              TraceState.getDefault());
      record.setContext(Context.root().with(Span.wrap(span)));
    }
    record.emit();
  }

  private static Attributes attributes(long index, AuditEntry entry) {
    AttributesBuilder attributes = Attributes.builder().put("bindeledd.ledger.index", index);
    put(attributes, "exchange", entry.exchange());
    put(attributes, "sender", entry.sender());
    put(attributes, "receiver", entry.receiver());
    put(attributes, "message", entry.message());
    put(attributes, "outcome", entry.outcome());
    put(attributes, "reason", entry.reason());
    put(attributes, "agreement", entry.agreement());
    put(attributes, "mapping", entry.mapping());
    put(attributes, "policies", entry.policies());
    put(attributes, "rules", entry.rules());
    put(attributes, "released", entry.released());
    put(attributes, "withheld", entry.withheld());
    return attributes.build();
  }

  private static void put(AttributesBuilder attributes, String name, @Nullable String value) {
    if (value != null) {
      attributes.put("bindeledd." + name, value);
    }
  }

  private static void put(AttributesBuilder attributes, String name, List<String> values) {
    if (!values.isEmpty()) {
      attributes.put(AttributeKey.stringArrayKey("bindeledd." + name), values);
    }
  }

  @Override
  public void close() {
    provider.close();
    exporter.close();
  }
}
