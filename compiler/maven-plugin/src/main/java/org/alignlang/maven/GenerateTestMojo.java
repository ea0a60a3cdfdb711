package org.alignlang.maven;

import java.io.File;
import java.nio.file.Path;
import java.util.List;
import org.apache.maven.plugin.MojoExecutionException;
import org.apache.maven.plugin.MojoFailureException;
import org.apache.maven.plugins.annotations.LifecyclePhase;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;
import org.apache.maven.plugins.annotations.ResolutionScope;

/**
 * Generates a Java class for each objective in {@code src/test/align}, and adds them to the test
 * sources of the project. Their imports may name specs of {@code src/main/align}.
 *
 * @since 0.1.0
 */
@Mojo(
    name = "generate-test",
    defaultPhase = LifecyclePhase.GENERATE_TEST_SOURCES,
    requiresDependencyResolution = ResolutionScope.TEST,
    threadSafe = true)
// Maven sets the fields.
@SuppressWarnings("NullAway.Init")
public final class GenerateTestMojo extends Generation {

  /** The folder of the generated sources. */
  @Parameter(
      property = "align.testOutputDirectory",
      defaultValue = "${project.build.directory}/generated-test-sources/align")
  private File testOutputDirectory;

  @Override
  void run() throws MojoExecutionException, MojoFailureException {
    Path specs = testSourceDirectory.toPath();
    project.addTestCompileSourceRoot(testOutputDirectory.getPath());
    generate(specs, testOutputDirectory.toPath(), List.of(specs, sourceDirectory.toPath()), "test");
  }
}
