package no.bindeledd.reading;

import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.exchange.Text;
import no.bindeledd.policy.PolicyPack;
import org.jspecify.annotations.Nullable;

/**
 * The words for what stands in entries as numbers and codes, from contracts, the rule pack and the
 * list of organisations. What nobody has words for is shown as it stands. Immutable.
 */
public final class Glossary {
  private final PolicyPack pack;
  private final Map<String, Contract> contracts = new TreeMap<>();
  private final Function<String, @Nullable Text> organisations;

  /**
   * @param organisations the name of an organisation number, or null
   */
  public Glossary(
      PolicyPack pack,
      Collection<Contract> contracts,
      Function<String, @Nullable Text> organisations) {
    this.pack = pack;
    contracts.forEach(contract -> this.contracts.put(contract.id(), contract));
    this.organisations = organisations;
  }

  /** The organisation with this number, or the recipient whom the contract calls so. */
  Text organisation(@Nullable String exchange, @Nullable String numberOrName) {
    if (numberOrName == null) {
      return new Text("ukjent", "unknown");
    }
    Contract contract = exchange == null ? null : contracts.get(exchange);
    String number =
        contract == null
            ? numberOrName
            : contract
                .recipient(numberOrName)
                .map(recipient -> recipient.organisation().value())
                .orElse(numberOrName);
    Text name = organisations.apply(number);
    if (name != null) {
      return new Text(
          name.nb() + " (org.nr. " + number + ")", name.en() + " (org. no. " + number + ")");
    }
    return new Text("organisasjon " + number, "organisation " + number);
  }

  Text exchange(String id) {
    Contract contract = contracts.get(id);
    return contract == null ? new Text(id, id) : contract.title();
  }

  /** Why the information was to be shared. */
  Optional<Text> purpose(String exchange) {
    return Optional.ofNullable(contracts.get(exchange))
        .map(contract -> pack.vocabulary().purpose(contract.purpose()));
  }

  /** How long the hub keeps what it needs to know about a decision, ISO 8601. */
  Optional<String> retention(String exchange) {
    return Optional.ofNullable(contracts.get(exchange))
        .map(contract -> contract.retention().toString());
  }

  Text reason(String code) {
    for (ReasonCode known : ReasonCode.values()) {
      if (known.name().equals(code)) {
        return known.text();
      }
    }
    return new Text(code, code);
  }

  /** The rules of law and the agreement that an entry names, one sentence each. */
  List<Text> bases(List<String> references) {
    return references.stream().map(this::basis).toList();
  }

  private Text basis(String reference) {
    return pack.legalBasis(reference)
        .map(
            basis -> {
              String articles =
                  "art. "
                      + basis.gdprBasis().article6()
                      + (basis.gdprBasis().article9() == null
                          ? ""
                          : ", " + basis.gdprBasis().article9());
              return new Text(
                  basis.statute() + ": " + basis.text().nb() + " (GDPR " + articles + ")",
                  basis.statute() + ": " + basis.text().en() + " (GDPR " + articles + ")");
            })
        .orElse(new Text(reference, reference));
  }

  /**
   * @param reference {@code id@version}, perhaps with clauses: {@code id@version#4.1,4.2}
   */
  Text agreement(String reference) {
    int at = reference.indexOf('#');
    String clauses = at < 0 ? "" : reference.substring(at + 1).replace(",", ", ");
    return pack.agreement(at < 0 ? reference : reference.substring(0, at))
        .map(
            agreement ->
                clauses.isEmpty()
                    ? agreement.title()
                    : new Text(
                        agreement.title().nb() + ", punkt " + clauses,
                        agreement.title().en() + ", clause " + clauses))
        .orElse(new Text(reference, reference));
  }

  /** What fields are about, by the categories of the exchange's contract. */
  List<Text> about(String exchange, List<String> fields) {
    Set<Text> about = new LinkedHashSet<>();
    for (String field : fields) {
      category(exchange, field).ifPresent(code -> about.add(pack.vocabulary().category(code)));
    }
    return List.copyOf(about);
  }

  private Optional<String> category(String exchange, String field) {
    Contract contract = contracts.get(exchange);
    if (contract == null) {
      return Optional.empty();
    }
    return contract.to().stream()
        .flatMap(recipient -> recipient.view().fields().stream())
        .filter(candidate -> covers(candidate.path(), field))
        .map(Contract.Field::category)
        .findFirst()
        .or(
            () ->
                Optional.ofNullable(contract.answer()).stream()
                    .flatMap(view -> view.fields().stream())
                    .filter(candidate -> covers(candidate.path(), field))
                    .map(Contract.Field::category)
                    .findFirst());
  }

  /** A path covers itself and everything below it. */
  private static boolean covers(String path, String field) {
    return field.equals(path) || field.startsWith(path + "/");
  }
}
