package no.bindeledd.policy;

import java.nio.file.Path;
import java.time.Instant;
import java.time.Period;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import no.bindeledd.exchange.AgencyKind;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.exchange.Problem;
import no.bindeledd.exchange.ProblemsException;
import no.bindeledd.exchange.ReasonCode;
import org.jspecify.annotations.Nullable;

/**
 * All legal bases and agreements, checked whole, and the decision that follows from them. Immutable
 * and safe on any thread; a changed rule is a new pack. An empty pack refuses everything.
 */
public final class PolicyPack {
  /** Plans are few (view × sender × receiver); a stale contract's plans must not pile up. */
  private static final int MAX_PLANS = 10_000;

  private final Vocabulary vocabulary;
  private final List<TargetGroup> targetGroups;
  private final Map<String, Membership> memberships = new HashMap<>();
  private final List<LegalBasis> legalBases;
  private final List<Denial> denials;
  private final List<Placed<Agreement>> placed;
  private final List<Agreement> agreements;
  private final Map<String, Period> retentions = new HashMap<>();
  private final String hash;
  private final ConcurrentHashMap<PlanKey, Plan> plans = new ConcurrentHashMap<>();

  PolicyPack(
      Vocabulary vocabulary,
      List<TargetGroup> targetGroups,
      List<LegalBasis> legalBases,
      List<Denial> denials,
      List<Placed<Agreement>> agreements,
      String hash) {
    this.vocabulary = vocabulary;
    this.targetGroups = List.copyOf(targetGroups);
    this.legalBases = List.copyOf(legalBases);
    this.denials = List.copyOf(denials);
    this.placed = List.copyOf(agreements);
    this.agreements = agreements.stream().map(Placed::value).toList();
    this.hash = hash;
    for (Agreement agreement : this.agreements) {
      if (agreement.retention() != null) {
        retentions.put(agreement.reference(), agreement.retention());
      }
    }
    targetGroups.forEach(
        group -> memberships.computeIfAbsent(group.id(), id -> Membership.of(id, targetGroups)));
  }

  /**
   * Reads {@code vocabulary}, {@code target-groups}, {@code legal-bases}, {@code denials} and
   * {@code agreements}, each {@code /*.yaml}. A missing or empty subfolder is an empty part of the
   * pack.
   *
   * @throws ProblemsException with every problem found; nothing of a pack with a problem is used
   */
  public static PolicyPack read(Path policiesFolder) {
    return PackReader.read(policiesFolder);
  }

  /** SHA-256 over the names and bytes of the files read, 64 lower-case hexadecimal characters. */
  public String hash() {
    return hash;
  }

  public List<LegalBasis> legalBases() {
    return legalBases;
  }

  public List<Agreement> agreements() {
    return agreements;
  }

  /** How long the facts of a decision under this agreement are kept; empty when it does not say. */
  public Optional<Period> retention(@Nullable String agreement) {
    return agreement == null ? Optional.empty() : Optional.ofNullable(retentions.get(agreement));
  }

  public Vocabulary vocabulary() {
    return vocabulary;
  }

  /** Every version of every target group. */
  public List<TargetGroup> targetGroups() {
    return targetGroups;
  }

  /** The version of a target group that is in force on the Oslo day of the instant. */
  public Optional<TargetGroup> targetGroup(String id, Instant at) {
    Membership membership = memberships.get(id);
    return membership == null ? Optional.empty() : membership.inForce(at.getEpochSecond());
  }

  /**
   * The deadline that a contract refers to, as the version of its group in force on the Oslo day of
   * the instant has it; empty when none is in force.
   */
  public Optional<TargetGroup.Deadline> deadline(Contract.Deadline asked, Instant at) {
    return targetGroup(asked.group(), at).flatMap(group -> group.deadline(asked.rule()));
  }

  /** Of the group with this id; a pack that is read has every group that its entries name. */
  Membership membership(String id) {
    return Objects.requireNonNull(memberships.get(id), id);
  }

  public List<Denial> denials() {
    return denials;
  }

