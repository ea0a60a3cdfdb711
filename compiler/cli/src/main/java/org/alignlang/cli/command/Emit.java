package org.alignlang.cli.command;

import java.util.Map;
import org.alignlang.cli.AlignCommand;
import org.alignlang.cli.ExitCode;
import org.alignlang.cli.ObjectiveName;
import org.alignlang.cli.ParameterValues;
import org.alignlang.cli.Specs;
import org.alignlang.cli.emit.Stage;
import org.alignlang.compiler.ast.Expression;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code align emit}. */
@Command(name = "emit", description = "Prints what a phase of the compiler makes of a spec.")
public final class Emit extends AlignCommand {
  @Parameters(index = "0", paramLabel = "STAGE", description = "One of ${COMPLETION-CANDIDATES}.")
  private Stage stage = Stage.GRAPH;

  @Parameters(
      index = "1",
      paramLabel = "FILE[#OBJECTIVE]",
      description = "A spec, and one of its objectives; all of them if none is named.")
  private String spec = "";

  @Mixin private ParameterValues parameters = new ParameterValues();

  @Override
  public Integer call() {
    ObjectiveName name = ObjectiveName.parse(spec);
    Map<String, Expression> values = parameters.values();
    output().out().print(stage.print(Specs.load(name.file()), name, values));
    return ExitCode.CLEAN;
  }
}
