import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.spi.ToolProvider;

/**
 * Runs google-java-format over every {@code src/<set>/java/**.java} below the working directory.
 * The argument is {@code check} (exit 1 names the files that differ) or {@code apply}. Golden files
 * under {@code src/<set>/resources} are left alone.
 */
final class Format {
  public static void main(String[] args) throws IOException {
    String mode = args.length == 1 ? args[0] : "";
    if (!mode.equals("check") && !mode.equals("apply")) {
      System.err.println("format: expected check or apply, got '" + mode + "'");
      System.exit(2);
    }
    List<String> arguments = new ArrayList<>();
    if (mode.equals("apply")) {
      arguments.add("--replace");
    } else {
      arguments.addAll(List.of("--dry-run", "--set-exit-if-changed"));
    }
    List<String> files = sources(Path.of(""));
    if (files.isEmpty()) {
      return;
    }
    arguments.addAll(files);
    ToolProvider formatter = ToolProvider.findFirst("google-java-format").orElseThrow();
    int exit = formatter.run(System.out, System.err, arguments.toArray(String[]::new));
    if (exit != 0 && mode.equals("check")) {
      System.err.println(
          "The files above are not formatted; to format them: mvn -N validate -Dformat=apply");
    }
    System.exit(exit);
  }

  private static List<String> sources(Path root) throws IOException {
    List<String> found = new ArrayList<>();
    Files.walkFileTree(
        root,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path dir, BasicFileAttributes attributes) {
            String name = dir.getFileName().toString();
            boolean skipped =
                name.equals("target") || name.equals("node_modules") || name.startsWith(".");
            return skipped ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            String path = file.toString().replace('\\', '/');
            if (path.matches("(.*/)?src/[^/]+/java/.*\\.java")) {
              found.add(path);
            }
            return FileVisitResult.CONTINUE;
          }
        });
    found.sort(null);
    return found;
  }
}
