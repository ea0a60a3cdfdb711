package org.alignlang.consumers;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.maven.shared.invoker.DefaultInvocationRequest;
import org.apache.maven.shared.invoker.DefaultInvoker;
import org.apache.maven.shared.invoker.InvocationRequest;
import org.apache.maven.shared.invoker.InvocationResult;
import org.apache.maven.shared.invoker.MavenInvocationException;

/**
 * Builds projects with a Maven of their own: that of this build, or another with {@code
 * -Dalign.maven=FOLDER -Dalign.maven.java=JDK}. What this build has packaged is put into a local
 * repository beside the tests; all else comes from the repository of this build, and nothing from
 * the network.
 */
final class MavenBuilds {
  static final Path ROOT = Path.of(property("align.root")).toAbsolutePath().normalize();
  static final String VERSION = property("align.version");

  private static final Pattern MODULE = Pattern.compile("<module>([^<]+)</module>");
  private static final Pattern ARTIFACT = Pattern.compile("<artifactId>([^<]+)</artifactId>");

  private static final Path REPOSITORY = Path.of("target", "local-repository").toAbsolutePath();

  private MavenBuilds() {}

  private static String property(String name) {
    String value = System.getProperty(name);
    assertThat(value).as("%s is set by the pom; run with mvn verify", name).isNotNull();
    return value;
  }

  /** How a build ended. */
  record Outcome(int exit, List<String> log) {
    Outcome succeeds() {
      assertThat(exit).as(() -> String.join("\n", log)).isZero();
      return this;
    }

    Outcome fails() {
      assertThat(exit).as(() -> String.join("\n", log)).isNotZero();
      return this;
    }

    Outcome says(String text) {
      assertThat(log).anyMatch(line -> line.contains(text));
      return this;
    }
  }

  /** Builds a project. */
  static Outcome mvn(Path project, String... arguments) {
    InvocationRequest request = new DefaultInvocationRequest();
    request.setBaseDirectory(project.toFile());
    request.setUserSettingsFile(settings().toFile());
    request.setBatchMode(true);
    request.addArgs(List.of("-Dstyle.color=never", "--no-transfer-progress"));
    request.addArgs(List.of(arguments));
    // Without a locale, Java cannot read the names of files that are not ASCII.
    request.addShellEnvironment("LC_ALL", "C.UTF-8");
    request.setJavaHome(new File(property("align.maven.java")));
    List<String> log = new ArrayList<>();
    request.setOutputHandler(log::add);
    request.setErrorHandler(log::add);
    DefaultInvoker invoker = new DefaultInvoker();
    invoker.setMavenHome(new File(property("align.maven")));
    try {
      InvocationResult result = invoker.execute(request);
      assertThat(result.getExecutionException()).isNull();
      return new Outcome(result.getExitCode(), log);
    } catch (MavenInvocationException e) {
      throw new AssertionError("Maven cannot be run", e);
    }
  }

  private static volatile boolean ready;

  /** Settings with the repositories of the tests, which are filled when first asked for. */
  private static synchronized Path settings() {
    Path settings = REPOSITORY.resolve("settings.xml");
    if (ready) {
      return settings;
    }
    try {
      String root = Files.readString(ROOT.resolve("pom.xml"));
      install("align", ROOT.resolve("pom.xml"), Map.of());
      for (MatchResult module : MODULE.matcher(root).results().toList()) {
        Path folder = ROOT.resolve(module.group(1));
        String artifact = artifact(folder.resolve("pom.xml"));
        Path jar = folder.resolve("target/" + artifact + "-" + VERSION + ".jar");
        // Of the modules of tests there are none.
        if (Files.exists(jar)) {
          install(artifact, folder.resolve("pom.xml"), Map.of("", jar));
        }
      }
      Path cli = ROOT.resolve("compiler/cli");
      install("align-cli", cli.resolve("pom.xml"), Map.of("-all", cli.resolve("target/align.jar")));
      assertThat(REPOSITORY.resolve("org/alignlang/align-maven-plugin"))
          .as("packaged by mvn verify")
          .exists();
      String place = Path.of(property("align.repository")).toUri().toString();
      String repository =
          "<id>central</id><url>"
              + place
              + "</url>"
              + "<releases><checksumPolicy>ignore</checksumPolicy></releases>";
      Files.writeString(
          settings,
          """
          <settings>
            <localRepository>%s</localRepository>
            <profiles><profile>
              <id>outer</id>
              <repositories><repository>%2$s</repository></repositories>
              <pluginRepositories><pluginRepository>%2$s</pluginRepository></pluginRepositories>
            </profile></profiles>
            <activeProfiles><activeProfile>outer</activeProfile></activeProfiles>
          </settings>
          """
              .formatted(REPOSITORY, repository));
    } catch (IOException e) {
      throw new AssertionError("the local repository cannot be filled", e);
    }
    ready = true;
    return settings;
  }

  /** A script of Gradle by which a build finds the same as those of Maven. */
  static String forGradle() {
    settings();
    return "allprojects { repositories { maven { url '%s' }; maven { url '%s' } } }"
        .formatted(REPOSITORY.toUri(), Path.of(property("align.repository")).toUri());
  }

  /** The artifact that a pom describes: the first that it names outside its parent. */
  private static String artifact(Path pom) throws IOException {
    String text = Files.readString(pom);
    Matcher artifact = ARTIFACT.matcher(text);
    assertThat(artifact.find(Math.max(0, text.indexOf("</parent>")))).as(pom.toString()).isTrue();
    return artifact.group(1);
  }

  /** Puts a pom there, and its jars by what follows the version in their names. */
  private static void install(String artifact, Path pom, Map<String, Path> jars)
      throws IOException {
    Path folder = REPOSITORY.resolve("org/alignlang/" + artifact + "/" + VERSION);
    Files.createDirectories(folder);
    String name = artifact + "-" + VERSION;
    Files.copy(pom, folder.resolve(name + ".pom"), StandardCopyOption.REPLACE_EXISTING);
    for (Map.Entry<String, Path> jar : jars.entrySet()) {
      // With its time: by that, and its size, the plugin tells one compiler from another.
      Files.copy(
          jar.getValue(),
          folder.resolve(name + jar.getKey() + ".jar"),
          StandardCopyOption.REPLACE_EXISTING,
          StandardCopyOption.COPY_ATTRIBUTES);
    }
  }

  /** Copies a project without what was built there. */
  static Path copy(Path project, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(project)) {
      for (Path file : files.toList()) {
        Path inside = project.relativize(file);
        if (!inside.startsWith("target") && !inside.startsWith("build")) {
          Path target = to.resolve(inside.toString());
          if (Files.isDirectory(file)) {
            Files.createDirectories(target);
          } else {
            Files.createDirectories(target.getParent());
            Files.copy(file, target, StandardCopyOption.COPY_ATTRIBUTES);
          }
        }
      }
    }
    return to;
  }
}
