package no.bindeledd.e2e;

import java.time.LocalDate;
import java.util.Iterator;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import no.bindeledd.demo.Person;
import no.bindeledd.demo.Population;

/**
 * A synthetic young person for one test. Number and name are its own and stand nowhere else, so
 * that whatever holds one of them holds something about this person.
 */
record Youth(String number, String given, String family, LocalDate birthDate) {
  /** Every name begins so, and nothing else does. */
  static final String CANARY = "Kanari";

  private static final Queue<Youth> MET = new ConcurrentLinkedQueue<>();
  private static final Iterator<Person> POOL =
      Population.of(20_261_122, 6_000).people().stream()
          .filter(p -> p.birthDate().getYear() >= 2004 && p.birthDate().getYear() <= 2008)
          .filter(p -> !p.protection().any())
          // A wrong number of these would look like a stand-in.
          .filter(p -> !p.identityNumber().startsWith("99", 6))
          .iterator();

  /** Somebody whom no test has met before. */
  static Youth next() {
    synchronized (POOL) {
      Person person = POOL.next();
      String own = letters(MET.size());
      Youth youth =
          new Youth(
              person.identityNumber(),
              CANARY + "fugl" + own,
              CANARY + "søn" + own,
              person.birthDate());
      MET.add(youth);
      return youth;
    }
  }

  /** Everybody that any test has met so far. */
  static List<Youth> met() {
    return List.copyOf(MET);
  }

  /** The number with a wrong last control digit. */
  String wrongNumber() {
    return number.substring(0, 10) + (number.charAt(10) - '0' + 5) % 10;
  }

  private static String letters(int serial) {
    StringBuilder own = new StringBuilder();
    for (int rest = serial + 26; rest > 0; rest /= 26) {
      own.append((char) ('a' + rest % 26));
    }
    return own.toString();
  }

  @Override
  public String toString() {
    return "Youth[***]";
  }
}
