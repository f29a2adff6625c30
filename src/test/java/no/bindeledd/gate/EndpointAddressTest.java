package no.bindeledd.gate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class EndpointAddressTest {
  @ParameterizedTest
  @CsvSource({
    "kafka:ot.x.v1, kafka:ot.x.v1",
    "kafka://ot.x.v1, kafka:ot.x.v1",
    "http://Nav.Example/a, http://nav.example:80/a",
    "http:nav.example:80/a, http://nav.example:80/a",
    "https://nav.example, https://nav.example:443/",
    "https://nav.example/a/, https://nav.example:443/a/",
    "fint:http://localhost:8090/a/b, fint:http://localhost:8090/a/b",
    "fint://https://x.example/a, fint:https://x.example:443/a",
    "sftp:files.example/in, sftp://files.example:22/in",
    "mllp:0.0.0.0:2575, mllp://0.0.0.0:2575/"
  })
  void onePlaceHasOneForm(String written, String canonical) throws Exception {
    assertThat(canonical(written)).isEqualTo(canonical);
  }

  @ParameterizedTest
  @CsvSource({
    "kafka:ot.x.v1, kafka:OT.x.v1",
    "http://nav.example/a, https://nav.example/a",
    "http://nav.example/a, http://nav.example/A",
    "http://nav.example/a, http://nav.example/a/",
    "http://nav.example/a, http://nav.example.evil/a",
    "http://nav.example/a, fint:http://nav.example/a",
    "sftp:files.example/in, sftp:files.example:2222/in"
  })
  void twoPlacesHaveTwoForms(String one, String other) throws Exception {
    assertThat(canonical(one)).isNotEqualTo(canonical(other));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "kafka:",
        "kafka:..",
        "kafka:a/b",
        "kafka:a,b",
        "kafka:a%2Eb",
        "http://",
        "http:///a",
        "http://user@nav.example/a",
        "http://nav.example:99999999/a",
        "http://nav.example:/a",
        "http://nav.example:8x/a",
        "http://[::1]/a",
        "http://nav.example/a//b",
        "http://nav.example/a/./b",
        "http://nav.example/../b",
        "http://nav.example/a?b",
        "http://nav.example/a#b",
        "http://nav.example/a;b",
        "http://nav.example/a b",
        "http://næv.example/a",
        "http:http://nav.example/a",
        "fint:kafka:x",
        "fint:fint:http://x/a",
        "mllp:localhost",
        "HTTP://nav.example/a",
        "file:/tmp",
        ":x"
      })
  void whatCouldBeReadInTwoWaysHasNoForm(String written) {
    assertThatThrownBy(() -> canonical(written))
        .isInstanceOf(EndpointAddress.NotCanonical.class)
        .hasMessageNotContaining(written);
  }

  private static String canonical(String written) throws EndpointAddress.NotCanonical {
    int colon = written.indexOf(':');
    return EndpointAddress.canonical(written.substring(0, colon), written.substring(colon + 1));
  }
}
