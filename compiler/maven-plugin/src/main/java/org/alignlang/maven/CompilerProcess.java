package org.alignlang.maven;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.maven.plugin.MojoExecutionException;
import org.apache.maven.plugin.MojoFailureException;
import org.apache.maven.plugin.logging.Log;

/**
 * Align's command line in a process of its own, whose output goes to the log of the build.
 *
 * @param java the program that runs it
 * @param classPath its jars
 * @param importPath where imports by path are looked for that are not beside their spec
 */
record CompilerProcess(Path java, List<Path> classPath, List<Path> importPath, Log log) {
  private static final int FINDINGS = 1;

  /**
   * Runs a command.
   *
   * @param fast whether it ends soon, so that compiling it well does not pay
   * @param failure what is said where it finds something
   */
  void run(List<String> arguments, boolean fast, String failure)
      throws MojoExecutionException, MojoFailureException {
    List<String> command = new ArrayList<>();
    command.add(java.toString());
    command.add("-XX:+UseSerialGC");
    if (fast) {
      command.add("-XX:TieredStopAtLevel=1");
    }
    command.addAll(List.of("-cp", joined(classPath), "org.alignlang.cli.Main"));
    command.addAll(arguments);
    log.debug(String.join(" ", command));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("ALIGN_IMPORT_PATH", joined(importPath));
    List<String> notes = new ArrayList<>();
    int exit;
    try {
      Process process = builder.start();
      process.getOutputStream().close();
      Thread errors = new Thread(() -> read(process.getErrorStream(), notes), "align-errors");
      errors.start();
      try (BufferedReader lines = reader(process.getInputStream())) {
        lines.lines().forEach(this::show);
      }
      errors.join();
      exit = process.waitFor();
    } catch (IOException | UncheckedIOException e) {
      throw new MojoExecutionException(
          "The compiler cannot be run on " + java + ": " + e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new MojoExecutionException("Interrupted while the compiler ran");
    }
    if (exit == 0) {
      notes.forEach(log::info);
    } else if (exit == FINDINGS) {
      notes.forEach(log::error);
      throw new MojoFailureException(failure);
    } else {
      String all = String.join("\n", notes).strip();
      throw new MojoExecutionException(
          all.startsWith("error: ") ? all.substring("error: ".length()) : all);
    }
  }

  private static String joined(List<Path> paths) {
    return paths.stream().map(Path::toString).collect(Collectors.joining(File.pathSeparator));
  }

  private static BufferedReader reader(InputStream stream) {
    return new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8));
  }

  private static void read(InputStream stream, List<String> notes) {
    try (BufferedReader lines = reader(stream)) {
      lines.lines().forEach(notes::add);
    } catch (IOException e) {
      notes.add("the output of the compiler cannot be read: " + e.getMessage());
    }
  }

  /** A line of output at the level that it says. */
  private void show(String line) {
    if (line.startsWith("[ERROR] ")) {
      log.error(line.substring("[ERROR] ".length()));
    } else if (line.startsWith("[WARNING] ")) {
      log.warn(line.substring("[WARNING] ".length()));
    } else {
      log.info(line.startsWith("[INFO] ") ? line.substring("[INFO] ".length()) : line);
    }
  }
}
