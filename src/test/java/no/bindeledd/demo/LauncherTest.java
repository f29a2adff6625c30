package no.bindeledd.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The script {@code bindeledd}, in a copy of the project's layout with stand-ins for java and mvn.
 */
class LauncherTest {
  private final Path root;
  private final Path home;
  private final Path programs;

  private record Outcome(int code, String out, String err) {}

  LauncherTest(@TempDir Path root) throws IOException {
    this.root = root.toRealPath();
    home = Files.createDirectories(this.root.resolve("the project"));
    programs = Files.createDirectories(this.root.resolve("programs"));
    Files.copy(Path.of("bindeledd"), home.resolve("bindeledd"));
    Files.createDirectories(home.resolve("src/main/java"));
    Files.writeString(home.resolve("pom.xml"), "<project/>");
    program(
        programs.resolve("mvn"),
        "mkdir -p target/lib; echo jar > target/bindeledd.jar; echo \"built $*\"");
    jdk(root.resolve("jvm/old"), "17.0.15");
  }

  @Test
  void it_builds_on_first_use_and_after_a_change_and_otherwise_starts_at_once() throws Exception {
    jdk(root.resolve("jvm/new"), "25.0.1");

    Outcome first = run("demo", "--once");
    assertThat(first.code()).isZero();
    assertThat(first.err()).contains("built -q -B -DskipTests -Dspotless.check.skip=true package");
    assertThat(first.out())
        .contains("java-25.0.1")
        .contains("-Dbindeledd.project=" + home)
        .contains("-cp " + home + "/target/bindeledd.jar:" + home + "/target/lib/*")
        .endsWith("no.bindeledd.cli.Bindeledd demo --once\n");

    assertThat(run("run").err()).doesNotContain("built");

    Path source = Files.writeString(home.resolve("src/main/java/New.java"), "class New {}");
    Files.setLastModifiedTime(source, FileTime.from(Instant.now().plusSeconds(2)));
    assertThat(run("run").err()).contains("built");
  }

  @Test
  void the_hub_keeps_within_its_heap() throws Exception {
    jdk(root.resolve("jvm/new"), "25.0.1");
    assertThat(run("run").out()).contains(" -Xmx512m ");
    assertThat(run("validate").out()).contains(" -Xmx256m ");
  }

  @Test
  void it_works_through_a_symbolic_link_and_from_any_folder() throws Exception {
    jdk(root.resolve("jvm/new"), "26");
    Path link = Files.createSymbolicLink(root.resolve("link"), home.resolve("bindeledd"));
    Outcome outcome = start(link, root, "run");
    assertThat(outcome.out()).contains("-Dbindeledd.project=" + home);
  }

  @Test
  void java_home_goes_first_when_it_is_new_enough() throws Exception {
    jdk(root.resolve("jvm/new"), "25.0.1");
    jdk(root.resolve("mine"), "27-ea");
    assertThat(run(Map.of("JAVA_HOME", root.resolve("mine").toString()), "run").out())
        .contains("java-27-ea");
    assertThat(run(Map.of("JAVA_HOME", root.resolve("jvm/old").toString()), "run").out())
        .contains("java-25.0.1");
  }

  @Test
  void without_a_new_jdk_a_sentence_says_so() throws Exception {
    Outcome outcome = run("demo");
    assertThat(outcome.code()).isEqualTo(3);
    assertThat(outcome.out()).isEmpty();
    assertThat(outcome.err()).contains("needs a JDK 25 or newer").contains("JAVA_HOME");
  }

  @Test
  void a_failed_build_is_told_and_nothing_starts() throws Exception {
    jdk(root.resolve("jvm/new"), "25.0.1");
    program(programs.resolve("mvn"), "echo 'no such plug-in'; exit 1");
    Outcome outcome = run("demo");
    assertThat(outcome.code()).isEqualTo(3);
    assertThat(outcome.out()).isEmpty();
    assertThat(outcome.err()).contains("no such plug-in").contains("build failed");
  }

  private Outcome run(String... arguments) throws Exception {
    return run(Map.of(), arguments);
  }

  private Outcome run(Map<String, String> environment, String... arguments) throws Exception {
    return start(home.resolve("bindeledd"), home, environment, arguments);
  }

  private Outcome start(Path script, Path from, String... arguments) throws Exception {
    return start(script, from, Map.of(), arguments);
  }

  private Outcome start(
      Path script, Path from, Map<String, String> environment, String... arguments)
      throws Exception {
    List<String> command = new ArrayList<>(List.of(script.toString()));
    command.addAll(List.of(arguments));
    Path out = root.resolve("out");
    Path err = root.resolve("err");
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(from.toFile())
            .redirectOutput(out.toFile())
            .redirectError(err.toFile());
    builder.environment().remove("JAVA_HOME");
    builder.environment().put("PATH", programs + ":" + toolsWithoutJava());
    builder.environment().put("BINDELEDD_JVM_DIRS", root.resolve("jvm").toString());
    builder.environment().putAll(environment);
    int code = builder.start().waitFor();
    return new Outcome(code, Files.readString(out), Files.readString(err));
  }

  /** The script's own tools, without the java of this machine. */
  private String toolsWithoutJava() throws IOException {
    Path tools = Files.createDirectories(root.resolve("tools"));
    for (String tool :
        List.of(
            "bash", "env", "readlink", "dirname", "sed", "find", "rm", "touch", "mkdir", "echo")) {
      for (Path place : List.of(Path.of("/usr/bin"), Path.of("/bin"))) {
        Path link = tools.resolve(tool);
        if (Files.exists(place.resolve(tool)) && !Files.exists(link)) {
          Files.createSymbolicLink(link, place.resolve(tool));
        }
      }
    }
    return tools.toString();
  }

  private static void jdk(Path place, String version) throws IOException {
    Files.createDirectories(place.resolve("bin"));
    Files.writeString(
        place.resolve("release"), "IMPLEMENTOR=\"Nobody\"\nJAVA_VERSION=\"" + version + "\"\n");
    program(place.resolve("bin/java"), "echo \"java-" + version + " $*\"");
  }

  private static void program(Path file, String script) throws IOException {
    Files.write(file, ("#!/bin/sh\n" + script + "\n").getBytes(StandardCharsets.UTF_8));
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }
}
