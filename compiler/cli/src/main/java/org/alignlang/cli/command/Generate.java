package org.alignlang.cli.command;

import java.util.ArrayList;
import java.util.List;
import org.alignlang.cli.AlignCommand;
import org.alignlang.cli.ExitCode;
import org.alignlang.cli.ParameterValues;
import org.alignlang.cli.Summary;
import org.alignlang.cli.emit.JavaGenerator;
import org.alignlang.compiler.codegen.jvm.JavaSources;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code align generate}. */
@Command(name = "generate", description = "Writes the kernels of objectives as Java sources.")
public final class Generate extends AlignCommand {
  @Parameters(
      arity = "1..*",
      paramLabel = "FILE[#OBJECTIVE]|DIR",
      description = "Specs or folders of specs; all objectives of a spec if none is named.")
  private List<String> specs = new ArrayList<>();

  @Option(
      names = "--out",
      required = true,
      paramLabel = "DIR",
      description = "The folder of the source tree; nothing outside it is written.")
  private String folder = "";

  @Option(
      names = "--package",
      required = true,
      paramLabel = "NAME",
      description = "The package of the classes.")
  private String packageName = "";

  @Mixin private ParameterValues parameters = new ParameterValues();

  @Override
  public Integer call() {
    List<JavaSources.Written> files =
        JavaGenerator.generate(specs, packageName, folder, parameters.values());
    files.forEach(file -> output().out().println(file.file()));
    long changed = files.stream().filter(JavaSources.Written::changed).count();
    output()
        .note(
            Summary.counted((int) changed, "file")
                + " written, "
                + (files.size() - changed)
                + " unchanged");
    return ExitCode.CLEAN;
  }
}
