package org.alignlang.maven;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.apache.maven.plugin.MojoExecutionException;
import org.apache.maven.plugin.MojoFailureException;
import org.apache.maven.plugins.annotations.LifecyclePhase;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;
import org.apache.maven.plugins.annotations.ResolutionScope;

/**
 * Runs the experiments in the specs of the project and judges their {@code expect} lines; the build
 * fails if a claim does not hold.
 *
 * @since 0.1.0
 */
@Mojo(
    name = "verify",
    defaultPhase = LifecyclePhase.VERIFY,
    requiresDependencyResolution = ResolutionScope.TEST,
    threadSafe = true)
public final class VerifyMojo extends AlignMojo {
  private static final Pattern CLAIM = Pattern.compile("(?m)^\\s*expect\\b");

  /** The first seed; others follow it. */
  @Parameter(property = "align.seed", defaultValue = "1")
  private long seed;

  @Override
  void run() throws MojoExecutionException, MojoFailureException {
    for (Path folder : folders()) {
      List<String> arguments = new ArrayList<>(List.of("verify", "--seed", String.valueOf(seed)));
      for (String spec : new SpecFolder(folder).specs()) {
        if (claims(folder.resolve(spec))) {
          arguments.add(folder.resolve(spec).toString());
        }
      }
      if (arguments.size() == 3) {
        getLog().info("No spec in " + shown(folder) + " claims anything");
        continue;
      }
      compiler(importPath(List.of(folder, sourceDirectory.toPath())))
          .run(
              arguments,
              false,
              "Claims in " + shown(folder) + " do not hold, or could not be judged; see above.");
    }
  }

  private static boolean claims(Path spec) throws MojoExecutionException {
    try {
      return CLAIM.matcher(Files.readString(spec)).find();
    } catch (IOException e) {
      throw new MojoExecutionException(spec + " cannot be read: " + e.getMessage());
    }
  }
}
