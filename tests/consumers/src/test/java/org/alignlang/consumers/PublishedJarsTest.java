package org.alignlang.consumers;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.JarFile;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** What is published; {@code .ci/release} makes it, and holds it to more. */
class PublishedJarsTest {
  private static final Pattern MODULE = Pattern.compile("<module>([^<]+)</module>");

  private static final Pattern TOOLS =
      Pattern.compile(
          "(align|junit|assertj|byte-buddy|opentest4j|apiguardian|maven|plexus|commons-io|javax\\.inject|slf4j|surefire)[-.]");

  /** The jars of this build, those of tests left out. */
  private static List<Path> jars() throws IOException {
    List<Path> jars = new ArrayList<>();
    String root = Files.readString(MavenBuilds.ROOT.resolve("pom.xml"));
    for (MatchResult module : MODULE.matcher(root).results().toList()) {
      if (!module.group(1).startsWith("tests/")) {
        Path target = MavenBuilds.ROOT.resolve(module.group(1)).resolve("target");
        if (Files.isDirectory(target)) {
          try (var files =
              Files.newDirectoryStream(target, "align-*" + MavenBuilds.VERSION + ".jar")) {
            files.forEach(jars::add);
          }
        }
      }
    }
    return jars;
  }

  @Test
  void everyJarHasANameAsAModuleAndAVersionInTheBom() throws IOException {
    String bom = Files.readString(MavenBuilds.ROOT.resolve("compiler/bom/pom.xml"));
    List<String> modules = new ArrayList<>();
    for (Path file : jars()) {
      try (JarFile jar = new JarFile(file.toFile())) {
        var manifest = jar.getManifest().getMainAttributes();
        modules.add(manifest.getValue("Automatic-Module-Name"));
        assertThat(manifest.getValue("Implementation-Version")).isEqualTo(MavenBuilds.VERSION);
      }
      String artifact =
          file.getFileName().toString().replace("-" + MavenBuilds.VERSION + ".jar", "");
      if (!artifact.equals("align-maven-plugin")) {
        assertThat(bom).contains("<artifactId>" + artifact + "</artifactId>");
      }
    }
    assertThat(modules)
        .contains("org.alignlang.kernel", "org.alignlang.maven", "org.alignlang.kotlin")
        .doesNotContainNull()
        .doesNotHaveDuplicates()
        .allMatch(name -> name.startsWith("org.alignlang."));
  }

  /** The class path of the tests holds that of the command line, and the tools of the tests. */
  @Test
  void theLicencesNameEveryDependency() throws IOException {
    String licences = Files.readString(MavenBuilds.ROOT.resolve("compiler/cli/docs/licences.md"));
    List<String> dependencies = new ArrayList<>();
    for (String place : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
      String name = Path.of(place).getFileName().toString();
      if (name.endsWith(".jar") && !TOOLS.matcher(name).lookingAt()) {
        dependencies.add(name.replaceAll("-\\d[^-]*\\.jar$", ""));
      }
    }
    assertThat(dependencies)
        .contains("jspecify", "antlr4-runtime")
        .allSatisfy(name -> assertThat(licences).containsAnyOf("`" + name + "`", ":" + name + "`"));
  }
}
