package no.bindeledd.hub;

import java.util.Collection;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.Text;
import no.bindeledd.mapping.CodeLists;
import no.bindeledd.policy.PolicyPack;
import no.bindeledd.reading.Glossary;

/**
 * The words of an installation's folders for those who read its audit trail. Names of organisations
 * come from the code list {@code organisations} (columns {@code code}, {@code nb}, {@code en}).
 */
public final class AuditWords {
  private static final String ORGANISATIONS = "organisations";

  private AuditWords() {}

  /** Reads the list of organisations afresh. */
  public static Glossary glossary(
      ExchangeFolders folders, PolicyPack pack, Collection<Contract> contracts) {
    CodeLists lists = folders.codeLists();
    return new Glossary(
        pack,
        contracts,
        number -> {
          String nb = lists.text(ORGANISATIONS, number, "nb");
          String en = lists.text(ORGANISATIONS, number, "en");
          return nb == null ? null : new Text(nb, en == null ? nb : en);
        });
  }
}
