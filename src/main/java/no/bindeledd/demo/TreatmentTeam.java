package no.bindeledd.demo;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;

/**
 * A treatment team's record system: sends referrals as HL7 v2.5 REF_I12 over MLLP, one connection,
 * one message at a time, and reads the acknowledgement of each. A referral is sent again,
 * unchanged, when the connection breaks or the acknowledgement is AR: the receiver could not take
 * it now. Not thread-safe.
 */
public final class TreatmentTeam {
  private static final byte START = 0x0B;
  private static final byte END = 0x1C;
  private static final byte RETURN = 0x0D;
  private static final int TIMEOUT_MILLIS = 30_000;
  private static final int LARGEST_ACK = 64 * 1024;
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyyMMddHHmmssxx").withZone(ZoneOffset.UTC);
  private static final DateTimeFormatter DATE =
      DateTimeFormatter.ofPattern("yyyyMMdd").withZone(ZoneOffset.UTC);

  private final Population population;

  /**
   * What came of the referrals.
   *
   * @param taken acknowledged with AA
   * @param refused acknowledged with AE or AR
   */
  public record Sent(int taken, int refused) {}

  public TreatmentTeam(Population population) {
    this.population = population;
  }

  /** How many messages {@link #sendReferrals} sends: the referrals, and one of a wrong kind. */
  public int messages() {
    return (int) population.referred().count() + 1;
  }

  /** Sends all referrals; the same messages each time. */
  public Sent sendReferrals(Hub hub, IntConsumer progress) throws InterruptedException {
    List<String> messages = new ArrayList<>();
    population.referred().forEach(p -> messages.add(message(p)));
    messages.add(wrongKind());
    int taken = 0;
    int refused = 0;
    try (Line line = new Line(hub)) {
      for (String message : messages) {
        boolean accepted = line.send(message).equals("AA");
        taken += accepted ? 1 : 0;
        refused += accepted ? 0 : 1;
        progress.accept(taken + refused);
      }
    }
    return new Sent(taken, refused);
  }

  private static String message(Person person) {
    Person.Referral referral = person.referral();
    if (referral == null) {
      throw new IllegalArgumentException("Only people with a referral have a message");
    }
    return message(person, referral, referral.messageId(), referral.kind());
  }

  /** A referral to something that the hub has no exchange for. */
  private String wrongKind() {
    Person person = population.people().getFirst();
    Person.Referral referral =
        new Person.Referral(
            "",
            "KIR",
            population.reference().atTime(9, 0).toInstant(ZoneOffset.UTC),
            "K40.9^Lyskebrokk",
            "Ingen");
    String id = "KIR-%d-000001".formatted(population.reference().getYear());
    return message(person, referral, id, "KIR");
  }

  private static String message(Person person, Person.Referral referral, String id, String kind) {
    String time = TIME.format(referral.at());
    String date = DATE.format(referral.at());
    String birth = person.birthDate().toString().replace("-", "");
    return String.join(
        "\r",
        "MSH|^~\\&|EKSEMPELJOURNAL|311094998^Eksempelvik behandlingsteam^L|BINDELEDD|311067850^NAV^L|"
            + time
            + "||REF^I12^REF_I12|"
            + id
            + "|P|2.5|||AL|AL|NOR|UNICODE UTF-8",
        "RF1|P^Pending^HL70283|R^Routine^HL70280|" + kind + "^IPS^L|||" + id + "|" + date,
        "PRD|RP^Referring Provider^HL70286|Testlege^Ekte|Parkveien 1^^Eksempelvik^^0001^NO|"
            + "Eksempelvik behandlingsteam|^WPN^PH^^47^99990100||311094998^ENH",
        "PRD|RT^Referred to Provider^HL70286|||NAV Eksempelvik|||311067850^ENH",
        "PID|1||"
            + person.identityNumber()
            + "^^^&2.16.578.1.12.4.1.4.1&ISO^NNNOR||"
            + person.familyName()
            + "^"
            + person.givenName()
            + "||"
            + birth
            + "|U|||"
            + person.address().street()
            + "^^"
            + person.address().place()
            + "^^"
            + person.address().postalCode()
            + "^NO",
        "DG1|1|I10|" + referral.diagnosis() + "^I10||" + date + "|W",
        "OBX|1|ST|IPS-KAPASITET^Kapasitet^L||Halv dag|||||||F",
        "NTE|1||" + referral.note(),
        "");
  }

  /** An MLLP connection that is opened when needed. */
  private static final class Line implements AutoCloseable {
    private final Hub hub;
    private Socket socket = new Socket();

    Line(Hub hub) {
      this.hub = hub;
    }

    /** Sends until the message is acknowledged for good, and answers MSA-1. */
    String send(String message) throws InterruptedException {
      for (int attempt = 1; ; attempt++) {
        boolean last = attempt >= hub.patience().attempts();
        try {
          String acknowledgement = exchange(message);
          if (last || !isPassing(acknowledgement)) {
            return field(acknowledgement, "MSA", 1);
          }
        } catch (IOException e) {
          close();
          if (last) {
            throw new IllegalStateException(
                "The hub's MLLP port did not answer in " + attempt + " attempts", e);
          }
        }
        hub.patience().waitAfter(attempt);
      }
    }

    private String exchange(String message) throws IOException {
      if (!socket.isConnected() || socket.isClosed()) {
        socket = new Socket();
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(TIMEOUT_MILLIS);
        socket.connect(
            new InetSocketAddress(LoopbackPort.LOOPBACK, hub.mllpPort()), TIMEOUT_MILLIS);
      }
      byte[] content = message.getBytes(StandardCharsets.UTF_8);
      ByteArrayOutputStream frame = new ByteArrayOutputStream(content.length + 3);
      frame.write(START);
      frame.writeBytes(content);
      frame.write(END);
      frame.write(RETURN);
      socket.getOutputStream().write(frame.toByteArray());
      return read(new BufferedInputStream(socket.getInputStream()));
    }

    private static String read(InputStream in) throws IOException {
      ByteArrayOutputStream content = new ByteArrayOutputStream();
      if (in.read() != START) {
        throw new EOFException("The acknowledgement does not begin as MLLP");
      }
      for (int b = in.read(); b != END; b = in.read()) {
        if (b < 0 || content.size() > LARGEST_ACK) {
          throw new EOFException("The acknowledgement does not end as MLLP");
        }
        content.write(b);
      }
      if (in.read() != RETURN) {
        throw new EOFException("The acknowledgement does not end as MLLP");
      }
      return content.toString(StandardCharsets.UTF_8);
    }

    private static boolean isPassing(String acknowledgement) {
      return field(acknowledgement, "MSA", 1).equals("AR");
    }

    private static String field(String message, String segment, int number) {
      for (String line : message.split("[\r\n]+")) {
        String[] fields = line.split("\\|", -1);
        if (fields[0].equals(segment) && fields.length > number) {
          return fields[number];
        }
      }
      return "";
    }

    @Override
    public void close() {
      try {
        socket.close();
      } catch (IOException e) {
        // A connection that cannot be closed is gone already.
      }
    }
  }
}
