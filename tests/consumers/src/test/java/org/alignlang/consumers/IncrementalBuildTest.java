package org.alignlang.consumers;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a build does when something, or nothing, has changed. */
class IncrementalBuildTest {
  private static final String PLUGIN = "org.alignlang:align-maven-plugin:" + MavenBuilds.VERSION;
  private static final Path PROJECTS = Path.of("src", "test", "projects").toAbsolutePath();
  private static final String UP_TO_DATE = "Nothing to generate - all specs are up to date.";

  private static Path project(String name, Path folder) throws IOException {
    Path project = MavenBuilds.copy(PROJECTS.resolve(name), folder.resolve("mit Leerzeichen, ü"));
    try (Stream<Path> files = Files.walk(project)) {
      for (Path pom : files.filter(f -> f.endsWith("pom.xml")).toList()) {
        Files.writeString(
            pom, Files.readString(pom).replace("@align.version@", MavenBuilds.VERSION));
      }
    }
    return project;
  }

  private static void edit(Path file, String old, String changed) throws IOException {
    String text = Files.readString(file);
    assertThat(text).contains(old);
    Files.writeString(file, text.replace(old, changed));
  }

  /** The time of each file below a folder. */
  private static Map<String, FileTime> times(Path folder) throws IOException {
    Map<String, FileTime> times = new TreeMap<>();
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        times.put(folder.relativize(file).toString(), Files.getLastModifiedTime(file));
      }
    }
    return times;
  }

  @Test
  void onlyWhatChangedIsDone(@TempDir Path folder) throws IOException {
    Path project = project("incremental", folder);
    Path specs = project.resolve("src/main/align/com/example");
    Path generated = project.resolve("target/generated-sources/align");
    Path classes = project.resolve("target/classes");

    MavenBuilds.mvn(project, "test-compile")
        .succeeds()
        .says("3 specs, 2 objectives: 4 written, 0 unchanged, 0 deleted")
        .says("1 spec, 1 objective: 2 written, 0 unchanged, 0 deleted");
    assertThat(times(generated).keySet())
        .containsExactly(
            "com/example/Other.java",
            "com/example/OtherKernel.java",
            "com/example/Pair.java",
            "com/example/PairKernel.java");
    assertThat(classes.resolve("META-INF/align/manifest"))
        .hasContent(
            "com/example/other.align\ncom/example/pair.align\ncom/example/shared/half.align");

    // Nothing changes, offline and in parallel: neither specs nor Java are compiled.
    Map<String, FileTime> before = times(generated);
    before.putAll(times(classes));
    MavenBuilds.mvn(project, "test-compile", "-o", "-T", "2")
        .succeeds()
        .says(UP_TO_DATE)
        .says("Nothing to compile - all classes are up to date.");
    Map<String, FileTime> unchanged = times(generated);
    unchanged.putAll(times(classes));
    assertThat(unchanged).isEqualTo(before);

    // An import changes: what it reaches is written, and only that.
    Map<String, FileTime> sources = times(generated);
    edit(specs.resolve("shared/half.align"), "x / 2", "x / 4");
    MavenBuilds.mvn(project, "compile")
        .succeeds()
        .says("3 specs, 2 objectives: 1 written, 3 unchanged, 0 deleted");
    Map<String, FileTime> after = times(generated);
    assertThat(after.remove("com/example/PairKernel.java"))
        .isNotEqualTo(sources.remove("com/example/PairKernel.java"));
    assertThat(after).isEqualTo(sources);

    // A spec is renamed with its objective: the old sources and classes are gone.
    Files.move(specs.resolve("other.align"), specs.resolve("another.align"));
    edit(specs.resolve("another.align"), "Other(", "Another(");
    MavenBuilds.mvn(project, "compile")
        .succeeds()
        .says("3 specs, 2 objectives: 2 written, 2 unchanged, 2 deleted");
    assertThat(generated.resolve("com/example/Other.java")).doesNotExist();
    assertThat(classes.resolve("com/example/Other.class")).doesNotExist();
    assertThat(classes.resolve("com/example/AnotherKernel.class")).exists();

    // An option changes; then a spec is deleted, and its output with it.
    MavenBuilds.mvn(project, "compile", "-Dalign.pedantic")
        .succeeds()
        .says("3 specs, 2 objectives: 0 written, 4 unchanged, 0 deleted");
    Files.delete(specs.resolve("another.align"));
    // Something of ours that was damaged is made again.
    Files.writeString(generated.resolve("com/example/Pair.java"), "damaged");
    MavenBuilds.mvn(project, "compile")
        .succeeds()
        .says("2 specs, 1 objective: 1 written, 1 unchanged, 2 deleted");
    assertThat(classes.resolve("com/example/Another.class")).doesNotExist();

    // A mistake: in the form of javac, and what was there stays.
    edit(specs.resolve("pair.align"), "half(beta)", "halve(beta)");
    MavenBuilds.mvn(project, "compile")
        .fails()
        .says(
            "[ERROR] "
                + specs.resolve("pair.align")
                + ":[6,36] ALN2001: there is no thing called `halve`")
        .says("The specs in src/main/align have errors; see above.");
    assertThat(generated.resolve("com/example/Pair.java")).exists();
  }

  @Test
  void theOtherGoals(@TempDir Path folder) throws IOException {
    Path project = project("incremental", folder);
    MavenBuilds.mvn(
            project, PLUGIN + ":check", PLUGIN + ":format", PLUGIN + ":verify", PLUGIN + ":help")
        .succeeds()
        .says("3 files read, 1 laid out anew")
        .says("1 experiment, 1 of 1 claims hold.")
        .says("align:generate-test")
        .says("Generates a Java class for each objective in src/main/align");
    assertThat(project.resolve("target/generated-sources")).doesNotExist();
    MavenBuilds.mvn(project, "compile", "-Dalign.jdk=" + folder)
        .fails()
        .says("align.jdk is " + folder + ", and that is not the folder of a JDK 25 or newer");
  }

  @Test
  void specsOfAnotherModuleAreImportedFromItsJar(@TempDir Path folder) throws IOException {
    Path project = project("modules", folder);
    MavenBuilds.mvn(project, "package", "-T", "2").succeeds();
    assertThat(project.resolve("app/target/generated-sources/align/org/example/UseKernel.java"))
        .content()
        .doesNotContain(folder.toString());
    assertThat(project.resolve("app/target/classes/org/example/UseKernel.class")).exists();
    edit(
        project.resolve("library/src/main/align/com/acme/losses.align"),
        "fun twice(x) = 2 * x",
        "fun twice(x) = 2 *");
    MavenBuilds.mvn(project, "package")
        .fails()
        .says(
            "library/src/main/align/com/acme/losses.align:[2,1] ALN1001: expected an expression,"
                + " found the end of the file");
  }
}
