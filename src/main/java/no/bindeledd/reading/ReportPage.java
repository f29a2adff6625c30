package no.bindeledd.reading;

import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;
import no.bindeledd.audit.AuditEntry;
import no.bindeledd.audit.SignedNote;
import no.bindeledd.exchange.Text;
import org.jspecify.annotations.Nullable;

/**
 * The report to the person concerned (GDPR article 15) as one HTML page in one language: headings
 * in order, lists and tables with headers, a language, nothing that needs a script or another file.
 * Well-formed XML, so that the PDF is made from the same page. Not thread-safe: one for each page.
 */
final class ReportPage {
  /** The two languages of the report. */
  enum Language {
    NB("nb"),
    EN("en");

    private final String tag;

    Language(String tag) {
      this.tag = tag;
    }

    String tag() {
      return tag;
    }

    String of(Text text) {
      return this == NB ? text.nb() : text.en();
    }
  }

  private static final ZoneId OSLO = ZoneId.of("Europe/Oslo");
  private static final String STYLE =
      """
      @page { size: A4; margin: 20mm 18mm; }
      body { font-family: 'Liberation Sans', Arial, sans-serif; font-size: 11pt; line-height: 1.5;
             color: #1a1a1a; background: #ffffff; max-width: 46em; margin: 0 auto; padding: 1em; }
      h1 { font-size: 20pt; line-height: 1.2; }
      h2 { font-size: 15pt; margin-top: 1.5em; border-bottom: 1px solid #5c5c5c; }
      h3 { font-size: 12pt; margin-bottom: 0.2em; }
      article { page-break-inside: avoid; margin-bottom: 1.2em; }
      dl { margin: 0; }
      dt { font-weight: bold; margin-top: 0.3em; }
      dd { margin: 0 0 0 1.2em; }
      table { border-collapse: collapse; width: 100%; }
      th, td { border: 1px solid #5c5c5c; padding: 0.3em 0.5em; text-align: left; }
      pre { font-family: 'Liberation Sans', monospace; white-space: pre-wrap; }
      .small { font-size: 9pt; }
      """;

  private final Language language;
  private final Glossary glossary;
  private final DateTimeFormatter when;
  private final StringBuilder html = new StringBuilder(1 << 14);

  private ReportPage(Language language, Glossary glossary) {
    this.language = language;
    this.glossary = glossary;
    this.when =
        language == Language.NB
            ? DateTimeFormatter.ofPattern("d. MMMM yyyy 'kl.' HH.mm", Locale.of("nb", "NO"))
            : DateTimeFormatter.ofPattern("d MMMM yyyy 'at' HH:mm", Locale.UK);
  }

  static String of(Language language, SubjectTrail trail, Glossary glossary, Instant made) {
    return new ReportPage(language, glossary).write(trail, made);
  }

