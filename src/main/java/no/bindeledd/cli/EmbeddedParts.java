package no.bindeledd.cli;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import no.bindeledd.demo.EmbeddedDatabase;
import no.bindeledd.demo.EmbeddedKafka;

/** The settings that point a hub to an embedded broker and database. */
final class EmbeddedParts {
  private EmbeddedParts() {}

  static Map<String, Object> settings(Path data, EmbeddedDatabase database, EmbeddedKafka kafka) {
    Map<String, Object> settings = new HashMap<>();
    settings.put("bindeledd.create-secrets", true);
    settings.put("bindeledd.secrets", data.resolve("secrets").toString());
    settings.put("bindeledd.published.folder", data.resolve("log").toString());
    settings.put("bindeledd.published.entries-over-http", true); // on this machine only
    settings.put("spring.datasource.url", database.jdbcUrl());
    settings.put("spring.datasource.username", database.user());
    settings.put("spring.datasource.password", database.password());
    settings.put("kafka.brokers", kafka.bootstrap());
    return settings;
  }
}
