package no.bindeledd.gate;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/** Which ways out are open now. Routes attach when they start and detach when they stop. */
public final class Deliverers {
  /** One way out. */
  public record Way(String exchange, String recipient) {}

  private final Map<Way, Deliverer> open = new ConcurrentHashMap<>();
  private final List<Consumer<Way>> listeners = new CopyOnWriteArrayList<>();

  public void attach(Way way, Deliverer deliverer) {
    open.put(way, deliverer);
    listeners.forEach(listener -> listener.accept(way));
  }

  public void detach(Way way, Deliverer deliverer) {
    open.remove(way, deliverer);
  }

  public Optional<Deliverer> of(Way way) {
    return Optional.ofNullable(open.get(way));
  }

  /** Called with each way that opens, on the thread that starts the route. */
  public void onOpen(Consumer<Way> listener) {
    listeners.add(listener);
    open.keySet().forEach(listener);
  }
}
