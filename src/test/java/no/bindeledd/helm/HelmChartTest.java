package no.bindeledd.helm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.marcnuri.helm.Helm;
import com.marcnuri.helm.LintResult;
import com.marcnuri.helm.TemplateCommand;
import io.kubernetes.client.openapi.models.V1ConfigMapProjection;
import io.kubernetes.client.openapi.models.V1Container;
import io.kubernetes.client.openapi.models.V1ContainerPort;
import io.kubernetes.client.openapi.models.V1EnvVar;
import io.kubernetes.client.openapi.models.V1KeyToPath;
import io.kubernetes.client.openapi.models.V1NetworkPolicy;
import io.kubernetes.client.openapi.models.V1NetworkPolicyEgressRule;
import io.kubernetes.client.openapi.models.V1NetworkPolicyIngressRule;
import io.kubernetes.client.openapi.models.V1PersistentVolumeClaim;
import io.kubernetes.client.openapi.models.V1PodDisruptionBudget;
import io.kubernetes.client.openapi.models.V1Service;
import io.kubernetes.client.openapi.models.V1ServiceAccount;
import io.kubernetes.client.openapi.models.V1StatefulSet;
import io.kubernetes.client.openapi.models.V1Volume;
import io.kubernetes.client.openapi.models.V1VolumeMount;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Renders the chart with every file of {@code helm/bindeledd/ci}. */
class HelmChartTest {
  private static final int MODE_0440 = 0440;

  /** Kubernetes' own limit for all of a ConfigMap. */
  private static final int CONFIG_MAP_BYTES = 1024 * 1024;

  @TempDir private static Path temporary;
  private static Chart chart;

  @BeforeAll
  static void copy() throws IOException {
    chart = Chart.copiedTo(temporary.resolve("bindeledd"));
  }

  static List<String> values() throws IOException {
    try (Stream<Path> files = Files.list(Chart.SOURCE.resolve("ci"))) {
      return files
          .map(file -> file.getFileName().toString().replace("-values.yaml", ""))
          .sorted()
          .toList();
    }
  }

  @Test
  void theChartLints() {
    LintResult result = new Helm(Chart.SOURCE).lint().strict().call();
    assertThat(result.isFailed()).as("%s", result.getMessages()).isFalse();
  }

  @ParameterizedTest
  @MethodSource("values")
  void everyManifestHasOnlyFieldsThatKubernetesKnowsInTheirTypes(String values) {
    Chart.Rendered rendered = chart.render(values);
    assertThat(rendered.manifests()).isNotEmpty();
    for (Chart.Manifest manifest : rendered.manifests()) {
      assertThat(manifest.again())
          .as(manifest.kind())
          .isEqualTo(Chart.Manifest.withoutEmpty(manifest.json()));
    }
  }

  @ParameterizedTest
  @MethodSource("values")
  void noManifestHoldsASecret(String values) {
    Chart.Rendered rendered = chart.render(values);
    assertThat(rendered.manifests()).noneMatch(manifest -> manifest.kind().equals("v1 Secret"));
    assertThat(rendered.hub().getEnv())
        .filteredOn(
            variable ->
                !Set.of("JAVA_TOOL_OPTIONS", "BINDELEDD_SHARD").contains(variable.getName()))
        .isNotEmpty()
        .allSatisfy(
            variable -> {
              assertThat(variable.getValue()).isNull();
              assertThat(variable.getValueFrom().getSecretKeyRef().getName()).isNotEmpty();
            });
    assertThat(rendered.data("bindeledd-settings").get("application.yaml"))
        .doesNotContainIgnoringCase("password");
  }

  @ParameterizedTest
  @MethodSource("values")
  void secretsAreMountedReadOnlyAndOnlyForTheHubsGroup(String values) {
    Chart.Rendered rendered = chart.render(values);
    Map<String, V1Volume> volumes = volumes(rendered);
    assertThat(volumes.values())
        .filteredOn(volume -> volume.getSecret() != null)
        .isNotEmpty()
        .allSatisfy(volume -> assertThat(volume.getSecret().getDefaultMode()).isEqualTo(MODE_0440));
    assertThat(rendered.hub().getVolumeMounts())
        .filteredOn(mount -> volumes.containsKey(mount.getName()))
        .filteredOn(mount -> volumes.get(mount.getName()).getSecret() != null)
        .allMatch(mount -> Boolean.TRUE.equals(mount.getReadOnly()));
    assertThat(rendered.pod().getSecurityContext().getFsGroup())
        .isEqualTo(rendered.pod().getSecurityContext().getRunAsGroup());
  }

