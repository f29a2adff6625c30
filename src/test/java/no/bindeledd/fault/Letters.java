package no.bindeledd.fault;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import no.bindeledd.demo.Person;
import no.bindeledd.demo.Population;
import no.bindeledd.exchange.InputFormat;
import no.bindeledd.gate.Gate;

/** Messages made of the samples, about synthetic people. */
public final class Letters {
  public static final String EVENT = "measure-event";
  public static final String REFERRAL = "ips-referral";

  private static final String EVENT_SAMPLE =
      sample("routes/measure-event/samples/started-with-consent/input.json");
  private static final String REFERRAL_SAMPLE =
      sample("routes/ips-referral/samples/with-consent/input.hl7");
  private static final List<String> NUMBERS =
      Population.of(5, 400).people().stream().map(Person::identityNumber).toList();

  private Letters() {}

  /** The identity number of a person, from 0 to 399. */
  public static String number(int person) {
    return NUMBERS.get(person);
  }

  /** A measure event; no two numbers give the same content. */
  public static Gate.Arrival event(int person, int number) {
    String body =
        EVENT_SAMPLE
            .replace("27860858520", number(person))
            .replace(
                "7f0b6c1e-3c0e-4d8e-9a45-1d0a6f0c9b11",
                "7f0b6c1e-3c0e-4d8e-9a45-%012d".formatted(number));
    return arrival(body, "event-" + number);
  }

  /** Measure events about people in turn. */
  public static List<Gate.Arrival> events(int people, int from, int to) {
    List<Gate.Arrival> events = new ArrayList<>();
    for (int i = from; i < to; i++) {
      events.add(event(i % people, i));
    }
    return events;
  }

  /** A referral, which needs the patient's consent. */
  public static Gate.Arrival referral(int person, int number) {
    String body =
        REFERRAL_SAMPLE
            .replace("30890665825", number(person))
            .replace("IPS-2026-000031", "IPS-2026-%06d".formatted(number));
    return arrival(body, null);
  }

  private static Gate.Arrival arrival(String body, String messageId) {
    return new Gate.Arrival(
        new InputFormat.Raw(body.getBytes(StandardCharsets.UTF_8), null, messageId), null);
  }

  private static String sample(String path) {
    try {
      return Files.readString(Path.of(path));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
