package no.bindeledd.gate;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import no.bindeledd.exchange.Problem;

/** What is wrong with one route file, each thing once. Belongs to one thread. */
final class RouteFindings {
  private final Path file;
  private final List<Problem> problems = new ArrayList<>();

  RouteFindings(Path file) {
    this.file = file;
  }

  void add(int line, String what, String remedy) {
    add(new Problem(file, line, what, remedy));
  }

  /** Something wrong in another file that this one depends on. */
  void add(Problem problem) {
    if (!problems.contains(problem)) {
      problems.add(problem);
    }
  }

  boolean none() {
    return problems.isEmpty();
  }

  /** By line. */
  List<Problem> sorted() {
    return problems.stream().sorted(Comparator.comparingInt(Problem::line)).toList();
  }
}
