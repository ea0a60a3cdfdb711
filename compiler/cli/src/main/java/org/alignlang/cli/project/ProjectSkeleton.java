package org.alignlang.cli.project;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;
import org.alignlang.cli.Specs;
import org.alignlang.cli.UserError;
import org.alignlang.compiler.source.SourceFolder;

/**
 * A folder to begin with: a spec with an experiment that runs in seconds, and a README; or a copy
 * of one of the samples that are projects of their own.
 */
public final class ProjectSkeleton {
  private static final Pattern NAME = Pattern.compile("[A-Za-z][A-Za-z0-9_-]*");

  private final Path folder;
  private final String name;
  private final Template template;

  /**
   * @param argument the folder to make; its last part is the project's name
   * @param template what it begins with
   * @throws UserError if that is no name
   */
  public ProjectSkeleton(String argument, Template template) {
    this.template = template;
    this.folder = Specs.path(argument);
    Path last = folder.getFileName();
    this.name = last == null ? "" : last.toString();
    if (!NAME.matcher(name).matches()) {
      throw new UserError(
          "`%s` is no name for a project: it needs a letter, then letters, digits, `-` or `_`"
              .formatted(argument));
    }
  }

  /**
   * Writes the project and returns its files.
   *
   * @throws UserError if the folder holds anything, or cannot be written to
   */
  public List<Path> create() {
    Map<Path, String> files = files();
    try {
      requireEmpty();
      Files.createDirectories(folder);
      for (Map.Entry<Path, String> file : files.entrySet()) {
        Files.createDirectories(Objects.requireNonNull(file.getKey().getParent()));
        Files.writeString(file.getKey(), file.getValue(), StandardOpenOption.CREATE_NEW);
        if (file.getKey().toString().endsWith(".sh")) {
          // Where the file system has no such permission, `sh build.sh` does.
          boolean unused = file.getKey().toFile().setExecutable(true);
        }
      }
    } catch (FileAlreadyExistsException e) {
      throw new UserError("`" + e.getFile() + "` exists already, and nothing is overwritten");
    } catch (IOException e) {
      throw new UserError("`" + folder + "` cannot be written: " + SourceFolder.reason(e));
    }
    return List.copyOf(files.keySet());
  }

  private Map<Path, String> files() {
    Map<Path, String> files = new LinkedHashMap<>();
    if (template == Template.SPEC) {
      files.put(folder.resolve(name + ".align"), text("spec.align").replace("@NAME@", name));
      files.put(folder.resolve("README.md"), text("README.md").replace("@NAME@", name));
    }
    files.put(folder.resolve(".gitignore"), template.ignored());
    for (String file : template.files()) {
      files.put(
          folder.resolve(file),
          text(template.sample() + "/" + file).replace(template.sample(), name));
    }
    return files;
  }

  private void requireEmpty() throws IOException {
    if (!Files.exists(folder)) {
      return;
    }
    if (!Files.isDirectory(folder)) {
      throw new UserError("`" + folder + "` is a file, so no project can be made there");
    }
    try (var entries = Files.list(folder)) {
      if (entries.findAny().isPresent()) {
        throw new UserError("the folder `" + folder + "` is not empty, and nothing is overwritten");
      }
    }
  }

  private static String text(String file) {
    try (InputStream in = ProjectSkeleton.class.getResourceAsStream(file)) {
      if (in == null) {
        throw new IllegalStateException("no template " + file);
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }
}
