package org.alignlang.maven;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.maven.plugin.MojoExecutionException;
import org.apache.maven.plugin.MojoFailureException;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;

/**
 * Lays the specs of the project out in the one style; only space changes. {@code mvn align:format
 * -Dalign.format.check} writes nothing, and fails if a spec is not laid out.
 *
 * @since 0.1.0
 */
@Mojo(name = "format", threadSafe = true)
public final class FormatMojo extends AlignMojo {

  /** Whether to write nothing, and to fail if a spec is not laid out. */
  @Parameter(property = "align.format.check", defaultValue = "false")
  private boolean check;

  @Override
  void run() throws MojoExecutionException, MojoFailureException {
    for (Path folder : folders()) {
      List<String> arguments = new ArrayList<>(List.of("fmt"));
      if (check) {
        arguments.add("--check");
      }
      arguments.add(folder.toString());
      compiler(List.of())
          .run(
              arguments,
              true,
              "Specs in " + shown(folder) + " are not laid out; `mvn align:format` does it.");
    }
  }
}
