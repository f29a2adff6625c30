package no.bindeledd.exchange;

/**
 * Why a record was held, reduced or refused, in words that a caseworker understands. The code is
 * stable and stands in audit entries, metrics and answers; the texts may be improved. The ledger
 * has the reason itself; what the sender is told is {@link #told}.
 */
public enum ReasonCode {
  RELEASED("Kan deles.", "May be shared."),
  REDUCED(
      "Deles uten feltene som mangler grunnlag.", "Shared without the fields that lack a basis."),
  DEIDENTIFIED(
      "Deles uten navn og andre kjennetegn, fordi samtykke mangler.",
      "Shared without name and other identifying details, as there is no consent."),
  DUTY_TO_REPORT(
      "Deles fordi loven pålegger det. Plikten går foran manglende samtykke og sperre.",
      "Shared because the law demands it. The duty goes before a missing consent and a block."),
  BREAK_GLASS(
      "Deles for å avverge fare for liv eller helse, etter en navngitt persons vurdering som skal"
          + " gjennomgås.",
      "Shared to avert danger to life or health, on the judgement of a named person, which is to be"
          + " reviewed."),
  NO_BASIS(
      "Det finnes ikke et rettslig grunnlag som gjelder nå for denne delingen.",
      "No legal basis in force now covers this sharing."),
  NO_AGREEMENT(
      "Det finnes ingen gyldig samarbeidsavtale mellom avsender og mottaker for denne utvekslingen.",
      "No valid cooperation agreement between sender and recipient covers this exchange."),
  NOTHING_ALLOWED(
      "Ingen av feltene kan deles med denne mottakeren.",
      "None of the fields may be shared with this recipient."),
  CONDITION_NOT_MET("Et vilkår i regelen er ikke oppfylt.", "A condition of the rule is not met."),
  RULE_IN_DOUBT(
      "Regelen kunne ikke vurderes med opplysningene som finnes; et menneske må avgjøre.",
      "The rule could not be judged on the facts at hand; a person must decide."),
  OUTSIDE_TARGET_GROUP(
      "Personen er ikke i målgruppen som avtalen gjelder for.",
      "The person is not in the target group that the agreement is about."),
  AWAITING_SIGNATURE(
      "Venter på at en navngitt person avgjør og signerer.",
      "Waiting for a named person to decide and sign."),
  AWAITING_SECOND_GUARDIAN(
      "Venter på samtykke fra den andre foresatte.",
      "Waiting for the consent of the second guardian."),
  AWAITING_CONSENT("Venter på samtykke fra personen.", "Waiting for the person's consent."),
  CONSENT_WITHDRAWN("Samtykket er trukket tilbake.", "The consent has been withdrawn."),
  CONSENT_EXPIRED("Samtykket har utløpt.", "The consent has expired."),
  BLOCKED_BY_SUBJECT(
      "Personen har sperret for deling av opplysningene.",
      "The person has blocked sharing of the information."),
  PROTECTED(
      "Kan ikke deles automatisk. Ta kontakt med avsenderen på godkjent måte.",
      "Cannot be shared automatically. Contact the sender by an approved way."),
  AWAITING_COUNTERPART_LIST(
      "Venter på den andre partens liste.", "Waiting for the other party's list."),
  NOT_FOUND(
      "Fant ingenting som kan deles her. Ta kontakt på godkjent måte hvis saken må følges opp.",
      "Found nothing that can be shared here. Make contact by an approved way if the case must be"
          + " followed up."),
  UNKNOWN_EXCHANGE("Utvekslingen finnes ikke.", "The exchange does not exist."),
  UNKNOWN_SENDER(
      "Avsenderen har ikke tilgang til denne utvekslingen.",
      "The sender has no access to this exchange."),
  UNKNOWN_RECIPIENT(
      "Mottakeren inngår ikke i denne utvekslingen.",
      "The recipient is not part of this exchange."),
  INVALID_IDENTITY_NUMBER(
      "Fødselsnummeret er ugyldig.", "The national identity number is invalid."),
  SYNTHETIC_IDENTITY_NUMBER(
      "Syntetiske fødselsnumre tas ikke imot her.",
      "Synthetic identity numbers are not accepted here."),
  FICTITIOUS_IDENTITY_NUMBER(
      "Fiktivt VIGO-nummer kan ikke sendes videre som fødselsnummer.",
      "A fictitious VIGO number cannot be sent on as an identity number."),
  MALFORMED("Meldingen kan ikke leses.", "The message cannot be read."),
  WRONG_CHARSET(
      "Tegnsettet stemmer ikke med kontrakten.", "The character set is not the contract's."),
  TOO_LARGE("Meldingen er for stor.", "The message is too large."),
  SCHEMA_VIOLATION(
      "Meldingen følger ikke skjemaet i kontrakten.",
      "The message does not follow the contract's schema."),
  UNKNOWN_CODE("En kode finnes ikke i kodeverket.", "A code is not in the code list."),
  ALREADY_HELD(
      "En annen tjeneste er dette for personen allerede. Avslutt den først.",
      "Another service is this for the person already. End that first."),
  MESSAGE_ID_REUSED(
      "Meldings-ID-en er brukt før med annet innhold.",
      "The message id was used before with other content."),
  INVALID_ANSWER(
      "Svaret fra kilden kunne ikke brukes.", "The answer from the source could not be used."),
  SOURCE_UNAVAILABLE(
      "Kilden svarer ikke. Prøv igjen senere.", "The source does not answer. Try again later."),
  GATE_SHUT(
      "Porten er stengt fordi revisjonssporet ikke kan skrives. Prøv igjen senere.",
      "The gate is shut because the audit trail cannot be written. Try again later.");

  private final Text text;

  ReasonCode(String nb, String en) {
    this.text = new Text(nb, en);
  }

  public Text text() {
    return text;
  }

  /**
   * The reason that a sender is told. A reason that would tell something about the person which the
   * sender may not know (an address, a block, that there ever was a consent) is told as one that
   * others get too: a refusal as a not-found, a hold as any other hold. The same on every channel.
   *
   * @param waits the record is held and not refused
   */
  public ReasonCode told(boolean waits) {
    return switch (this) {
      case PROTECTED, BLOCKED_BY_SUBJECT, CONSENT_WITHDRAWN -> waits ? RULE_IN_DOUBT : NOT_FOUND;
      case CONSENT_EXPIRED, AWAITING_SECOND_GUARDIAN -> AWAITING_CONSENT;
      case RELEASED,
          REDUCED,
          DEIDENTIFIED,
          DUTY_TO_REPORT,
          BREAK_GLASS,
          NO_BASIS,
          NO_AGREEMENT,
          NOTHING_ALLOWED,
          CONDITION_NOT_MET,
          RULE_IN_DOUBT,
          OUTSIDE_TARGET_GROUP,
          AWAITING_SIGNATURE,
          AWAITING_CONSENT,
          AWAITING_COUNTERPART_LIST,
          NOT_FOUND,
          UNKNOWN_EXCHANGE,
          UNKNOWN_SENDER,
          UNKNOWN_RECIPIENT,
          INVALID_IDENTITY_NUMBER,
          SYNTHETIC_IDENTITY_NUMBER,
          FICTITIOUS_IDENTITY_NUMBER,
          MALFORMED,
          WRONG_CHARSET,
          TOO_LARGE,
          SCHEMA_VIOLATION,
          UNKNOWN_CODE,
          ALREADY_HELD,
          MESSAGE_ID_REUSED,
          INVALID_ANSWER,
          SOURCE_UNAVAILABLE,
          GATE_SHUT ->
          this;
    };
  }
}
