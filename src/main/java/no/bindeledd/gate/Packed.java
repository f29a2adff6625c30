package no.bindeledd.gate;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import no.bindeledd.person.Vault;
import org.jspecify.annotations.Nullable;

/**
 * What leaves of a submission, encrypted for the tables: parcels of what goes the same way, and
 * rows of their own for the rest. Made on the thread of who submits. Immutable.
 *
 * @param alone by the message's place in the submission
 */
record Packed(List<Parcel> parcels, Map<Integer, Alone> alone) {
  /**
   * A message that has a row of its own.
   *
   * @param facts what the rules may ask for again
   */
  record Alone(byte @Nullable [] facts, byte[] payload) {
    static Alone seal(Vault vault, Outgoing message) {
      return new Alone(
          RecordFacts.of(message).map(facts -> vault.seal(facts, message.key())).orElse(null),
          vault.seal(message.payload(), message.key()));
    }
  }

  static Packed of(Vault vault, List<Envelope> envelopes) {
    Map<Deliverers.Way, List<Integer>> ways = new LinkedHashMap<>();
    for (int place = 0; place < envelopes.size(); place++) {
      Envelope.Release release = envelopes.get(place).outgoing();
      if (release != null) {
        Outgoing message = release.message();
        ways.computeIfAbsent(
                new Deliverers.Way(message.exchange(), message.recipient()),
                way -> new ArrayList<>())
            .add(place);
      }
    }
    List<Parcel> parcels = new ArrayList<>();
    Map<Integer, Alone> alone = new HashMap<>();
    for (List<Integer> places : ways.values()) {
      for (int from = 0; from < places.size(); from += Parcel.MOST) {
        List<Integer> some = places.subList(from, Math.min(places.size(), from + Parcel.MOST));
        if (some.size() < Parcel.LEAST) {
          some.forEach(place -> alone.put(place, Alone.seal(vault, message(envelopes, place))));
        } else {
          parcels.add(
              Parcel.seal(
                  vault,
                  some.stream().map(place -> message(envelopes, place)).toList(),
                  some.stream().mapToInt(Integer::intValue).toArray()));
        }
      }
    }
    return new Packed(parcels, alone);
  }

  private static Outgoing message(List<Envelope> envelopes, int place) {
    return Objects.requireNonNull(envelopes.get(place).outgoing()).message();
  }
}
