package no.bindeledd.person;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PseudonymizerTest {
  private static final NationalId ONE = id("17912099997");
  private static final NationalId OTHER = id("57912075186");

  private static NationalId id(String text) {
    return (NationalId) NationalId.parse(text, Numbers.SYNTHETIC_ONLY);
  }

  @Property(tries = 200)
  void aPseudonymIsTheFirstHalfOfTheHmac(@ForAll @Size(32) byte[] secret) throws Exception {
    Mac mac = Mac.getInstance("HmacSHA256");
    mac.init(new SecretKeySpec(secret, "HmacSHA256"));
    byte[] expected = mac.doFinal(ONE.value().getBytes(StandardCharsets.US_ASCII));
    Pseudonym pseudonym = new Pseudonymizer(secret).pseudonym(ONE);
    assertThat(pseudonym.bytes()).isEqualTo(Arrays.copyOf(expected, 16));
    assertThat(pseudonym.value())
        .isEqualTo(HexFormat.of().formatHex(expected).substring(0, 32))
        .doesNotContain(ONE.value());
  }

  @Property(tries = 200)
  void theSamePersonHasOnePseudonymPerSecretAndOthersHaveAnother(
      @ForAll @Size(32) byte[] secret, @ForAll @Size(32) byte[] otherSecret) {
    Pseudonymizer hub = new Pseudonymizer(secret);
    assertThat(hub.pseudonym(ONE)).isEqualTo(hub.pseudonym(id(ONE.value())));
    assertThat(hub.pseudonym(ONE)).isNotEqualTo(hub.pseudonym(OTHER));
    assertThat(new Pseudonymizer(secret).pseudonym(ONE)).isEqualTo(hub.pseudonym(ONE));
    if (!Arrays.equals(secret, otherSecret)) {
      assertThat(new Pseudonymizer(otherSecret).pseudonym(ONE)).isNotEqualTo(hub.pseudonym(ONE));
    }
  }

  @Test
  void aChangedSecretArrayDoesNotChangeThePseudonymizer() {
    byte[] secret = new byte[32];
    Pseudonymizer hub = new Pseudonymizer(secret);
    Pseudonym before = hub.pseudonym(ONE);
    Arrays.fill(secret, (byte) 1);
    IntStream.range(0, 40).forEach(i -> assertThat(hub.pseudonym(ONE)).isEqualTo(before));
  }

  @Test
  void manyThreadsGetTheSameAnswers() throws Exception {
    Pseudonymizer hub = new Pseudonymizer(new byte[32]);
    Pseudonym one = hub.pseudonym(ONE);
    Pseudonym other = hub.pseudonym(OTHER);
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Boolean>> answers =
          IntStream.range(0, 2000)
              .mapToObj(
                  i ->
                      threads.submit(
                          () ->
                              hub.pseudonym(ONE).equals(one) && hub.pseudonym(OTHER).equals(other)))
              .toList();
      for (Future<Boolean> answer : answers) {
        assertThat(answer.get()).isTrue();
      }
    }
  }

  @Test
  void aShortSecretIsRefused() {
    assertThatThrownBy(() -> new Pseudonymizer(new byte[31]))
        .hasMessage("The pseudonym secret has 31 bytes; give at least 32 random ones");
  }

  @Property
  void bytesAndTextOfAPseudonymAreTheSameThing(@ForAll @Size(16) byte[] bytes) {
    Pseudonym pseudonym = Pseudonym.of(bytes);
    assertThat(pseudonym.bytes()).isEqualTo(bytes);
    assertThat(new Pseudonym(pseudonym.value())).isEqualTo(pseudonym);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "00", "0123456789ABCDEF0123456789ABCDEF", "0123456789abcdef0123456789abcdeg"})
  void whatIsNoPseudonymIsRefused(String text) {
    assertThatThrownBy(() -> new Pseudonym(text))
        .hasMessage("A pseudonym has 32 lower-case hexadecimal characters");
    assertThatThrownBy(() -> Pseudonym.of(new byte[15]))
        .hasMessage("A pseudonym has 16 bytes, not 15");
  }
}
