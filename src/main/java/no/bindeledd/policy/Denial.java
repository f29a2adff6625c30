package no.bindeledd.policy;

import java.util.List;
import java.util.Set;
import no.bindeledd.exchange.AgencyKind;
import no.bindeledd.exchange.Text;
import org.jspecify.annotations.Nullable;

/**
 * What is always denied (contracts.md § 6, the last column). Not needed to stop anything, since
 * what no basis permits stays: it is there so that a pack whose bases permit it is refused, and so
 * that a refusal can name the rule. Immutable; read from {@code policies/denials/*.yaml}.
 *
 * @param senders empty means all
 * @param receivers empty means all
 * @param unlessItemised a basis may permit it all the same with a consent that names the category
 * @param note what a lawyer must confirm; null when nothing
 */
public record Denial(
    String id,
    int version,
    String statute,
    Text text,
    List<LegalBasis.Period> status,
    Set<AgencyKind> senders,
    Set<AgencyKind> receivers,
    Set<String> categories,
    boolean unlessItemised,
    String source,
    @Nullable String note) {

  /** {@code id@version}, as grounds name it. */
  public String reference() {
    return id + "@" + version;
  }

  boolean concerns(AgencyKind sender, AgencyKind receiver) {
    return (senders.isEmpty() || senders.contains(sender))
        && (receivers.isEmpty() || receivers.contains(receiver));
  }
}
