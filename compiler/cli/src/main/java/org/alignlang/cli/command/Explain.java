package org.alignlang.cli.command;

import java.util.Optional;
import org.alignlang.cli.AlignCommand;
import org.alignlang.cli.ParameterValues;
import org.alignlang.cli.explain.ExplainRun;
import org.alignlang.compiler.explain.Explanation;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code align explain}. */
@Command(
    name = "explain",
    description = {
      "Explains a finding (ALN4004, biased), the objectives and divergences of a spec as"
          + " mathematics (FILE or FILE#NAME), or a divergence of the library (KL, alpha(0.3))."
    })
public final class Explain extends AlignCommand {
  @Parameters(arity = "0..1", paramLabel = "CODE|SLUG|FILE[#NAME]|DIVERGENCE")
  private @Nullable String topic;

  @Option(names = "--all", description = "List the findings and divergences that have a page.")
  private boolean all;

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      description = "${COMPLETION-CANDIDATES}; unicode is the default.")
  private Explanation.Format format = Explanation.Format.UNICODE;

  @Mixin private ParameterValues parameters = new ParameterValues();

  @Override
  public Integer call() {
    return new ExplainRun(output(), format, parameters.values())
        .run(Optional.ofNullable(topic), all);
  }
}