  private String write(SubjectTrail trail, Instant made) {
    List<Act> acts = Act.of(trail);
    String title =
        say("Innsyn: hva som er delt om deg", "Your data: what has been shared about you");
    html.append("<!DOCTYPE html>\n<html lang=\"")
        .append(language.tag())
        .append("\">\n<head><meta charset=\"utf-8\" />")
        .append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\" /><title>")
        .append(escaped(title))
        .append("</title>\n<meta name=\"description\" content=\"")
        .append(
            say(
                "Rapport til den det gjelder etter personvernforordningen artikkel 15",
                "Report to the person concerned under GDPR article 15"))
        .append("\" />\n<style>\n")
        .append(STYLE)
        .append("</style></head>\n<body><main>\n");
    element("h1", title);
    introduction(trail, made);
    summary(acts);
    section(
        acts,
        Act.Sort.SHARED,
        say("Dette er delt", "What was shared"),
        say("Ingenting er delt om deg.", "Nothing has been shared about you."));
    section(
        acts,
        Act.Sort.WITHHELD,
        say("Dette ble stanset eller venter", "What was stopped, or waits"),
        say("Ingenting er stanset.", "Nothing was stopped."));
    section(
        acts,
        Act.Sort.CONSENT,
        say("Samtykker og sperrer", "Consents and blocks"),
        say("Ingen samtykker eller sperrer er registrert.", "None are registered."));
    section(acts, Act.Sort.OTHER, say("Andre endringer", "Other changes"), say("Ingen.", "None."));
    section(
        acts,
        Act.Sort.READ,
        say("Hvem som har sett på dette", "Who has looked at this"),
        say(
            "Ingen har sett på opplysningene om deg i revisjonssporet.",
            "Nobody has looked at what the audit trail has about you."));
    rights();
    proof(trail);
    return html.append("</main></body>\n</html>\n").toString();
  }

  private void introduction(SubjectTrail trail, Instant made) {
    paragraph(
        say(
            "Bindeledd er et knutepunkt mellom tjenester som følger opp de samme unge. Denne"
                + " oversikten viser alt som er delt om deg gjennom knutepunktet, alt som ble"
                + " stanset, hvem det gikk fra og til, hvorfor, og hvilke regler som ble brukt."
                + " Selve opplysningene lagres ikke her: be avsenderen eller mottakeren om dem.",
            "Bindeledd is a hub between services that follow up the same young people. This"
                + " overview shows everything that was shared about you through the hub,"
                + " everything that was stopped, from whom and to whom, why, and by which rules."
                + " The information itself is not kept here: ask the sender or the recipient for"
                + " it."));
    paragraph(
        say("Oversikten ble laget ", "This overview was made on ")
            + time(made)
            + say(
                ". Den bygger bare på innslag som er kontrollert mot en signert logg med ",
                ". It is built only from entries that were checked against a signed log of ")
            + trail.size()
            + say(" innslag.", " entries."));
    if (trail.forgotten() != null) {
      paragraph(
          say(
                  "Når lagringstiden er ute, eller når noen har krevd sletting, slettes koblingen"
                      + " mellom innslag og person. Det skjedde sist ",
                  "When the time of keeping is over, or somebody has demanded erasure, the link"
                      + " between entries and people is destroyed. That was last done on ")
              + time(trail.forgotten())
              + say(
                  ". Deretter kan ingen se hvem de innslagene gjelder. Gjaldt noen av dem deg,"
                      + " står de derfor ikke her.",
                  ". Since then nobody can tell whom those entries are about. If some were about"
                      + " you, they are therefore not in this overview."));
    }
  }

  /** For each recipient, how often something was shared with it or stopped. */
  private void summary(List<Act> acts) {
    Map<String, int[]> counts = new LinkedHashMap<>();
    for (Act act : acts) {
      boolean decision = act.sort() == Act.Sort.SHARED || act.sort() == Act.Sort.WITHHELD;
      if (decision) {
        String to = organisation(act.entry(), act.entry().receiver());
        counts.computeIfAbsent(to, any -> new int[2])[act.sort() == Act.Sort.SHARED ? 0 : 1]++;
      }
    }
    element("h2", say("Kort fortalt", "In short"));
    if (counts.isEmpty()) {
      paragraph(
          say(
              "Knutepunktet har ikke behandlet noen melding om deg.",
              "The hub has handled no message about you."));
      return;
    }
    html.append("<table><caption class=\"small\">")
        .append(say("Antall meldinger til hver mottaker", "Messages to each recipient"))
        .append("</caption><thead><tr>");
    for (String header :
        List.of(
            say("Mottaker", "Recipient"),
            say("Delt", "Shared"),
            say("Stanset eller venter", "Stopped or waiting"))) {
      html.append("<th scope=\"col\">").append(escaped(header)).append("</th>");
    }
    html.append("</tr></thead><tbody>\n");
    counts.forEach(
        (to, count) ->
            html.append("<tr><th scope=\"row\">")
                .append(escaped(to))
                .append("</th><td>")
                .append(count[0])
                .append("</td><td>")
                .append(count[1])
                .append("</td></tr>\n"));
    html.append("</tbody></table>\n");
  }

  private void section(List<Act> acts, Act.Sort sort, String heading, String none) {
    element("h2", heading);
    List<Act> here = acts.stream().filter(isOf(sort)).toList();
    if (here.isEmpty()) {
      paragraph(none);
    }
    for (Act act : here) {
      html.append("<article>\n");
      AuditEntry entry = act.entry();
      element("h3", time(entry.at()) + " – " + headline(act));
      html.append("<dl>\n");
      switch (sort) {
        case SHARED, WITHHELD -> decision(act);
        case CONSENT, OTHER -> item(say("Registrert av", "Registered by"), by(entry));
        case READ -> {
          item(say("Lest av", "Read by"), by(entry));
          item(say("Hva", "What"), entry.detail());
        }
      }
      item(say("Innslag i loggen", "Entry in the log"), "nr. " + act.index());
      html.append("</dl></article>\n");
    }
  }

  private static Predicate<Act> isOf(Act.Sort sort) {
    return act -> act.sort() == sort;
  }

  private void decision(Act act) {
    AuditEntry entry = act.entry();
    String exchange = entry.exchange();
    item(say("Fra", "From"), organisation(entry, entry.sender()));
    item(say("Til", "To"), organisation(entry, entry.receiver()));
    item(say("Formål", "Purpose"), glossary.purpose(exchange).map(language::of).orElse(null));
    item(
        say("Begrunnelse", "Why"),
        language.of(glossary.reason(entry.reason()))
            + (entry.detail() == null ? "" : " " + entry.detail()));
    items(say("Rettslig grunnlag", "Legal basis"), glossary.bases(entry.rules()));
    if (entry.agreement() != null) {
      item(say("Avtale", "Agreement"), language.of(glossary.agreement(entry.agreement())));
    }
    if (!entry.consents().isEmpty()) {
      item(
          say("Samtykker som ble vurdert", "Consents that were considered"),
          String.join(", ", entry.consents()));
    }
    fields(say("Delte opplysninger om", "Information shared about"), exchange, entry.released());
    fields(
        say("Holdt tilbake: opplysninger om", "Withheld: information about"),
        exchange,
        entry.withheld());
    item(say("Levering", "Delivery"), delivery(act));
    item(
        say("Hvor lenge knutepunktet husker avgjørelsen", "How long the hub keeps the decision"),
        glossary.retention(exchange).map(this::period).orElse(null));
  }

  private void fields(String label, String exchange, List<String> fields) {
    if (fields.isEmpty()) {
      return;
    }
    List<String> about = glossary.about(exchange, fields).stream().map(language::of).toList();
    item(
        label,
        (about.isEmpty() ? "" : String.join("; ", about) + " ")
            + "("
            + say("felter: ", "fields: ")
            + String.join(", ", fields)
            + ")");
  }

  private @Nullable String delivery(Act act) {
    if (act.sort() != Act.Sort.SHARED) {
      return null;
    }
    List<String> told = new ArrayList<>();
    for (Act.Delivery each : act.deliveries()) {
      String what =
          switch (each.outcome()) {
            case "DELIVERED" -> say("levert ", "delivered ");
            case "DEAD" -> say("kunne ikke leveres, lagt til side ", "not deliverable, set aside ");
            case "RESUMED" -> say("sendt på nytt ", "sent again ");
            default -> each.outcome() + " ";
          };
      told.add(what + time(each.at()));
    }
    return told.isEmpty()
        ? say("ikke bekreftet levert", "not confirmed as delivered")
        : String.join("; ", told);
  }

  private String headline(Act act) {
    AuditEntry entry = act.entry();
    String what = language.of(glossary.exchange(entry.exchange()));
    return switch (act.sort()) {
      case SHARED ->
          switch (entry.outcome()) {
            case "REDUCED" -> what + say(": delt i del", ": shared in part");
            case "DEIDENTIFIED" -> what + say(": delt uten navn", ": shared without name");
            default -> what + say(": delt", ": shared");
          };
      case WITHHELD ->
          entry.outcome().equals("HELD")
              ? what + say(": venter", ": waits")
              : what + say(": stanset", ": stopped");
      case CONSENT ->
          switch (entry.outcome()) {
            case "GIVEN" -> say("Samtykke gitt", "Consent given");
            case "WITHDRAWN" -> say("Samtykke trukket tilbake", "Consent withdrawn");
            case "BLOCKED", "BLOCK" -> say("Sperre satt", "Block set");
            default -> say("Samtykke endret: ", "Consent changed: ") + entry.outcome();
          };
      case OTHER -> say("Registrering endret", "Registration changed");
      case READ ->
          entry.outcome().equals(ReadRecord.Kind.SUBJECT_REPORT.name())
              ? say("Innsynsrapport laget", "Report made for the person concerned")
              : say("Revisjonssporet lest", "The audit trail was read");
    };
  }

  private void rights() {
    element("h2", say("Dine rettigheter", "Your rights"));
    paragraph(
        say(
            "Du kan be avsender eller mottaker om innsyn i selve opplysningene, om retting,"
                + " sletting eller begrensning, og du kan protestere. Et samtykke kan du trekke"
                + " tilbake når som helst. Du kan klage til Datatilsynet. Reglene i knutepunktet"
                + " avgjør automatisk om en melding kan deles; de avgjør ikke saken din, og du kan"
                + " be om at et menneske ser på det.",
            "You may ask the sender or the recipient for the information itself, for correction,"
                + " erasure or restriction, and you may object. You may withdraw a consent at any"
                + " time. You may complain to Datatilsynet, the data protection authority. The"
                + " hub's rules decide automatically whether a message may be shared; they do not"
                + " decide your case, and you may ask for a person to look at it."));
  }

  private void proof(SubjectTrail trail) {
    element("h2", say("Slik kan du kontrollere dette", "How to check this"));
    paragraph(
        say(
            "Hvert innslag har et bevis i filen proofs.json: innslaget slik det ble signert, saltet"
                + " som knytter det til ditt pseudonym, og et inklusjonsbevis til loggens signerte"
                + " sjekkpunkt. Den som har loggens verifiseringsnøkkel, kan kontrollere alt uten å"
                + " stole på knutepunktet.",
            "Each entry has a proof in the file proofs.json: the entry as it was signed, the salt"
                + " that ties it to your pseudonym, and an inclusion proof to the log's signed"
                + " checkpoint. Whoever has the log's verifier key can check all of it without"
                + " trusting the hub."));
    for (SignedNote checkpoint : trail.checkpoints().values()) {
      html.append("<pre class=\"small\">").append(escaped(checkpoint.encoded())).append("</pre>\n");
    }
  }

  // ---- words and elements

  private String by(AuditEntry entry) {
    return organisation(entry, entry.sender());
  }

  private String organisation(AuditEntry entry, @Nullable String number) {
    return language.of(glossary.organisation(entry.exchange(), number));
  }

  /** {@code P5Y} and the like in words. */
  private String period(String iso) {
    java.time.Period period = java.time.Period.parse(iso);
    List<String> parts = new ArrayList<>();
    part(parts, period.getYears(), "år", "years");
    part(parts, period.getMonths(), "måneder", "months");
    part(parts, period.getDays(), "dager", "days");
    return String.join(" ", parts);
  }

  private void part(List<String> parts, int count, String nb, String en) {
    if (count > 0) {
      parts.add(count + " " + say(nb, en));
    }
  }

  private String time(Instant at) {
    return when.format(at.atZone(OSLO));
  }

  private String say(String nb, String en) {
    return language == Language.NB ? nb : en;
  }

  private void items(String label, List<Text> texts) {
    if (!texts.isEmpty()) {
      html.append("<dt>").append(escaped(label)).append("</dt>");
      texts.forEach(text -> html.append("<dd>").append(escaped(language.of(text))).append("</dd>"));
      html.append('\n');
    }
  }

  private void item(String label, @Nullable String value) {
    if (value != null && !value.isEmpty()) {
      html.append("<dt>").append(escaped(label)).append("</dt><dd>");
      html.append(escaped(value)).append("</dd>\n");
    }
  }

  private void paragraph(String text) {
    element("p", text);
  }

  private void element(String name, String text) {
    html.append('<').append(name).append('>').append(escaped(text));
    html.append("</").append(name).append(">\n");
  }

  /** What XML does not allow at all becomes a question mark. */
  static String escaped(String text) {
    StringBuilder safe = new StringBuilder(text.length() + 16);
    text.codePoints()
        .forEach(
            c -> {
              switch (c) {
                case '&' -> safe.append("&amp;");
                case '<' -> safe.append("&lt;");
                case '>' -> safe.append("&gt;");
                case '"' -> safe.append("&quot;");
                default -> {
                  boolean control = c < 0x20 && c != '\n' && c != '\t';
                  boolean none = c == 0xFFFE || c == 0xFFFF || (c >= 0xD800 && c <= 0xDFFF);
                  safe.appendCodePoint(control || none ? '?' : c);
                }
              }
            });
    return safe.toString();
  }
}