  @ParameterizedTest
  @MethodSource("values")
  void theProcessMayDoNothingItDoesNotNeed(String values) {
    Chart.Rendered rendered = chart.render(values);
    var container = rendered.hub().getSecurityContext();
    assertThat(container.getReadOnlyRootFilesystem()).isTrue();
    assertThat(container.getAllowPrivilegeEscalation()).isFalse();
    assertThat(container.getCapabilities().getDrop()).containsExactly("ALL");
    var pod = rendered.pod();
    assertThat(pod.getSecurityContext().getRunAsNonRoot()).isTrue();
    assertThat(pod.getSecurityContext().getSeccompProfile().getType()).isEqualTo("RuntimeDefault");
    assertThat(pod.getAutomountServiceAccountToken()).isFalse();
    V1ServiceAccount account = rendered.only(V1ServiceAccount.class);
    assertThat(account.getAutomountServiceAccountToken()).isFalse();
    assertThat(pod.getServiceAccountName()).isEqualTo(account.getMetadata().getName());
  }

  @ParameterizedTest
  @MethodSource("values")
  void probesAskWhatTheyAreFor(String values) {
    V1Container hub = chart.render(values).hub();
    assertThat(hub.getStartupProbe().getHttpGet().getPath()).isEqualTo("/actuator/health/liveness");
    assertThat(hub.getLivenessProbe().getHttpGet().getPath())
        .isEqualTo("/actuator/health/liveness");
    assertThat(hub.getReadinessProbe().getHttpGet().getPath())
        .isEqualTo("/actuator/health/readiness");
    assertThat(
            Stream.of(hub.getStartupProbe(), hub.getLivenessProbe(), hub.getReadinessProbe())
                .map(probe -> probe.getHttpGet().getPort().getStrValue()))
        .containsOnly("http");
  }

  @ParameterizedTest
  @MethodSource("values")
  void eachInstanceWritesALogOfItsOwn(String values) {
    Chart.Rendered rendered = chart.render(values);
    V1StatefulSet instances = rendered.only(V1StatefulSet.class);
    assertThat(rendered.hub().getEnv())
        .filteredOn(variable -> variable.getName().equals("BINDELEDD_SHARD"))
        .singleElement()
        .satisfies(
            variable ->
                assertThat(variable.getValueFrom().getFieldRef().getFieldPath())
                    .isEqualTo("metadata.labels['apps.kubernetes.io/pod-index']"));
    for (int number = 0; number < instances.getSpec().getReplicas(); number++) {
      String key = number == 0 ? "log.key" : "log-" + number + ".key";
      assertThat(rendered.hub().getVolumeMounts())
          .anyMatch(mount -> key.equals(mount.getSubPath()));
    }
    Map<String, String> labels = instances.getSpec().getTemplate().getMetadata().getLabels();
    assertThat(labels)
        .containsAllEntriesOf(
            rendered.only(V1PodDisruptionBudget.class).getSpec().getSelector().getMatchLabels())
        .containsAllEntriesOf(instances.getSpec().getSelector().getMatchLabels())
        .containsAllEntriesOf(rendered.only(V1Service.class).getSpec().getSelector());
  }

  @ParameterizedTest
  @MethodSource("values")
  void everyNameThatIsUsedIsDefined(String values) {
    Chart.Rendered rendered = chart.render(values);
    Set<String> volumes = new TreeSet<>(volumes(rendered).keySet());
    claims(rendered).forEach(claim -> volumes.add(claim.getMetadata().getName()));
    assertThat(rendered.hub().getVolumeMounts())
        .extracting(V1VolumeMount::getName)
        .hasSameElementsAs(volumes);
    assertThat(rendered.hub().getVolumeMounts())
        .extracting(V1VolumeMount::getMountPath)
        .doesNotHaveDuplicates();
    assertThat(rendered.hub().getEnv()).extracting(V1EnvVar::getName).doesNotHaveDuplicates();
    Set<String> ports = ports(rendered);
    assertThat(rendered.only(V1Service.class).getSpec().getPorts())
        .extracting(port -> port.getTargetPort().getStrValue())
        .hasSameElementsAs(ports);
  }

