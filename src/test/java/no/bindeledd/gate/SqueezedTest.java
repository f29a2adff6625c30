package no.bindeledd.gate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

/** What comes out is what went in, and what many have in common takes little. */
class SqueezedTest {
  @Property(tries = 200)
  void what_was_compressed_comes_back(@ForAll @Size(max = 5_000) byte[] plain) {
    assertThat(Squeezed.stretch(Squeezed.squeeze(plain))).isEqualTo(plain);
  }

  @Test
  void what_repeats_takes_a_tenth() {
    byte[] plain = "{\"outcome\":\"REDUCED\"}".repeat(500).getBytes(StandardCharsets.UTF_8);
    assertThat(Squeezed.squeeze(plain)).hasSizeLessThan(plain.length / 10);
  }

  @Test
  void other_bytes_are_refused() {
    byte[] good = Squeezed.squeeze(new byte[100]);
    byte[] longer = good.clone();
    longer[3]++;
    byte[] negative = good.clone();
    negative[0] = -1;
    byte[] other = good.clone();
    other[5]++;
    for (byte[] bad : new byte[][] {{}, {0, 0, 0, 1}, longer, negative, other}) {
      assertThatThrownBy(() -> Squeezed.stretch(bad)).isInstanceOf(IllegalArgumentException.class);
    }
  }
}
