package no.bindeledd.e2e;

import static no.bindeledd.e2e.TestHouse.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import no.bindeledd.demo.Agencies;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** E17 end to end: anonymous without consent, also to one who puts messages side by side. */
@ExtendWith(TestHouse.Resident.class)
class CaseDiscussionTest {
  private final TestHouse house;

  CaseDiscussionTest(TestHouse house) {
    this.house = house;
  }

  @Test
  void anonymousMessagesAboutOnePersonCannotBePutTogetherNorWithOneByName() {
    Youth youth = Youth.next();
    discuss(youth, "1");
    discuss(youth, "2");
    house.settle();
    house.consent(youth, "CASE_DISCUSSION");
    discuss(youth, "3");

    List<Inbox.Letter> letters = letters(youth);
    assertThat(letters).extracting(Inbox.Letter::keyText).doesNotHaveDuplicates();
    assertThat(letters).extracting(l -> l.json().path("referanse").asText()).hasSize(3);
    assertThat(letters)
        .extracting(l -> l.json().path("referanse").asText())
        .doesNotHaveDuplicates();
    List<JsonNode> anonymous =
        letters.stream()
            .map(Inbox.Letter::json)
            .filter(json -> !json.has("foedselsnummer"))
            .toList();
    assertThat(anonymous)
        .hasSize(2)
        .allSatisfy(
            json ->
                assertThat(json.fieldNames())
                    .toIterable()
                    .containsExactlyInAnyOrder(
                        "referanse", "tema", "temaTekst", "tjenester", "kontakt"));
    assertThat(letters)
        .filteredOn(letter -> letter.json().has("foedselsnummer"))
        .singleElement()
        .satisfies(
            letter -> {
              assertThat(letter.json().path("foedselsnummer").asText()).isEqualTo(youth.number());
              assertThat(letter.json().path("saksnummer").asText()).isEqualTo("SAK-1");
            });
  }

  private List<Inbox.Letter> letters(Youth youth) {
    await().atMost(PATIENCE).until(() -> ofThisTest(youth).size() == 3);
    return ofThisTest(youth);
  }

  /** The unit is named after the young person's number only here, to find what belongs together. */
  private List<Inbox.Letter> ofThisTest(Youth youth) {
    return house.inbox.on(TestHouse.DISCUSSION).stream()
        .filter(letter -> letter.json().at("/kontakt/enhet").asText().equals(unit(youth)))
        .toList();
  }

  private static String unit(Youth youth) {
    return "Enhet " + Integer.toHexString(youth.number().hashCode());
  }

  private void discuss(Youth youth, String number) {
    TestHouse.Reply reply =
        house.post(
            "case-discussion",
            Agencies.TREATMENT_TEAM,
            """
            {"messageId": "CD-%s-%s", "foedselsnummer": "%s", "foedselsdato": "%s",
             "navn": {"fornavn": "%s", "etternavn": "%s"}, "mottakere": ["311067850"],
             "saksnummer": "SAK-1", "tema": "BOLIG", "tjenester": ["DPS"],
             "spoersmaal": "Hvor skal %s bo?",
             "kontakt": {"navn": "Fagperson", "enhet": "%s"}}"""
                .formatted(
                    Integer.toHexString(youth.number().hashCode()),
                    number,
                    youth.number(),
                    youth.birthDate(),
                    youth.given(),
                    youth.family(),
                    youth.given(),
                    unit(youth)));
    assertThat(reply.status()).isEqualTo(202);
  }
}