  @ParameterizedTest
  @MethodSource("values")
  void theNetworkIsShutButForWhatIsListed(String values) {
    Chart.Rendered rendered = chart.render(values);
    V1NetworkPolicy policy = rendered.only(V1NetworkPolicy.class);
    assertThat(policy.getSpec().getPolicyTypes()).containsExactly("Ingress", "Egress");
    assertThat(rendered.only(V1StatefulSet.class).getSpec().getTemplate().getMetadata().getLabels())
        .containsAllEntriesOf(policy.getSpec().getPodSelector().getMatchLabels());
    List<V1NetworkPolicyIngressRule> in = policy.getSpec().getIngress();
    assertThat(in == null ? List.<V1NetworkPolicyIngressRule>of() : in)
        .allSatisfy(
            rule -> {
              assertThat(rule.getFrom()).isNotEmpty();
              assertThat(rule.getPorts())
                  .isNotEmpty()
                  .allMatch(port -> ports(rendered).contains(port.getPort().getStrValue()));
            });
    List<V1NetworkPolicyEgressRule> out = policy.getSpec().getEgress();
    assertThat(out)
        .allSatisfy(
            rule -> {
              assertThat(rule.getTo()).isNotEmpty();
              assertThat(rule.getPorts()).isNotEmpty().allMatch(port -> port.getPort() != null);
            });
  }

  @Test
  void whatIsListedGetsThrough() {
    V1NetworkPolicy policy = chart.render("production").only(V1NetworkPolicy.class);
    assertThat(policy.getSpec().getIngress())
        .extracting(rule -> rule.getPorts().getFirst().getPort().getStrValue())
        .containsExactly("http", "mllp");
    assertThat(policy.getSpec().getEgress())
        .extracting(
            rule -> rule.getPorts().stream().map(port -> port.getPort().getIntValue()).toList())
        .containsExactly(
            List.of(53, 53), List.of(5432), List.of(9093), List.of(22), List.of(443, 8443));
  }

  @Test
  void anEmptyListOfCallersLetsNobodyIn() {
    assertThat(chart.render("smallest").only(V1NetworkPolicy.class).getSpec().getIngress())
        .isNullOrEmpty();
    assertThat(chart.render("stopped").only(V1NetworkPolicy.class).getSpec().getIngress())
        .isNullOrEmpty();
  }

  @Test
  void settingsReachTheHub() {
    Chart.Rendered rendered = chart.render("production");
    assertThat(rendered.data("bindeledd-settings").get("application.yaml"))
        .contains("origin: hub.example.no/1")
        .contains("secrets: /var/lib/bindeledd")
        .contains("numbers: REAL_ONLY")
        .contains("audience: https://hub.example.no")
        .contains("brokers: kafka-0.example.no:9093,kafka-1.example.no:9093")
        .contains("security-protocol: SASL_SSL")
        .contains("url: jdbc:postgresql://db.example.no:5432/bindeledd?sslmode=verify-full")
        .contains("port: 2575")
        .contains("sftp: sftp.skole.example.no:22");
    assertThat(rendered.hub().getArgs())
        .containsExactly(
            "run",
            "--home",
            "/var/lib/bindeledd-home",
            "--config",
            "/etc/bindeledd/application.yaml");
    assertThat(rendered.hub().getEnv())
        .extracting(V1EnvVar::getName)
        .containsExactly(
            "JAVA_TOOL_OPTIONS",
            "BINDELEDD_SHARD",
            "SPRING_DATASOURCE_USERNAME",
            "SPRING_DATASOURCE_PASSWORD",
            "CAMEL_COMPONENT_KAFKA_SASLJAASCONFIG",
            "PEERS_SCHOOL_PASSWORD");
    assertThat(rendered.hub().getEnv().getFirst().getValue()).startsWith("-Xmx512m ");
    assertThat(rendered.hub().getImage()).startsWith("registry.example.no/bindeledd:0.1.0@sha256:");
  }

