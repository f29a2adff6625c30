package no.bindeledd.gate;

import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.person.Vault;
import no.bindeledd.policy.Outcome;
import org.jspecify.annotations.Nullable;

/**
 * Releases of one way that were submitted together, compressed and sealed as one for the table
 * {@code parcel}. Immutable.
 *
 * @param places of the messages in their submission, rising; the first is the parcel's own
 * @param sealed the messages, encrypted and bound to the way
 */
record Parcel(String exchange, String recipient, int[] places, byte[] sealed) {
  /** Of fewer messages than this each gets a row of its own. */
  static final int LEAST = 8;

  static final int MOST = 1_000;

  /**
   * @param messages at most {@link #MOST}, all of one way
   */
  static Parcel seal(Vault vault, List<Outgoing> messages, int[] places) {
    Writer to = new Writer(messages.size() * 1500);
    to.int32(messages.size());
    for (int i = 0; i < places.length; i++) {
      to.int32(places[i] - places[0]);
      write(to, messages.get(i));
    }
    String exchange = messages.getFirst().exchange();
    String recipient = messages.getFirst().recipient();
    return new Parcel(
        exchange,
        recipient,
        places,
        vault.seal(Squeezed.squeeze(to.toByteArray()), context(exchange, recipient)));
  }

  /** A bit for each place from the first to the last that has no message. */
  byte[] gone() {
    BitSet gone = new BitSet();
    gone.set(0, places[places.length - 1] - places[0] + 1);
    for (int place : places) {
      gone.clear(place - places[0]);
    }
    return gone.toByteArray();
  }

  /**
   * What was sealed, without what is gone.
   *
   * @param id the parcel's
   * @throws no.bindeledd.person.SealBrokenException when it cannot be opened
   */
  static List<Outgoing> open(
      Vault vault, long id, String exchange, String recipient, byte[] gone, byte[] sealed) {
    BitSet absent = BitSet.valueOf(gone);
    byte[] plain = Squeezed.stretch(vault.open(sealed, context(exchange, recipient)));
    try (DataInputStream from = new DataInputStream(new ByteArrayInputStream(plain))) {
      int count = from.readInt();
      List<Outgoing> messages = new ArrayList<>(count);
      for (int i = 0; i < count; i++) {
        int place = from.readInt();
        Outgoing message = read(from, id, id + place, exchange, recipient);
        if (!absent.get(place)) {
          messages.add(message);
        }
      }
      return messages;
    } catch (IOException e) {
      throw new UncheckedIOException("A parcel of the outbox cannot be read", e);
    }
  }

  private static byte[] context(String exchange, String recipient) {
    return ("parcel\n" + exchange + "\n" + recipient).getBytes(StandardCharsets.UTF_8);
  }

  private static void write(Writer to, Outgoing message) {
    to.bytes(message.key());
    to.text(message.counterparty().value());
    to.bytes(message.subject() == null ? null : message.subject().bytes());
    to.text(message.outcome().name());
    to.int32(message.withheld().size());
    for (String path : new TreeSet<>(message.withheld())) {
      to.text(path);
    }
    to.bytes(RecordFacts.of(message).orElse(null));
    to.text(message.trace());
    to.bytes(message.payload());
  }

  private static Outgoing read(
      DataInputStream from, long parcel, long id, String exchange, String recipient)
      throws IOException {
    byte[] key = required(from);
    OrganisationNumber counterparty =
        new OrganisationNumber(new String(required(from), StandardCharsets.UTF_8));
    byte[] subject = bytes(from);
    Outcome outcome = Outcome.valueOf(new String(required(from), StandardCharsets.UTF_8));
    String[] withheld = new String[from.readInt()];
    for (int i = 0; i < withheld.length; i++) {
      withheld[i] = new String(required(from), StandardCharsets.UTF_8);
    }
    RecordFacts facts = RecordFacts.parse(bytes(from));
    byte[] trace = bytes(from);
    return new Outgoing(
        id,
        key,
        exchange,
        recipient,
        counterparty,
        subject == null ? null : Pseudonym.of(subject),
        outcome,
        Set.of(withheld),
        facts.birthDate(),
        facts.attributes(),
        trace == null ? null : new String(trace, StandardCharsets.UTF_8),
        required(from),
        parcel);
  }

  private static byte[] required(DataInputStream from) throws IOException {
    return from.readNBytes(from.readInt());
  }

  private static byte @Nullable [] bytes(DataInputStream from) throws IOException {
    int length = from.readInt();
    return length < 0 ? null : from.readNBytes(length);
  }

  /** Bytes with their length before them; none has the length -1. */
  private static final class Writer {
    private ByteBuffer buffer;

    Writer(int capacity) {
      buffer = ByteBuffer.allocate(capacity);
    }

    void int32(int value) {
      ensure(Integer.BYTES);
      buffer.putInt(value);
    }

    void bytes(byte @Nullable [] value) {
      int32(value == null ? -1 : value.length);
      if (value != null) {
        ensure(value.length);
        buffer.put(value);
      }
    }

    void text(@Nullable String value) {
      bytes(value == null ? null : value.getBytes(StandardCharsets.UTF_8));
    }

    byte[] toByteArray() {
      byte[] written = new byte[buffer.position()];
      buffer.get(0, written);
      return written;
    }

    private void ensure(int more) {
      if (buffer.remaining() < more) {
        ByteBuffer larger =
            ByteBuffer.allocate(Math.max(buffer.capacity() * 2, buffer.position() + more));
        buffer = larger.put(buffer.flip());
      }
    }
  }
}
