package org.alignlang.maven;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.maven.plugin.MojoExecutionException;
import org.apache.maven.plugin.MojoFailureException;
import org.apache.maven.plugins.annotations.LifecyclePhase;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;
import org.apache.maven.plugins.annotations.ResolutionScope;

/**
 * Says what is wrong with the specs of the project, experiments included, and writes nothing.
 *
 * @since 0.1.0
 */
@Mojo(
    name = "check",
    defaultPhase = LifecyclePhase.VERIFY,
    requiresDependencyResolution = ResolutionScope.TEST,
    threadSafe = true)
public final class CheckMojo extends AlignMojo {

  /**
   * Whether findings are shown that are often no mistakes, such as a loss that depends on length.
   */
  @Parameter(property = "align.pedantic", defaultValue = "false")
  private boolean pedantic;

  @Override
  void run() throws MojoExecutionException, MojoFailureException {
    for (Path folder : folders()) {
      List<String> arguments = new ArrayList<>(List.of("generate", "--tree", folder.toString()));
      arguments.addAll(List.of("--out", ".", "--check", "--format", "maven"));
      if (pedantic) {
        arguments.add("--pedantic");
      }
      compiler(importPath(List.of(folder, sourceDirectory.toPath())))
          .run(arguments, true, "The specs in " + shown(folder) + " have errors; see above.");
    }
  }
}
