package no.bindeledd.e2e;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/** A treatment team's connection: sends an HL7 v2 message in an MLLP frame, reads its answer. */
final class MllpLine implements AutoCloseable {
  private static final int START = 0x0B;
  private static final int END = 0x1C;

  /** Every answer that any line got, for those who search them. */
  static final Queue<String> ANSWERS = new ConcurrentLinkedQueue<>();

  /** An acknowledgement. */
  record Ack(String text) {
    String code() {
      return field("MSA", 1);
    }

    String field(String segment, int number) {
      for (String line : text.split("\r")) {
        String[] fields = line.split("\\|", -1);
        if (fields[0].equals(segment)) {
          return fields.length > number ? fields[number] : "";
        }
      }
      return "";
    }
  }

  private final Socket socket;

  MllpLine(int port) {
    try {
      socket = new Socket(InetAddress.getLoopbackAddress(), port);
      socket.setTcpNoDelay(true);
      socket.setSoTimeout(60_000);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  Ack send(String message) {
    return send(message.getBytes(StandardCharsets.UTF_8));
  }

  Ack send(byte[] message) {
    try {
      OutputStream out = socket.getOutputStream();
      ByteArrayOutputStream frame = new ByteArrayOutputStream(message.length + 3);
      frame.write(START);
      frame.writeBytes(message);
      frame.write(END);
      frame.write('\r');
      out.write(frame.toByteArray());
      String text = read(new BufferedInputStream(socket.getInputStream()));
      ANSWERS.add(text);
      return new Ack(text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String read(InputStream in) throws IOException {
    if (in.read() != START) {
      throw new EOFException("The answer does not begin as MLLP");
    }
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    for (int b = in.read(); b != END; b = in.read()) {
      if (b < 0) {
        throw new EOFException("The answer does not end as MLLP");
      }
      text.write(b);
    }
    in.read();
    return text.toString(StandardCharsets.UTF_8);
  }

  /** A referral to IPS with diagnosis, observation and note. */
  static String referral(String id, Youth youth) {
    return String.join("\r", segments(id, youth)) + "\r";
  }

  static List<String> segments(String id, Youth youth) {
    String day = "20260901";
    return new ArrayList<>(
        List.of(
            "MSH|^~\\&|EKSEMPELJOURNAL|Eksempelvik behandlingsteam^311094998^ENH|BINDELEDD|NAV^311067850^ENH|"
                + day
                + "115500+0200||REF^I12^REF_I12|"
                + id
                + "|P|2.5|||AL|AL|NOR|UNICODE UTF-8",
            "RF1|P^Pending^HL70283|R^Routine^HL70280|IPSUNG^IPS ung^L|||" + id + "|" + day,
            "PRD|RP^Referring Provider^HL70286|Testlege^Ekte|Parkveien 1^^Eksempelvik^^0001^NO|"
                + "Eksempelvik behandlingsteam|^WPN^PH^^47^^99990100||311094998^ENH",
            "PRD|RT^Referred to Provider^HL70286|||NAV Eksempelvik|||311067850^ENH",
            "PID|1||"
                + youth.number()
                + "^^^&2.16.578.1.12.4.1.4.1&ISO^NNNOR||"
                + youth.family()
                + "^"
                + youth.given()
                + "||"
                + youth.birthDate().toString().replace("-", "")
                + "|U",
            "DG1|1|I10|F32.1^Moderat depressiv episode^I10|Moderat depressiv episode|" + day + "|W",
            "OBX|1|ST|IPS-KAPASITET^Kapasitet^L||Halv dag|||||||F",
            "NTE|1||" + youth.given() + " har fortalt om søvnvansker."));
  }

  @Override
  public void close() {
    try {
      socket.close();
    } catch (IOException e) {
      // Gone already.
    }
  }
}
