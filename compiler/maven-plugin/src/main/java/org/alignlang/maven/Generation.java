package org.alignlang.maven;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.maven.plugin.MojoExecutionException;
import org.apache.maven.plugin.MojoFailureException;
import org.apache.maven.plugins.annotations.Parameter;

/** What {@code generate} and {@code generate-test} share. */
// Maven sets the fields.
@SuppressWarnings("NullAway.Init")
abstract class Generation extends AlignMojo {

  /**
   * What stands before the packages that the folders of specs give; for instance {@code
   * com.example}, with which a spec that lies directly in {@code src/main/align} gets the package
   * {@code com.example}.
   */
  @Parameter(property = "align.packageName", defaultValue = "")
  protected String packageName;

  /**
   * Values for parameters of objectives in place of their defaults; each objective takes those that
   * it has. Example: {@code <parameters><beta>0.2</beta></parameters>}.
   */
  @Parameter protected Map<String, String> parameters = Map.of();

  /**
   * Which kernels the classes have: {@code jvm}, one in double precision; {@code blocks}, another
   * beside it for data in single precision; or {@code vector}, where that is compiled with {@code
   * --add-modules jdk.incubator.vector}, and used where the program runs with it.
   */
  @Parameter(property = "align.backend", defaultValue = "jvm")
  protected String backend;

  /**
   * Whether findings are shown that are often no mistakes, such as a loss that depends on length.
   */
  @Parameter(property = "align.pedantic", defaultValue = "false")
  protected boolean pedantic;

  /** Whether to generate even if nothing has changed. */
  @Parameter(property = "align.force", defaultValue = "false")
  protected boolean force;

  /** Where the build keeps what it has read and written. */
  @Parameter(defaultValue = "${project.build.directory}/align-cache", readonly = true)
  protected File cache;

  /**
   * Generates one folder, unless nothing has changed.
   *
   * @param imports folders in which imports by path are looked for
   * @param state the name of the file in the cache
   */
  final void generate(Path specs, Path out, List<Path> imports, String state)
      throws MojoExecutionException, MojoFailureException {
    List<String> found = new SpecFolder(specs).specs();
    Path record = cache.toPath().resolve(state);
    if (found.isEmpty() && !Files.exists(record)) {
      getLog().info("There are no specs in " + shown(specs));
      return;
    }
    String prefix = packageName == null ? "" : packageName;
    List<Path> path = importPath(imports);
    List<String> options = new ArrayList<>(List.of(prefix, specs.toString(), out.toString()));
    options.addAll(List.of(backend, String.valueOf(pedantic)));
    options.addAll(settings(parameters));
    options.addAll(found);
    path.forEach(place -> options.add(place.toString()));
    String key;
    try {
      key = BuildRecord.key(options, classPath());
    } catch (IOException e) {
      throw new MojoExecutionException("The compiler cannot be read: " + e.getMessage());
    }
    if (!force && new BuildRecord(record, out).isCurrent(key)) {
      getLog().info("Nothing to generate - all specs are up to date.");
      return;
    }
    List<String> arguments = new ArrayList<>(List.of("generate", "--tree", specs.toString()));
    arguments.addAll(List.of("--out", out.toString(), "--package", prefix, "--format", "maven"));
    arguments.addAll(List.of("--backend", backend));
    arguments.addAll(List.of("--state", record.toString(), "--key", key));
    if (pedantic) {
      arguments.add("--pedantic");
    }
    arguments.addAll(settings(parameters));
    compiler(path)
        .run(arguments, true, "The specs in " + shown(specs) + " have errors; see above.");
  }
}
