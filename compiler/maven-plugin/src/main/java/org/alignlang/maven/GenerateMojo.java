package org.alignlang.maven;

import java.io.File;
import java.nio.file.Path;
import java.util.List;
import org.apache.maven.model.Resource;
import org.apache.maven.plugin.MojoExecutionException;
import org.apache.maven.plugin.MojoFailureException;
import org.apache.maven.plugins.annotations.LifecyclePhase;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;
import org.apache.maven.plugins.annotations.ResolutionScope;

/**
 * Generates a Java class for each objective in {@code src/main/align}, and adds them to the sources
 * of the project. Only what has changed is done: neither specs nor Java are compiled again if no
 * spec, no import, no option and no version is another.
 *
 * @since 0.1.0
 */
@Mojo(
    name = "generate",
    defaultPhase = LifecyclePhase.GENERATE_SOURCES,
    requiresDependencyResolution = ResolutionScope.COMPILE,
    threadSafe = true)
// Maven sets the fields.
@SuppressWarnings("NullAway.Init")
public final class GenerateMojo extends Generation {

  /** The folder of the generated sources. */
  @Parameter(
      property = "align.outputDirectory",
      defaultValue = "${project.build.directory}/generated-sources/align")
  private File outputDirectory;

  /**
   * Whether the specs are packed into the project's jar, so that the specs of other projects can
   * import them.
   */
  @Parameter(property = "align.packSpecs", defaultValue = "true")
  private boolean packSpecs;

  /** The folder of the list of specs that is packed with them. */
  @Parameter(defaultValue = "${project.build.directory}/generated-resources/align", readonly = true)
  private File resources;

  @Override
  void run() throws MojoExecutionException, MojoFailureException {
    Path specs = sourceDirectory.toPath();
    // Also if nothing is generated: javac needs what is there.
    project.addCompileSourceRoot(outputDirectory.getPath());
    if (packSpecs && !new SpecFolder(specs).specs().isEmpty()) {
      new SpecFolder(specs).writeManifest(resources.toPath());
      pack(resources.toPath(), "", "**/manifest");
      pack(specs, SpecFolder.PACKED, "**/*.align");
    }
    generate(specs, outputDirectory.toPath(), List.of(specs), "main");
  }

  private void pack(Path folder, String target, String files) {
    Resource resource = new Resource();
    resource.setDirectory(folder.toString());
    if (!target.isEmpty()) {
      resource.setTargetPath(target);
    }
    resource.addInclude(files);
    project.addResource(resource);
  }
}
