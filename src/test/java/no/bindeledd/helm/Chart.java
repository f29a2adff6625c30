package no.bindeledd.helm;

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.marcnuri.helm.Helm;
import com.marcnuri.helm.TemplateCommand;
import io.kubernetes.client.openapi.JSON;
import io.kubernetes.client.openapi.models.V1ConfigMap;
import io.kubernetes.client.openapi.models.V1Container;
import io.kubernetes.client.openapi.models.V1NetworkPolicy;
import io.kubernetes.client.openapi.models.V1PodDisruptionBudget;
import io.kubernetes.client.openapi.models.V1PodSpec;
import io.kubernetes.client.openapi.models.V1Service;
import io.kubernetes.client.openapi.models.V1ServiceAccount;
import io.kubernetes.client.openapi.models.V1StatefulSet;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/** The chart in {@code helm/bindeledd}, with the project's own exchanges as its home folder. */
record Chart(Path folder) {
  static final Path SOURCE = Path.of("helm/bindeledd");

  private static final Map<String, Class<?>> KINDS =
      Map.of(
          "apps/v1 StatefulSet", V1StatefulSet.class,
          "networking.k8s.io/v1 NetworkPolicy", V1NetworkPolicy.class,
          "policy/v1 PodDisruptionBudget", V1PodDisruptionBudget.class,
          "v1 ConfigMap", V1ConfigMap.class,
          "v1 Service", V1Service.class,
          "v1 ServiceAccount", V1ServiceAccount.class);

  /** A copy under the folder, as an engineer prepares it for {@code home.chart}. */
  static Chart copiedTo(Path folder) throws IOException {
    copy(SOURCE, folder);
    for (String part : List.of("routes", "mappings", "policies")) {
      copy(Path.of(part), folder.resolve("home").resolve(part));
    }
    return new Chart(folder);
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        Path target = to.resolve(from.relativize(file).toString());
        if (Files.isDirectory(file)) {
          Files.createDirectories(target);
        } else {
          Files.copy(file, target);
        }
      }
    }
  }

  Path values(String name) {
    return SOURCE.resolve("ci").resolve(name + "-values.yaml");
  }

  TemplateCommand template(String values) {
    return new Helm(folder)
        .template()
        .withName("bindeledd")
        .withNamespace("youth")
        .withKubeVersion("1.30.0")
        .withValuesFile(values(values));
  }

  /** What would be sent to Kubernetes. */
  Rendered render(String values) {
    String text = template(values).call();
    List<Manifest> manifests = new ArrayList<>();
    for (Object document : new Yaml(new SafeConstructor(new LoaderOptions())).loadAll(text)) {
      if (document instanceof Map<?, ?> fields) {
        manifests.add(
            new Manifest(
                fields.get("apiVersion") + " " + fields.get("kind"),
                JsonParser.parseString(new Gson().toJson(document))));
      }
    }
    return new Rendered(text, manifests);
  }

  record Manifest(String kind, JsonElement json) {
    /**
     * The object as the Kubernetes API types it.
     *
     * @throws IllegalArgumentException when it has an unknown field or lacks a required one
     */
    Object typed() {
      return JSON.deserialize(
          json.toString(), Objects.requireNonNull(KINDS.get(kind), () -> "unexpected " + kind));
    }

    /** Written again from its types: a number given as text, or a lost field, shows. */
    JsonElement again() {
      return withoutEmpty(JsonParser.parseString(JSON.serialize(typed())));
    }

    /** The types write a list that is not there as an empty one. */
    static JsonElement withoutEmpty(JsonElement element) {
      if (element instanceof JsonArray array) {
        JsonArray kept = new JsonArray();
        array.forEach(item -> kept.add(withoutEmpty(item)));
        return kept;
      }
      if (element instanceof JsonObject object) {
        JsonObject kept = new JsonObject();
        object.entrySet().stream()
            .map(field -> Map.entry(field.getKey(), withoutEmpty(field.getValue())))
            .filter(field -> !isEmpty(field.getValue()))
            .forEach(field -> kept.add(field.getKey(), field.getValue()));
        return kept;
      }
      return element;
    }

    private static boolean isEmpty(JsonElement element) {
      return (element instanceof JsonArray array && array.isEmpty())
          || (element instanceof JsonObject object && object.isEmpty());
    }
  }

  record Rendered(String text, List<Manifest> manifests) {
    <T> List<T> all(Class<T> type) {
      return manifests.stream()
          .map(Manifest::typed)
          .filter(type::isInstance)
          .map(type::cast)
          .toList();
    }

    <T> T only(Class<T> type) {
      List<T> all = all(type);
      if (all.size() != 1) {
        throw new AssertionError(all.size() + " of " + type.getSimpleName());
      }
      return all.getFirst();
    }

    V1PodSpec pod() {
      return Objects.requireNonNull(only(V1StatefulSet.class).getSpec().getTemplate().getSpec());
    }

    V1Container hub() {
      return pod().getContainers().getFirst();
    }

    /** The {@code data} of the ConfigMap with this name. */
    Map<String, String> data(String name) {
      return all(V1ConfigMap.class).stream()
          .filter(map -> name.equals(map.getMetadata().getName()))
          .map(V1ConfigMap::getData)
          .findFirst()
          .orElseThrow(() -> new AssertionError("no ConfigMap " + name));
    }
  }
}
