package no.bindeledd.exchange;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads one received body into the records it holds. A format never throws for bad input: what
 * cannot be read is a {@link Bad} record with its place and reason, so that it is counted and
 * audited like any other. Implementations are stateless and thread-safe; they live in the room
 * {@code channel}.
 */
public interface InputFormat {
  /** The name that {@code exchange.yaml} uses in {@code input.format}. */
  String name();

  /** Reads all records of the body, in order. */
  List<Item> read(Contract contract, Raw raw);

  /**
   * A body as it came.
   *
   * @param name the file's name, or null
   * @param messageId the id the channel gives (Kafka record key, HTTP header), or null
   */
  record Raw(byte[] body, @Nullable String name, @Nullable String messageId) {}

  /** Where in the input a record stands. Zero or null means: the whole. */
  record Place(@Nullable String file, int line, @Nullable String column) {
    public static final Place WHOLE = new Place(null, 0, null);

    @Override
    public String toString() {
      return (file == null ? "message" : file)
          + (line == 0 ? "" : ":" + line)
          + (column == null ? "" : " " + column);
    }
  }

  /** One record of the input. */
  sealed interface Item {
    Place place();

    /** The id that makes a resend recognisable; null when the contract's pointer gives it. */
    @Nullable String messageId();
  }

  record Good(Place place, @Nullable String messageId, JsonNode body) implements Item {}

  /**
   * A record that cannot be read.
   *
   * @param detail what is wrong and what to do, without any value from the record
   */
  record Bad(Place place, @Nullable String messageId, ReasonCode reason, String detail)
      implements Item {}
}
