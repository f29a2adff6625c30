package no.bindeledd.demo;

import java.time.Instant;
import java.time.LocalDate;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.person.Protection;
import no.bindeledd.policy.ConsentFact;
import org.jspecify.annotations.Nullable;

/**
 * A young person who does not exist, with what each agency knows about the person. Immutable; the
 * texts of all its records show no number, name or fact.
 *
 * @param number from 1, in the order they were made; the only thing the text of a person shows
 * @param identityNumber eleven digits, month + 80
 * @param programme programme area, 10 characters
 * @param otStatus OT status code (Udir), for those that OT knows
 * @param navOffice the office whose list the person is on; null when NAV does not know the person
 * @param listCode the NAV office's own code for the person: IVARETATT, IKKE_IVARETATT, HAR_FLYTTET
 * @param dropout null for those who are in school or have completed it
 */
public record Person(
    int number,
    String identityNumber,
    String givenName,
    String familyName,
    LocalDate birthDate,
    String phone,
    String email,
    Address address,
    School school,
    String programme,
    int level,
    Protection protection,
    @Nullable Dropout dropout,
    @Nullable String otStatus,
    @Nullable OrganisationNumber navOffice,
    String listCode,
    List<Participation> participations,
    @Nullable Referral referral,
    List<ConsentGrant> consents) {

  /** A street, postal code and place that do not exist. */
  public record Address(String street, String postalCode, String place) {
    @Override
    public String toString() {
      return "Address[***]";
    }
  }

  /** An upper secondary school. */
  public record School(OrganisationNumber organisation, String name) {}

  /**
   * The end of an enrolment.
   *
   * @param reason code B06
   * @param absencePercent null when the school did not give it
   */
  public record Dropout(LocalDate date, String reason, @Nullable String absencePercent) {
    @Override
    public String toString() {
      return "Dropout[***]";
    }
  }

  /** A participation in a NAV measure, with its changes in order. */
  public record Participation(
      UUID id, UUID measure, LocalDate start, LocalDate end, List<Change> changes) {
    @Override
    public String toString() {
      return "Participation[***]";
    }
  }

  /**
   * A change of a participation.
   *
   * @param cause status.aarsak.type, such as SYK (health information); null when none is given
   */
  public record Change(Instant at, String status, @Nullable String cause) {
    @Override
    public String toString() {
      return "Change[***]";
    }
  }

  /**
   * A referral from a treatment team to employment support.
   *
   * @param messageId MSH-10
   * @param kind IPS or IPSUNG
   * @param diagnosis ICD-10 code and text, which must never leave the hub
   */
  public record Referral(String messageId, String kind, Instant at, String diagnosis, String note) {
    @Override
    public String toString() {
      return "Referral[***]";
    }
  }

  /**
   * A consent, or a block.
   *
   * @param recipients organisation numbers; empty means all
   * @param categories data categories; empty means all of the purpose
   * @param late it comes only after the messages that need it have been sent
   * @param guardians identity numbers of guardians who consent to taking part; null when the person
   *     consents to share information
   * @param sources organisation numbers of those who may be asked; empty when nobody is to be asked
   */
  public record ConsentGrant(
      UUID id,
      ConsentFact.State state,
      String purpose,
      Set<String> recipients,
      Set<String> categories,
      Instant validFrom,
      @Nullable Instant validTo,
      boolean late,
      @Nullable Set<String> guardians,
      Set<String> sources) {
    @Override
    public String toString() {
      return "ConsentGrant[***]";
    }
  }

  /** The same person with these consents. */
  Person with(List<ConsentGrant> others) {
    return new Person(
        number,
        identityNumber,
        givenName,
        familyName,
        birthDate,
        phone,
        email,
        address,
        school,
        programme,
        level,
        protection,
        dropout,
        otStatus,
        navOffice,
        listCode,
        participations,
        referral,
        List.copyOf(others));
  }

  @Override
  public String toString() {
    return "Person[" + number + "]";
  }
}
