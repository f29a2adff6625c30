package no.bindeledd.audit;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is written is the same whatever room the writer began with, to the last byte. */
class CanonicalWriterTest {
  private static void writes(byte[] expected, Consumer<CanonicalWriter> what) {
    for (int capacity = 0; capacity <= 2 * expected.length + 8; capacity++) {
      CanonicalWriter writer = new CanonicalWriter(capacity);
      what.accept(writer);
      assertThat(writer.toByteArray()).as("room for %d", capacity).isEqualTo(expected);
      assertThat(Arrays.copyOf(writer.buffer(), writer.position())).isEqualTo(expected);
      what.accept(writer);
      assertThat(writer.toByteArray()).endsWith(expected).hasSize(2 * expected.length);
      writer.reset();
      assertThat(writer.position()).isZero();
      what.accept(writer);
      assertThat(writer.toByteArray()).isEqualTo(expected);
    }
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 1, -1, 0x0102030405060708L, 0xfedcba9876543210L, Long.MIN_VALUE})
  void numbersAreBigEndian(long number) {
    writes(ByteBuffer.allocate(8).putLong(number).array(), writer -> writer.int64(number));
    int four = (int) number;
    writes(ByteBuffer.allocate(4).putInt(four).array(), writer -> writer.int32(four));
    short two = (short) number;
    writes(ByteBuffer.allocate(2).putShort(two).array(), writer -> writer.int16(two));
  }

  @Test
  void aNumberCanBePutInLater() {
    CanonicalWriter writer = new CanonicalWriter(16);
    writer.raw(new byte[12]);
    assertThat(writer.int32At(5, 0xfedcba98)).isEqualTo(9);
    assertThat(writer.toByteArray())
        .isEqualTo(HexFormat.of().parseHex("0000000000" + "fedcba98" + "000000"));
  }

  @ParameterizedTest
  @CsvSource({
    "'', ''",
    "abc, abc",
    "'\u007f\u0080', '\u007f\u0080'",
    "'\u07ff\u0800', '\u07ff\u0800'",
    "'\ud7ff\ue000\uffff', '\ud7ff\ue000\uffff'",
    "'\ud800\udc00\udbff\udfff', '\ud800\udc00\udbff\udfff'",
    "'\ud800', '\ufffd'",
    "'\udc00', '\ufffd'",
    "'\ud800\ud800\udc00', '\ufffd\ud800\udc00'",
    "'a\ud800', 'a\ufffd'",
    "'\udc00\ud800', '\ufffd\ufffd'"
  })
  void textIsUtf8AndOneHalfOfACharacterIsReplaced(String text, String expected) {
    writes(utf8(expected), writer -> writer.text(text));
    writes(utf8('"' + expected + '"'), writer -> writer.quoted(text));
  }

  @Test
  void onlyWhatMustIsEscapedAndOnlyInQuotes() {
    StringBuilder text = new StringBuilder();
    StringBuilder expected = new StringBuilder();
    for (char c = 1; c <= 0x80; c++) {
      text.append(c);
      int named = "\b\t\n\f\r\"\\".indexOf(c);
      if (named >= 0) {
        expected.append('\\').append("btnfr\"\\".charAt(named));
      } else if (c < 0x20) {
        expected.append("\\u%04x".formatted((int) c));
      } else {
        expected.append(c);
      }
    }
    writes(utf8("\"" + expected + "\""), writer -> writer.quoted(text.toString()));
    writes(utf8(text.toString()), writer -> writer.text(text.toString()));
    writes(utf8("\"\ufffd\""), writer -> writer.quoted("\0"));
    writes(utf8("\ufffd"), writer -> writer.text("\0"));
  }

  @Test
  void bytesAreLowerCaseDigits() {
    byte[] all = new byte[256];
    for (int i = 0; i < all.length; i++) {
      all[i] = (byte) i;
    }
    writes(utf8('"' + HexFormat.of().formatHex(all) + '"'), writer -> writer.quotedHex(all));
    writes(all, writer -> writer.raw(all));
  }

  @ParameterizedTest
  @CsvSource({
    "-62167219200, 0, 0000-01-01T00:00:00.000000Z",
    "-62162035201, 1, 0000-02-29T23:59:59.000001Z",
    "-1, 999999, 1969-12-31T23:59:59.999999Z",
    "0, 0, 1970-01-01T00:00:00.000000Z",
    "951782400, 120000, 2000-02-29T00:00:00.120000Z",
    "4107542400, 7, 2100-03-01T00:00:00.000007Z",
    "253402300799, 999999, 9999-12-31T23:59:59.999999Z"
  })
  void timesHaveSixDecimals(long second, int micros, String expected) {
    writes(utf8('"' + expected + '"'), writer -> writer.quotedTime(second, micros));
  }
}
