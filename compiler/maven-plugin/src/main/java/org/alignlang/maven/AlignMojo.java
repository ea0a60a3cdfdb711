package org.alignlang.maven;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.inject.Inject;
import org.apache.maven.artifact.Artifact;
import org.apache.maven.execution.MavenSession;
import org.apache.maven.plugin.AbstractMojo;
import org.apache.maven.plugin.MojoExecutionException;
import org.apache.maven.plugin.MojoFailureException;
import org.apache.maven.plugin.descriptor.PluginDescriptor;
import org.apache.maven.plugins.annotations.Parameter;
import org.apache.maven.project.MavenProject;
import org.apache.maven.toolchain.ToolchainManager;

/** What all goals share: where specs are, and the compiler in its own process. */
// Maven sets the fields.
@SuppressWarnings("NullAway.Init")
abstract class AlignMojo extends AbstractMojo {

  /**
   * The folder of the project's specs. A spec in its folder {@code com/example} becomes a class of
   * the package {@code com.example}.
   */
  @Parameter(property = "align.sourceDirectory", defaultValue = "${project.basedir}/src/main/align")
  protected File sourceDirectory;

  /** The folder of specs for tests. */
  @Parameter(
      property = "align.testSourceDirectory",
      defaultValue = "${project.basedir}/src/test/align")
  protected File testSourceDirectory;

  /** Does nothing if true, for instance with {@code mvn -Dalign.skip}. */
  @Parameter(property = "align.skip", defaultValue = "false")
  protected boolean skip;

  /**
   * The folder of the JDK 25 or newer that runs the compiler. Without it, the toolchain of the
   * build is used, then one of {@code ~/.m2/toolchains.xml}, the Java that runs Maven, {@code
   * JAVA25_HOME}, {@code JAVA_HOME}, any other {@code JAVA..._HOME}, and the usual folders; the
   * first that is new enough.
   */
  @Parameter(property = "align.jdk")
  protected File jdk;

  @Parameter(defaultValue = "${project}", readonly = true, required = true)
  protected MavenProject project;

  @Parameter(defaultValue = "${session}", readonly = true, required = true)
  protected MavenSession session;

  @Parameter(defaultValue = "${plugin}", readonly = true, required = true)
  protected PluginDescriptor plugin;

  @Inject protected ToolchainManager toolchains;

  @Override
  public final void execute() throws MojoExecutionException, MojoFailureException {
    if (skip) {
      getLog().info("Skipped: align.skip is set");
      return;
    }
    run();
  }

  /** Does the work of the goal. */
  abstract void run() throws MojoExecutionException, MojoFailureException;

  /** The folders with specs. */
  final List<Path> folders() throws MojoExecutionException {
    List<Path> folders = new ArrayList<>();
    for (File folder : List.of(sourceDirectory, testSourceDirectory)) {
      if (!new SpecFolder(folder.toPath()).specs().isEmpty()) {
        folders.add(folder.toPath());
      }
    }
    if (folders.isEmpty()) {
      getLog().info("There are no specs in " + shown(sourceDirectory.toPath()));
    }
    return folders;
  }

  /** A path from the folder of the project, where it lies in it. */
  final Path shown(Path path) {
    Path base = project.getBasedir().toPath();
    return path.startsWith(base) ? base.relativize(path) : path;
  }

  /** The compiler, with nothing but itself on its class path. */
  final CompilerProcess compiler(List<Path> importPath) throws MojoExecutionException {
    Path java = new JdkSearch(session, toolchains, jdk == null ? null : jdk.toPath()).java();
    getLog().debug("The compiler runs on " + java);
    return new CompilerProcess(java, classPath(), importPath, getLog());
  }

  /** The jars of the compiler. */
  final List<Path> classPath() {
    List<Path> jars = new ArrayList<>();
    for (Artifact artifact : plugin.getArtifacts()) {
      boolean own = artifact.getArtifactId().equals("align-maven-plugin");
      if (artifact.getFile() != null && !own) {
        jars.add(artifact.getFile().toPath());
      }
    }
    return jars;
  }

  /** Where imports by path are looked for that are not beside their spec. */
  final List<Path> importPath(List<Path> folders) throws MojoExecutionException {
    Set<Path> path = new LinkedHashSet<>();
    for (Path folder : folders) {
      if (Files.isDirectory(folder)) {
        path.add(folder);
      }
    }
    for (Artifact artifact : project.getArtifacts()) {
      if (artifact.getFile() != null && SpecFolder.isLibrary(artifact.getFile().toPath())) {
        path.add(artifact.getFile().toPath());
      }
    }
    return List.copyOf(path);
  }

  /** Values of parameters as arguments of the compiler. */
  static List<String> settings(Map<String, String> parameters) {
    List<String> arguments = new ArrayList<>();
    parameters.entrySet().stream()
        .sorted(Map.Entry.comparingByKey())
        .forEach(p -> arguments.addAll(List.of("-s", p.getKey() + "=" + p.getValue())));
    return arguments;
  }
}