  @Test
  void aHomeInTheChartArrivesByteForByteWithoutItsSamples() throws IOException {
    Chart.Rendered rendered = chart.render("stopped");
    Map<String, String> mounted = new HashMap<>();
    for (var source : volumes(rendered).get("config").getProjected().getSources()) {
      V1ConfigMapProjection projection = source.getConfigMap();
      Map<String, String> data = rendered.data(projection.getName());
      assertThat(
              data.entrySet().stream()
                  .mapToInt(
                      entry ->
                          entry.getKey().length()
                              + entry.getValue().getBytes(StandardCharsets.UTF_8).length)
                  .sum())
          .as(projection.getName())
          .isLessThan(CONFIG_MAP_BYTES);
      if (projection.getItems() != null) {
        for (V1KeyToPath item : projection.getItems()) {
          mounted.put(item.getPath(), data.get(item.getKey()));
        }
      }
    }
    Map<String, String> expected = new HashMap<>();
    for (String folder : List.of("routes", "mappings", "policies")) {
      try (Stream<Path> files = Files.walk(Path.of(folder))) {
        for (Path file : (Iterable<Path>) files.filter(Files::isRegularFile)::iterator) {
          if (!file.toString().contains("/samples/")) {
            expected.put("home/" + file, Files.readString(file));
          }
        }
      }
    }
    assertThat(mounted).isEqualTo(expected);
    assertThat(rendered.hub().getArgs()).contains("/etc/bindeledd/home");
  }

  @Test
  void theMemoryOfTheLogOutlivesTheRelease() {
    for (String values : List.of("smallest", "several")) {
      Chart.Rendered rendered = chart.render(values);
      assertThat(claims(rendered)).hasSize(1);
      var kept =
          rendered.only(V1StatefulSet.class).getSpec().getPersistentVolumeClaimRetentionPolicy();
      assertThat(kept.getWhenDeleted()).isEqualTo("Retain");
      assertThat(kept.getWhenScaled()).isEqualTo("Retain");
    }
    assertThat(claims(chart.render("production"))).isEmpty();
  }

  @Test
  void severalInstancesDoNotShareTheMemoryOfOneLog() {
    TemplateCommand command = chart.template("production").set("replicas", "2");
    assertThatThrownBy(command::call).hasMessageContaining("state.existingClaim");
  }

  private static List<V1PersistentVolumeClaim> claims(Chart.Rendered rendered) {
    var claims = rendered.only(V1StatefulSet.class).getSpec().getVolumeClaimTemplates();
    return claims == null ? List.of() : claims;
  }

  @ParameterizedTest(name = "{0}={1}")
  @CsvSource(
      delimiter = '|',
      value = {
        "replicas                      | 17                              | replicas",
        "replica                       | 1                               | replica",
        "origin                        | my hub                          | origin",
        "origin                        | ''                              | origin: give",
        "heap                          | lots                            | heap",
        "mllp.port                     | 70000                           | mllp",
        "mllp.enabled                  | perhaps                         | mllp",
        "image.pullPolicy              | Sometimes                       | pullPolicy",
        "service.type                  | Public                          | type",
        "database.url                  | mysql://db/x                    | url",
        "database.url                  | jdbc:postgresql://db/x?password=y | url",
        "database.url                  | ''                              | database.url: give",
        "database.password             | x                               | password",
        "database.existingSecret       | ''                              | database.existingSecret",
        "kafka.brokers                 | kafka                           | brokers",
        "kafka.brokers                 | ''                              | kafka.brokers: give",
        "kafka.saslMechanism           | NONE                            | saslMechanism",
        "secrets.existingSecret        | ''                              | secrets.existingSecret",
        "secrets.files[0]              | ../x                            | files",
        "state.size                    | big                             | size",
        "home.chart                    | nowhere                         | nowhere/routes",
        "settings.bindeledd.numbers    | ALL                             | numbers",
        "settings.bindeledd.tokens.issuer | x                            | tokens",
        "settings.peers.school.password | hunter2                        | secretSettings",
        "secretSettings[0].setting     | x                               | secretSettings",
        "networkPolicy.http.from[0].cidr | 10.0.0.0/8                    | from",
        "networkPolicy.database.to     | null                            | networkPolicy.database.to",
        "networkPolicy.peers[0].name   | nav                             | peers",
      })
  void nonsenseIsRefusedByName(String key, String value, String told) {
    TemplateCommand command = chart.template("smallest").set(key, value);
    assertThatThrownBy(command::call).hasMessageContaining(told);
  }

  private static Map<String, V1Volume> volumes(Chart.Rendered rendered) {
    return rendered.pod().getVolumes().stream()
        .collect(Collectors.toMap(V1Volume::getName, volume -> volume));
  }

  private static Set<String> ports(Chart.Rendered rendered) {
    return rendered.hub().getPorts().stream()
        .map(V1ContainerPort::getName)
        .collect(Collectors.toCollection(TreeSet::new));
  }
}