  /** Whom an agreement, in the version of that moment, names as receivers in an exchange. */
  public List<OrganisationNumber> receivers(String agreement, String exchange, Instant at) {
    long second = at.getEpochSecond();
    return agreements.stream()
        .filter(a -> a.id().equals(agreement))
        .filter(
            a -> {
              Days days = a.inEffect();
              return days != null && second >= days.firstSecond() && second < days.endSecond();
            })
        .flatMap(a -> a.clauses().stream())
        .filter(clause -> clause.exchange().equals(exchange))
        .map(Agreement.Clause::to)
        .distinct()
        .toList();
  }

  /** The basis that grounds name as {@code id@version}. */
  public Optional<LegalBasis> legalBasis(String reference) {
    return legalBases.stream().filter(b -> b.reference().equals(reference)).findFirst();
  }

  /** The agreement that grounds name as {@code id@version}. */
  public Optional<Agreement> agreement(String reference) {
    return agreements.stream().filter(a -> a.reference().equals(reference)).findFirst();
  }

  /**
   * The attributes of the input record that a decision in this exchange may ask for; nothing else
   * need be put into {@link Facts#attributes()}. The name {@code a/b} stands for the scalar at the
   * JSON pointer {@code /a/b}.
   */
  public Set<String> attributesNeeded(Contract contract) {
    Set<String> names = new TreeSet<>();
    for (LegalBasis basis : legalBases) {
      Condition condition = basis.condition();
      if (condition != null && basis.purposes().contains(contract.purpose())) {
        names.addAll(condition.attributes());
      }
    }
    return Set.copyOf(names);
  }

  /**
   * What clauses of agreements name that no contract has: an exchange, or a field of a view.
   *
   * @param unread exchanges that there are but whose contract cannot be read now; what is said of
   *     them is not judged
   */
  public List<Problem> danglingClauses(Collection<Contract> contracts, Set<String> unread) {
    return ContractChecks.ofClauses(vocabulary, placed, contracts, unread);
  }

  /**
   * What a contract names that the pack does not have: a purpose or category that is no word of the
   * vocabulary, a deadline that no target group sets. Its file is read again for the lines.
   *
   * @throws ProblemsException when the file cannot be read any more
   */
  public List<Problem> unknownTo(Contract contract) {
    return ContractChecks.ofContract(vocabulary, targetGroups, contract);
  }

  /** All of {@link #danglingClauses} and {@link #unknownTo}. */
  public List<Problem> danglingReferences(Collection<Contract> contracts) {
    List<Problem> problems = new ArrayList<>(danglingClauses(contracts, Set.of()));
    contracts.forEach(contract -> problems.addAll(unknownTo(contract)));
    problems.sort(PackReader.BY_PLACE);
    return List.copyOf(problems);
  }

  /**
   * May this view of a record leave, and on which basis? A pure function of the pack and its
   * arguments; never throws for what a sender can cause; any thread may call it. Costs about a
   * microsecond or less.
   *
   * <p>The order, as in NAV's access machine: <br>
   * 1. Sender and receiver are those of the contract; the exchange has a subject if it should.<br>
   * 2. A duty to report in force: it goes before a missing consent, a block and the agreement, and
   * waits for nothing but the signature of a named person. Past protection only when it says so.
   * <br>
   * 3. Protection: STRENGT_FORTROLIG (and UTLAND) is refused, FORTROLIG and shielding are held for
   * a person to decide. Only a basis marked {@code protectedPersons} goes past this; for
   * STRENGT_FORTROLIG without the {@code locating} fields.<br>
   * 4. The person's block, for this receiver and purpose. A block of some categories withholds
   * those.<br>
   * 5. The agreement in effect between the two for this exchange, and its target groups. Categories
   * it permits only in special cases wait for a signature.<br>
   * 6. For each category: a basis in force that needs no consent, or one whose consent is there,
   * given by whom the basis asks for. All fields allowed: release. Some: reduced. None: held when a
   * consent or a signature is missing or a consent has expired, refused when it was withdrawn; held
   * when a rule cannot be judged; else refused.
   *
   * <p>What the rules leave open, and the second guardian, two named people may settle ({@link
   * HumanAct.Kind#OVERRIDE}); that somebody has consented at all, nobody can settle.
   *
   * <p>"None" looks at what the message is <em>about</em>: REFERENCE fields, identifiers and the
   * categories IDENTITY, NAME and CONTACT go along with something, and are never by themselves a
   * reason to release, because that somebody is known to the sender is itself a fact (a patient
   * relation). A view with nothing else is about who.
   *
   * <p>When a basis lets the content go de-identified without the consent, and that says more than
   * what may be said by name, it goes de-identified.
   *
   * @param view one of the contract's: a recipient's, or the answer of a synchronous exchange
   * @param facts sender is whoever's information leaves: for an answer the organisation that was
   *     asked; in a matching exchange the counterpart whose list is compared
   */
  public Decision decide(Contract contract, Contract.View view, Facts facts) {
    if (!contract.id().equals(facts.exchange())) {
      return Plan.refuse(ReasonCode.UNKNOWN_EXCHANGE);
    }
    if (!contract.purpose().equals(facts.purpose())) {
      return Plan.refuse(ReasonCode.NO_BASIS);
    }
    PlanKey key = new PlanKey(contract, view, facts);
    Plan plan = plans.get(key);
    if (plan == null) {
      ReasonCode stranger = stranger(contract, view, facts);
      if (stranger != null) {
        return Plan.refuse(stranger);
      }
      if (plans.size() >= MAX_PLANS) {
        plans.clear();
      }
      plan = new Plan(contract, view, facts, this);
      plans.put(key, plan);
    }
    return plan.decide(facts);
  }

