package org.alignlang.cli.project;

import java.util.List;
import java.util.Locale;

/** What a new project begins with. */
public enum Template {
  /** A spec with an experiment. */
  SPEC("", "runs/\n", List.of()),
  /** A Maven project in Java. */
  MAVEN_JAVA(
      "maven-java",
      "target/\n",
      List.of(
          "README.md",
          "pom.xml",
          "src/main/align/com/example/preference.align",
          "src/main/java/com/example/TrainPreferences.java",
          "src/test/java/com/example/TrainPreferencesTest.java")),
  /** A Maven project in Kotlin. */
  MAVEN_KOTLIN(
      "maven-kotlin",
      "target/\n",
      List.of(
          "README.md",
          "pom.xml",
          "src/main/align/com/example/distillation.align",
          "src/main/kotlin/com/example/Distil.kt",
          "src/test/kotlin/com/example/DistilTest.kt")),
  /** A Gradle project in Java, whose task calls the command line. */
  CLI_GRADLE(
      "cli-gradle",
      "build/\n.gradle/\n",
      List.of(
          "README.md",
          "build.gradle",
          "build.sh",
          "settings.gradle",
          "src/main/align/com/example/preference.align",
          "src/main/java/com/example/TrainPreferences.java"));

  private final String sample;
  private final String ignored;
  private final List<String> files;

  Template(String sample, String ignored, List<String> files) {
    this.sample = sample;
    this.ignored = ignored;
    this.files = files;
  }

  /** The sample that is copied; empty for none. */
  String sample() {
    return sample;
  }

  /** What Git is to ignore; not copied, since tools leave files of that name out of jars. */
  String ignored() {
    return ignored;
  }

  /** The other files of the sample. */
  List<String> files() {
    return files;
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
