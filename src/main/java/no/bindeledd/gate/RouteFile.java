package no.bindeledd.gate;

import java.nio.file.Path;

/**
 * A route file that the linter has proved harmless, with the very bytes that it proved. Only {@link
 * RouteLinter} makes one, and {@link RouteFolders} loads these bytes and not the file again, so
 * that nothing can change between proof and start. Immutable.
 */
public final class RouteFile {
  private final Path path;
  private final String exchange;
  private final Direction direction;
  private final String party;
  private final String routeId;
  private final String text;

  /** Which way records flow on a route. */
  public enum Direction {
    /** From an outside channel into the gate. */
    RECEIVING,
    /** From the gate to a recipient's address. */
    DELIVERING
  }

  RouteFile(
      Path path, String exchange, Direction direction, String party, String routeId, String text) {
    this.path = path;
    this.exchange = exchange;
    this.direction = direction;
    this.party = party;
    this.routeId = routeId;
    this.text = text;
  }

  public Path path() {
    return path;
  }

  /** The id of the exchange the route belongs to. */
  public String exchange() {
    return exchange;
  }

  public Direction direction() {
    return direction;
  }

  /** The contract's name for the sender (receiving) or the recipient (delivering). */
  public String party() {
    return party;
  }

  public String routeId() {
    return routeId;
  }

  /** The file's content as it was proved. Routes hold no personal data. */
  String text() {
    return text;
  }

  @Override
  public String toString() {
    return routeId + " (" + path + ")";
  }
}
