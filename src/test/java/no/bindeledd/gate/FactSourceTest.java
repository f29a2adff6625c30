package no.bindeledd.gate;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class FactSourceTest {
  @Test
  void anAttributeIsTheScalarAtItsPlaceInTheRecordAlsoFurtherIn() throws IOException {
    var record =
        new ObjectMapper()
            .readTree(
                """
                {"trinn": 2, "andel": 0.5, "aktiv": true, "tom": null, "liste": [1],
                 "status": {"type": "DELTAR"}}
                """);
    assertThat(
            FactSource.attributes(
                record,
                Set.of("trinn", "andel", "aktiv", "tom", "liste", "status", "status/type", "x/y")))
        .isEqualTo(Map.of("trinn", 2L, "andel", 0.5, "aktiv", true, "status/type", "DELTAR"));
    assertThat(FactSource.attributes(record, Set.of())).isEmpty();
  }
}
