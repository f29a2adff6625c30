package no.bindeledd.reading;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What of a trace context is looked for. */
class EntryQueryTest {
  private static final String ID = "0af7651916cd43dd8448eb211c80319c";

  @ParameterizedTest
  @CsvSource({
    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01, 0af7651916cd43dd8448eb211c80319c",
    "0af7651916cd43dd8448eb211c80319c, 0af7651916cd43dd8448eb211c80319c",
    // Nothing that is not one is taken apart.
    "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01,"
        + " 00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "00-0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331-01,"
        + " 00-0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331-01",
    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0,"
        + " 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
    "00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01,"
        + " 00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01",
  })
  void a_trace_context_is_known_by_its_trace_id(String trace, String id) {
    assertThat(EntryQuery.traceId(trace)).isEqualTo(id);
  }

  @Test
  void no_trace_has_no_id() {
    assertThat(EntryQuery.traceId(null)).isNull();
    assertThat(EntryQuery.traceId("00-" + ID + "-b7ad6b7169203331-01")).isEqualTo(ID);
  }
}
