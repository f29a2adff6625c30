package no.bindeledd.gate;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import no.bindeledd.gate.DecidedFacts.Decided;
import no.bindeledd.policy.Decision;
import no.bindeledd.policy.RandomCases.Case;
import no.bindeledd.policy.RandomCases.Cases;

/** What is kept of a decision is all that it was made on. */
class RecordedFactsLawsTest {
  @Property(edgeCases = EdgeCasesMode.NONE, tries = 1000)
  void aDecisionIsAPureFunctionOfItsRecordedFacts(@ForAll(supplier = Cases.class) Case one) {
    Decision first = one.decide();
    Decided decided =
        new Decided(
            one.facts(),
            one.to(),
            first.outcome(),
            first.grounds().reason(),
            first.withheldFields());

    Decided read = DecidedFacts.read(DecidedFacts.write(List.of(decided))).getFirst();

    assertThat(one.with(read.facts()).decide()).isEqualTo(first);
    assertThat(read.outcome()).isEqualTo(first.outcome());
    assertThat(read.reason()).isEqualTo(first.grounds().reason());
    assertThat(read.withheld()).isEqualTo(first.withheldFields());
    assertThat(read.view()).isEqualTo(one.to());
  }
}
