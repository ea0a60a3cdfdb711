package org.alignlang.cli.project;

import java.util.List;
import java.util.Locale;

/** What a new project begins with. */
public enum Template {
  /** A spec with an experiment. */
  SPEC("", List.of()),
  /** A Maven project in Java. */
  MAVEN_JAVA(
      "maven-java",
      List.of(
          ".gitignore",
          "README.md",
          "pom.xml",
          "src/main/align/com/example/preference.align",
          "src/main/java/com/example/TrainPreferences.java",
          "src/test/java/com/example/TrainPreferencesTest.java")),
  /** A Maven project in Kotlin. */
  MAVEN_KOTLIN(
      "maven-kotlin",
      List.of(
          ".gitignore",
          "README.md",
          "pom.xml",
          "src/main/align/com/example/distillation.align",
          "src/main/kotlin/com/example/Distil.kt",
          "src/test/kotlin/com/example/DistilTest.kt")),
  /** A Gradle project in Java, which calls the command line. */
  CLI_GRADLE(
      "cli-gradle",
      List.of(
          ".gitignore",
          "README.md",
          "build.gradle.kts",
          "build.sh",
          "settings.gradle.kts",
          "src/main/align/com/example/preference.align",
          "src/main/java/com/example/TrainPreferences.java"));

  private final String sample;
  private final List<String> files;

  Template(String sample, List<String> files) {
    this.sample = sample;
    this.files = files;
  }

  /** The sample that is copied; empty for none. */
  String sample() {
    return sample;
  }

  /** The files of the sample. */
  List<String> files() {
    return files;
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
