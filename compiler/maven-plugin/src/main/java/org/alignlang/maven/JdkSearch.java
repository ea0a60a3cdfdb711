package org.alignlang.maven;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.maven.execution.MavenSession;
import org.apache.maven.plugin.MojoExecutionException;
import org.apache.maven.toolchain.Toolchain;
import org.apache.maven.toolchain.ToolchainManager;
import org.jspecify.annotations.Nullable;

/**
 * Finds the Java that runs the compiler.
 *
 * @param wanted the folder that the user asks for, if any
 */
record JdkSearch(MavenSession session, ToolchainManager toolchains, @Nullable Path wanted) {
  private static final int OLDEST = 25;
  private static final Pattern VERSION = Pattern.compile("(?m)^JAVA_VERSION=\"(\\d+)");

  /** The program {@code java} of the first JDK that is new enough. */
  Path java() throws MojoExecutionException {
    if (wanted != null) {
      return program(wanted)
          .orElseThrow(() ->
              new MojoExecutionException(
                  "align.jdk is "
                      + wanted
                      + ", and that is not the folder of a JDK "
                      + OLDEST
                      + " or newer"));
    }
    List<Path> homes = new ArrayList<>();
    add(homes, toolchains.getToolchainFromBuildContext("jdk", session));
    toolchains
        .getToolchains(session, "jdk", Map.of("version", "[" + OLDEST + ",)"))
        .forEach(toolchain -> add(homes, toolchain));
    homes.add(Path.of(System.getProperty("java.home")));
    Map<String, String> environment = new TreeMap<>(System.getenv());
    for (String name : List.of("JAVA25_HOME", "JAVA_HOME")) {
      Optional.ofNullable(environment.get(name))
          .filter(h -> !h.isBlank())
          .map(Path::of)
          .ifPresent(homes::add);
    }
    environment.forEach((name, home) -> {
      if (name.matches("JAVA\\w*_HOME") && !home.isBlank()) {
        homes.add(Path.of(home));
      }
    });
    addInside(homes, Path.of("/usr/lib/jvm"), "");
    addInside(homes, Path.of("/opt"), "");
    addInside(homes, Path.of(System.getProperty("user.home"), ".sdkman/candidates/java"), "");
    addInside(homes, Path.of(System.getProperty("user.home"), ".jdks"), "");
    addInside(homes, Path.of("/Library/Java/JavaVirtualMachines"), "Contents/Home");
    addInside(homes, Path.of("C:\\Program Files\\Java"), "");
    for (Path home : homes) {
      Optional<Path> program = program(home);
      if (program.isPresent()) {
        return program.get();
      }
    }
    throw new MojoExecutionException(
        "Align's compiler needs a JDK %d or newer, and there is none here (Maven runs on Java %s). Install one, for example Eclipse Temurin %d, and set JAVA25_HOME or -Dalign.jdk to its folder."
            .formatted(OLDEST, System.getProperty("java.version"), OLDEST));
  }

  private static void add(List<Path> homes, @Nullable Toolchain toolchain) {
    String java = toolchain == null ? null : toolchain.findTool("java");
    if (java != null) {
      Path bin = Path.of(java).getParent();
      if (bin != null && bin.getParent() != null) {
        homes.add(bin.getParent());
      }
    }
  }

  private static void addInside(List<Path> homes, Path folder, String below) {
    if (Files.isDirectory(folder)) {
      List<Path> found = new ArrayList<>();
      try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
        entries.forEach(entry -> found.add(entry.resolve(below)));
      } catch (IOException e) {
        // A folder that cannot be read holds no JDK for us.
      }
      found.sort(null);
      homes.addAll(found);
    }
  }

  /** The program of a JDK, if the folder holds one that is new enough. */
  private static Optional<Path> program(Path home) {
    Path bin = home.resolve("bin");
    Path java =
        Files.exists(bin.resolve("java.exe")) ? bin.resolve("java.exe") : bin.resolve("java");
    try {
      Matcher version = VERSION.matcher(Files.readString(home.resolve("release")));
      boolean fits =
          version.find()
              && Integer.parseInt(version.group(1)) >= OLDEST
              && Files.isExecutable(java);
      return fits ? Optional.of(java) : Optional.empty();
    } catch (IOException e) {
      return Optional.empty();
    }
  }
}
