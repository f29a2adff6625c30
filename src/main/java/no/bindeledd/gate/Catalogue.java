package no.bindeledd.gate;

import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import no.bindeledd.policy.PolicyPack;

/**
 * The exchanges and the rule pack in force now. A message is judged from first to last by one
 * {@link Edition}. Thread-safe.
 */
public final class Catalogue {
  /** What held at one moment. Immutable. */
  public record Edition(Map<String, LiveExchange> exchanges, PolicyPack pack) {
    public Edition {
      exchanges = Map.copyOf(exchanges);
    }

    public Optional<LiveExchange> exchange(String id) {
      return Optional.ofNullable(exchanges.get(id));
    }
  }

  private volatile Edition current;

  public Catalogue(Edition first) {
    this.current = first;
  }

  public Edition current() {
    return current;
  }

  /** The recipient's organisation number; its name when the contract does not have it any more. */
  public String receiver(String exchange, String recipient) {
    return current
        .exchange(exchange)
        .flatMap(live -> live.contract().recipient(recipient))
        .map(found -> found.organisation().value())
        .orElse(recipient);
  }

  public synchronized void change(UnaryOperator<Edition> to) {
    current = to.apply(current);
  }
}