  /**
   * The decision with its whole reasoning, step by step; see {@link #decide}. Not for the hot path.
   */
  public Explanation explain(Contract contract, Contract.View view, Facts facts) {
    return Explanation.of(this, contract, view, facts, decide(contract, view, facts));
  }

  /** Why this view is not for these two; null when it is. Runs once per plan. */
  private static @Nullable ReasonCode stranger(Contract contract, Contract.View view, Facts facts) {
    if (view == contract.answer()) {
      boolean asked = isRecipient(contract, facts.sender(), facts.senderKind());
      if (!asked) {
        return ReasonCode.UNKNOWN_SENDER;
      }
      return isSender(contract, facts.receiver(), facts.receiverKind())
          ? null
          : ReasonCode.UNKNOWN_RECIPIENT;
    }
    if (!isSender(contract, facts.sender(), facts.senderKind())) {
      return ReasonCode.UNKNOWN_SENDER;
    }
    for (Contract.Recipient r : contract.to()) {
      boolean addressed =
          r.view() == view
              && r.organisation().equals(facts.receiver())
              && r.kind() == facts.receiverKind();
      if (addressed) {
        return null;
      }
    }
    return ReasonCode.UNKNOWN_RECIPIENT;
  }

  private static boolean isSender(
      Contract contract, OrganisationNumber organisation, AgencyKind kind) {
    return contract.from().stream()
        .anyMatch(s -> s.kind() == kind && s.organisations().contains(organisation));
  }

  private static boolean isRecipient(
      Contract contract, OrganisationNumber organisation, AgencyKind kind) {
    return contract.to().stream()
        .anyMatch(r -> r.kind() == kind && r.organisation().equals(organisation));
  }

  /** Contract and view count by identity: a reloaded contract gets new plans. */
  private static final class PlanKey {
    private final Contract contract;
    private final Contract.View view;
    private final OrganisationNumber sender;
    private final AgencyKind senderKind;
    private final OrganisationNumber receiver;
    private final AgencyKind receiverKind;

    PlanKey(Contract contract, Contract.View view, Facts facts) {
      this.contract = contract;
      this.view = view;
      this.sender = facts.sender();
      this.senderKind = facts.senderKind();
      this.receiver = facts.receiver();
      this.receiverKind = facts.receiverKind();
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof PlanKey k
          && contract == k.contract
          && view == k.view
          && senderKind == k.senderKind
          && receiverKind == k.receiverKind
          && sender.equals(k.sender)
          && receiver.equals(k.receiver);
    }

    @Override
    public int hashCode() {
      int hash = System.identityHashCode(view) * 31 + sender.value().hashCode();
      return hash * 31 + receiver.value().hashCode();
    }
  }
}
