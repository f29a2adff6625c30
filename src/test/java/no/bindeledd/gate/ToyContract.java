package no.bindeledd.gate;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.nio.file.Path;
import java.time.Period;
import java.util.List;
import java.util.Map;
import no.bindeledd.exchange.AgencyKind;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.exchange.Text;

/** A contract with a recipient for each way out, and what its placeholders stand for. */
final class ToyContract {
  static final Map<String, String> VALUES =
      Map.ofEntries(
          Map.entry("kafka.brokers", "localhost:9092"),
          Map.entry("peers.evil.brokers", "evil.example:9092"),
          Map.entry("peers.sender", "school"),
          Map.entry("peers.nav.url", "https://NAV.example:443/api"),
          Map.entry("peers.nav.topic", "evil"),
          Map.entry("peers.nav.token", "not-a-token"),
          Map.entry("peers.sly.url", "https://nav.example/api/toys?proxyHost=evil.example"),
          Map.entry("peers.fint.url", "http://localhost:8090"),
          Map.entry("peers.hospital.mllp", "hospital.example:2575"),
          Map.entry("peers.archive.sftp", "archive.example"),
          Map.entry("peers.school.sftp", "files.example:2222"),
          Map.entry("peers.school.username", "hub"),
          Map.entry("peers.school.password", "p&?%#"),
          Map.entry("peers.school.knownHosts", "/etc/bindeledd/known_hosts"));

  static final Placeholders PLACEHOLDERS = Placeholders.of(VALUES);

  private ToyContract() {}

  static Contract toy(Path folder) {
    return contract(
        "toy",
        folder,
        recipient("ot", "kafka:ot.toy.v1"),
        recipient("nav", "{{peers.nav.url}}/toys"),
        recipient("fint", "fint:{{peers.fint.url}}/utdanning/ot/otungdom"),
        recipient("hospital", "mllp:{{peers.hospital.mllp}}"),
        recipient("archive", "sftp:{{peers.archive.sftp}}/toys"));
  }

  static Contract contract(String id, Path folder, Contract.Recipient... recipients) {
    OrganisationNumber school = new OrganisationNumber("311000004");
    return new Contract(
        id,
        "E00",
        new Text("Leke", "Toy"),
        Contract.Mode.ASYNCHRONOUS,
        "FOLLOW_UP",
        new Contract.Input(
            "json", "input.schema.json", null, JsonNodeFactory.instance.objectNode()),
        null,
        null,
        null,
        null,
        null,
        List.of(
            new Contract.Sender(
                "school",
                AgencyKind.SCHOOL,
                List.of(school),
                Contract.Authentication.CHANNEL,
                null),
            new Contract.Sender(
                "web",
                AgencyKind.NAV,
                List.of(new OrganisationNumber("311067850")),
                Contract.Authentication.MASKINPORTEN,
                "toy:write")),
        List.of(recipients),
        null,
        Period.ofYears(1),
        folder);
  }

  static Contract.Recipient recipient(String name, String address) {
    return new Contract.Recipient(
        name,
        AgencyKind.OT,
        new OrganisationNumber("311013572"),
        address,
        false,
        new Contract.View("view.jslt", "view.schema.json", List.of()));
  }
}
