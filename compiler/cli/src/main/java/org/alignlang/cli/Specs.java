package org.alignlang.cli;

import java.io.File;
import java.io.IOException;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.alignlang.compiler.diagnostic.Suggestions;
import org.alignlang.compiler.driver.Compiler;
import org.alignlang.compiler.driver.CompilerOptions;
import org.alignlang.compiler.source.ImportPath;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.compiler.source.SourceFolder;
import org.alignlang.compiler.source.StandardLibrary;
import org.alignlang.compiler.source.UnreadableSourceException;

/**
 * Reads the specs that a user names: a file, {@code -} for standard input, or a file of the
 * standard library as {@code align.losses.dpo}.
 */
public final class Specs {
  private static final String STANDARD_INPUT = "-";
  private static final String LIBRARY = "align.";

  /** Folders and jars where imports are looked for that are not beside the spec. */
  private static final String IMPORT_PATH = "ALIGN_IMPORT_PATH";

  private Specs() {}

  /**
   * Reads and compiles a spec; its findings are in the result.
   *
   * @throws UserError if it cannot be read
   */
  public static SpecFile load(String argument) {
    return load(argument, false);
  }

  /**
   * Reads and compiles a spec, with findings that are often no mistakes if they are asked for.
   *
   * @throws UserError if it cannot be read
   */
  public static SpecFile load(String argument, boolean pedantic) {
    return load(argument, pedantic, List.of());
  }

  /**
   * Reads and compiles a spec whose imports may also lie in other folders.
   *
   * @param roots those folders
   * @throws UserError if it cannot be read
   */
  public static SpecFile load(String argument, boolean pedantic, List<Path> roots) {
    if (argument.equals(STANDARD_INPUT)) {
      return compile(Path.of(""), standardInput(), pedantic);
    }
    String library = library(argument);
    if (!library.isEmpty()) {
      String text = StandardLibrary.source(library).orElseThrow(() -> unknownLibrary(argument));
      return compile(Path.of(""), new SourceFile("align:" + library, text), pedantic);
    }
    Path file = path(argument);
    try {
      return compile(folder(file), SourceFolder.read(file, shown(file)), pedantic, roots, false);
    } catch (UnreadableSourceException e) {
      throw new UserError(String.valueOf(e.getMessage()));
    }
  }

  private static UserError unknownLibrary(String argument) {
    List<String> known =
        StandardLibrary.paths().stream()
            .map(path -> LIBRARY + path.replace(".align", "").replace('/', '.'))
            .toList();
    return new UserError(
        "the standard library has no `"
            + argument
            + "`"
            + Suggestions.nearest(argument, known)
                .map(n -> "; did you mean `" + n + "`?")
                .orElse(""));
  }

  /** Reads standard input as a spec. */
  private static SourceFile standardInput() {
    try {
      return SourceFolder.read(System.in, "<stdin>");
    } catch (UnreadableSourceException e) {
      throw new UserError(String.valueOf(e.getMessage()));
    }
  }

  /** The path of a file of the standard library, or empty if the argument names none. */
  private static String library(String argument) {
    if (argument.startsWith("align:")) {
      return argument.substring("align:".length());
    }
    boolean dotted =
        argument.startsWith(LIBRARY)
            && !argument.endsWith(".align")
            && !argument.contains("/")
            && !Files.exists(path(argument));
    return dotted ? argument.substring(LIBRARY.length()).replace('.', '/') + ".align" : "";
  }

  static SpecFile compile(Path folder, SourceFile source, boolean pedantic) {
    return compile(folder, source, pedantic, List.of(), false);
  }

  /**
   * Compiles a spec.
   *
   * @param roots folders where imports are looked for that are not beside the spec
   * @param portable whether the names of what it imports tell nothing of this machine
   */
  static SpecFile compile(
      Path folder, SourceFile source, boolean pedantic, List<Path> roots, boolean portable) {
    int slash = source.path().lastIndexOf('/');
    String prefix = slash < 0 ? "" : source.path().substring(0, slash + 1);
    List<String> path = new ArrayList<>();
    roots.forEach(root -> path.add(root.toString()));
    path.add(System.getenv().getOrDefault(IMPORT_PATH, ""));
    String places = String.join(File.pathSeparator, path);
    CompilerOptions options =
        CompilerOptions.defaults()
            .withResolver(
                new ImportPath(
                    new SourceFolder(folder, prefix), ImportPath.places(places, portable)))
            .withPedantic(pedantic);
    return new SpecFile(folder, source, options, Compiler.compile(source, options), roots);
  }

  /**
   * The specs that arguments name, each once: files as they are, and of folders every {@code
   * .align} file below them, sorted, without those in hidden folders.
   *
   * @throws UserError if there is no such file or folder, or no spec in a folder
   */
  public static List<String> expand(List<String> arguments) {
    Set<String> specs = new LinkedHashSet<>();
    for (String argument : arguments) {
      if (!argument.equals(STANDARD_INPUT)
          && library(argument).isEmpty()
          && Files.isDirectory(path(argument))) {
        specs.addAll(below(path(argument)));
      } else {
        specs.add(argument);
      }
    }
    return List.copyOf(specs);
  }

  private static List<String> below(Path folder) {
    List<String> found = tree(folder);
    if (found.isEmpty()) {
      throw new UserError("there is no `.align` file in the folder `" + shown(folder) + "`");
    }
    return found;
  }

  /**
   * All {@code .align} files below a folder, sorted, without those in hidden folders; none if there
   * is no such folder.
   *
   * @throws UserError if it cannot be read
   */
  public static List<String> tree(Path folder) {
    List<String> found = new ArrayList<>();
    if (!Files.exists(folder)) {
      return found;
    }
    try {
      Files.walkFileTree(
          folder,
          Set.<FileVisitOption>of(),
          64,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path dir, BasicFileAttributes attributes) {
              boolean hidden = !dir.equals(folder) && name(dir).startsWith(".");
              return hidden ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
              if (name(file).endsWith(".align")) {
                found.add(shown(file));
              }
              return FileVisitResult.CONTINUE;
            }
          });
    } catch (IOException e) {
      throw new UserError(
          "the folder `" + shown(folder) + "` cannot be read: " + SourceFolder.reason(e));
    }
    Collections.sort(found);
    return found;
  }

  private static String name(Path file) {
    Path name = file.getFileName();
    return name == null ? "" : name.toString();
  }

  /** A path that a user wrote. @throws UserError if it cannot be one */
  public static Path path(String argument) {
    if (argument.isBlank()) {
      throw new UserError("the name of a file is empty");
    }
    try {
      return Path.of(argument);
    } catch (InvalidPathException e) {
      throw new UserError("`" + argument + "` is not a path: " + e.getReason());
    }
  }

  private static Path folder(Path file) {
    Path parent = file.getParent();
    return parent == null ? Path.of("") : parent;
  }

  /** A path as messages show it: as written, with forward slashes. */
  private static String shown(Path file) {
    String text = file.toString().replace('\\', '/');
    return text.startsWith("./") ? text.substring(2) : text;
  }
}
