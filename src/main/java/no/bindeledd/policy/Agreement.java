package no.bindeledd.policy;

import java.time.LocalDate;
import java.time.Period;
import java.util.List;
import java.util.Set;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.exchange.Text;
import org.jspecify.annotations.Nullable;

/**
 * What agencies have agreed to share, one version of it. An agreement narrows: it permits a data
 * category in one exchange to one receiver, and the law must permit it as well. How the same list
 * is answered differently by two offices stands here (AFI 2093–2105). Immutable; read from {@code
 * policies/agreements/*.yaml}.
 *
 * @param version from 1; a revised agreement is a new version, and at most one version of an id is
 *     in effect on a day
 * @param level where it stands: a central agreement frames county agreements, and so on down
 * @param parent the id of the agreement that it fills in; null for one that stands alone. It is in
 *     effect on no day on which its parent is not
 * @param status the lifecycle, oldest first. In effect from {@code SIGNED}, until {@code REVISED}
 *     or the end of the validity
 * @param validFrom first day, Oslo calendar
 * @param validTo last day, included; null when open-ended
 * @param targetGroups whom it is about, by id: a person outside all of them is not; empty means
 *     anyone
 * @param statusReply how much one side may tell about a name on the other's list
 * @param clauses what may flow
 * @param retention how long the facts of a decision under it are kept; null leaves it to the
 *     contract
 * @param escalation whom to turn to, a unit and never a person; null when none is named
 */
public record Agreement(
    String id,
    int version,
    Text title,
    Level level,
    @Nullable String parent,
    List<Stage> status,
    LocalDate validFrom,
    @Nullable LocalDate validTo,
    List<Party> parties,
    Set<String> targetGroups,
    StatusReply statusReply,
    List<Clause> clauses,
    @Nullable Period retention,
    @Nullable String escalation,
    String source) {

  /** From draft to revised (AFI 1598–1602). */
  public enum Lifecycle {
    DRAFT,
    HEARING,
    SIGNED,
    PUBLISHED,
    /** Replaced by a new version: no longer in effect. */
    REVISED;

    boolean inEffect() {
      return this == SIGNED || this == PUBLISHED;
    }
  }

  /** How binding a clause is (AFI 1716–1738). */
  public enum Bindingness {
    /** The parties shall share. */
    SKAL,
    /** The parties may share. */
    KAN,
    /** Only in special cases, so a person decides: never released by itself. */
    SAERSKILTE_TILFELLER
  }

  /** How a list is answered (AFI 2093–2105). */
  public enum StatusReply {
    /** Nothing is told about a person. */
    NOTHING,
    /** Whether the name is known. */
    PRESENCE,
    /** The code for the name. */
    CODE
  }

  /** At which level it was signed, highest first. */
  public enum Level {
    CENTRAL,
    COUNTY,
    SUB_AGREEMENT,
    LOCAL_OFFICE
  }

  /** The lifecycle state from a day on. */
  public record Stage(Lifecycle state, LocalDate from) {}

  /** An organisation that signed. */
  public record Party(OrganisationNumber organisation, Level level) {}

  /**
   * A permission.
   *
   * @param number as the agreement numbers it
   * @param exchange the exchange's id
   * @param from who sends; null means any other party
   * @param to who receives
   * @param categories may be empty: nothing is told, and that is agreed
   * @param fields the only paths of the receiver's view that may leave under this clause; null for
   *     all of the categories
   */
  public record Clause(
      String number,
      String exchange,
      @Nullable OrganisationNumber from,
      OrganisationNumber to,
      Set<String> categories,
      @Nullable Set<String> fields,
      Bindingness bindingness,
      Text text) {}

  /** {@code id@version}, as grounds name it. */
  public String reference() {
    return id + "@" + version;
  }

  /** The days on which it is in effect; null when there is none. */
  @Nullable Days inEffect() {
    LocalDate from = null;
    LocalDate end = null;
    for (Stage stage : status) {
      if (stage.state().inEffect() && from == null) {
        from = stage.from();
      }
      if (stage.state() == Lifecycle.REVISED) {
        end = stage.from();
      }
    }
    if (from == null) {
      return null;
    }
    LocalDate first = from.isAfter(validFrom) ? from : validFrom;
    LocalDate after = validTo == null ? null : validTo.plusDays(1);
    if (end != null && (after == null || end.isBefore(after))) {
      after = end;
    }
    return after != null && !first.isBefore(after) ? null : new Days(first, after);
  }
}
