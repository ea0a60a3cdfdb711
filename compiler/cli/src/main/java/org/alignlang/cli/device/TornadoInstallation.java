package org.alignlang.cli.device;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The TornadoVM SDK that {@code TORNADOVM_HOME} names.
 *
 * @param home its folder, where the variable is set
 * @param backends the back ends that it was built with, such as {@code opencl-backend}
 * @param problem what keeps it from being used, empty if nothing does
 */
record TornadoInstallation(Optional<Path> home, List<String> backends, String problem) {
  private static final String REMEDY =
      "install the TornadoVM SDK for JDK 25 (tornadovm.org) and set TORNADOVM_HOME to its folder";

  TornadoInstallation {
    backends = List.copyOf(backends);
  }

  /** Looks at the folder that the variable holds. */
  static TornadoInstallation find(@Nullable String variable) {
    if (variable == null || variable.isBlank()) {
      return missing(Optional.empty(), "TORNADOVM_HOME is not set; " + REMEDY);
    }
    Path home;
    try {
      home = Path.of(variable);
    } catch (InvalidPathException e) {
      return missing(Optional.empty(), "TORNADOVM_HOME is not a path; " + REMEDY);
    }
    if (!Files.isDirectory(home)) {
      return missing(
          Optional.of(home),
          "there is no folder " + home + ", where TORNADOVM_HOME points; " + REMEDY);
    }
    Path backends = home.resolve("etc").resolve("tornado.backend");
    if (!Files.isRegularFile(backends)) {
      return missing(
          Optional.of(home),
          home
              + ", where TORNADOVM_HOME points, is no TornadoVM SDK (it has no"
              + " etc/tornado.backend); "
              + REMEDY);
    }
    try {
      if (!Files.isReadable(home.resolve("tornado-argfile"))) {
        return missing(
            Optional.of(home),
            home + ", where TORNADOVM_HOME points, has no tornado-argfile; install the SDK anew");
      }
      List<String> names = backends(Files.readString(backends, StandardCharsets.UTF_8));
      return names.isEmpty()
          ? missing(Optional.of(home), backends + " names no back end; install the SDK anew")
          : new TornadoInstallation(Optional.of(home), names, "");
    } catch (IOException e) {
      return missing(Optional.of(home), backends + " cannot be read: " + e.getMessage());
    }
  }

  /** The value of {@code tornado.backends=opencl-backend,ptx-backend}. */
  private static List<String> backends(String properties) {
    return properties
        .lines()
        .filter(line -> line.strip().startsWith("tornado.backends"))
        .filter(line -> line.contains("="))
        .flatMap(line -> List.of(line.substring(line.indexOf('=') + 1).split(",")).stream())
        .map(String::strip)
        .filter(name -> !name.isEmpty())
        .toList();
  }

  private static TornadoInstallation missing(Optional<Path> home, String problem) {
    return new TornadoInstallation(home, List.of(), problem);
  }
}
