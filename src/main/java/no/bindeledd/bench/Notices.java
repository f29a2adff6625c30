package no.bindeledd.bench;

import java.nio.charset.StandardCharsets;
import java.util.SplittableRandom;

/**
 * The messages of the asynchronous part: about 25 fields and 1.5 KB of JSON, each about a random
 * person and with an id of its own. Not thread-safe.
 */
final class Notices {
  private static final String REASON =
      "Har takket ja til arbeid i familiens gårdsbruk og ønsker å komme tilbake til neste skoleår;"
          + " skolen har hatt tre samtaler om tilrettelegging, bytte av programområde og deltid, og"
          + " eleven er kjent med retten til å fullføre.";
  private static final String REMARK =
      "Skolens egen merknad, som aldri skal videre: timeplan og rådgiver er avtalt internt, nøkkel"
          + " og utstyr er levert inn, foresatte er varslet i brev, og saken er lagt i elevmappen"
          + " sammen med referatene fra de siste samtalene. Neste interne gjennomgang er i uke 40,"
          + " og til da står plassen åpen i klassen. Rommet i hybelbygget er sagt opp fra måneds-"
          + "skiftet, og skyssavtalen er avsluttet. Lånte bøker og arbeidstøy skal leveres på"
          + " ekspedisjonen innen utgangen av måneden, og låsen til skapet skal byttes.";

  private final People people;
  private final String run;
  private final SplittableRandom random;

  /**
   * @param run part of every message id, so that two runs on the same data do not collide
   */
  Notices(People people, String run, long seed) {
    this.people = people;
    this.run = run;
    this.random = new SplittableRandom(seed);
  }

  byte[] notice(long serial) {
    int person = random.nextInt(people.count());
    StringBuilder json = new StringBuilder(1600);
    json.append("{\"messageId\":\"").append(run).append('-').append(serial);
    json.append("\",\"foedselsnummer\":\"").append(people.number(person));
    json.append("\",\"foedselsdato\":\"").append(people.birthDate(person));
    json.append("\",\"navn\":{\"fornavn\":\"Solrik\",\"mellomnavn\":\"Bekkelin\",\"etternavn\":\"");
    json.append("Testesen").append(person).append("\"},\"kontakt\":{\"telefon\":\"+4799");
    json.append(100_000 + person % 900_000).append("\",\"epost\":\"person").append(person);
    json.append("@example.no\",\"adresse\":{\"gate\":\"Oppdiktet vei ").append(person % 100);
    json.append("\",\"postnummer\":\"").append(1000 + person % 9000);
    json.append(
        "\",\"poststed\":\"Eksempelvik\"}},\"skole\":{\"organisasjonsnummer\":\"311000004\"");
    json.append(",\"navn\":\"Eksempelvik videregående skole\",\"kommune\":\"9901\"");
    json.append(",\"kontaktlaerer\":\"Lyngvar Prøveland\"},\"programomraade\":{\"kode\":");
    json.append("\"BABAT1----\",\"navn\":\"Bygg- og anleggsteknikk\",\"trinn\":");
    json.append(1 + person % 3).append("},\"avbrudd\":{\"dato\":\"2026-08-28\",\"aarsak\":\"FV\"");
    json.append(",\"begrunnelse\":\"").append(REASON).append("\"},\"fravaer\":{\"prosent\":");
    json.append(person % 100).append(".5,\"timer\":").append(person % 400).append(",\"dager\":");
    json.append(person % 60).append(",\"varselSendt\":\"2026-08-14\"},\"merknad\":\"");
    json.append(REMARK).append("\",\"oppdatert\":\"2026-08-31T12:00:00Z\"}");
    return json.toString().getBytes(StandardCharsets.UTF_8);
  }

  /** The serial number of a notice that was mapped and not sealed; -1 when it cannot be seen. */
  static long serial(byte[] mapped) {
    int dash = -1;
    for (int i = 0; i < Math.min(mapped.length, 80); i++) {
      if (mapped[i] == '-') {
        dash = i;
      } else if (mapped[i] == '"' && dash >= 0) {
        return Long.parseLong(
            new String(mapped, dash + 1, i - dash - 1, StandardCharsets.US_ASCII));
      }
    }
    return -1;
  }
}
