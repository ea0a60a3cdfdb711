package org.alignlang.cli.command;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.alignlang.cli.AlignCommand;
import org.alignlang.cli.ExitCode;
import org.alignlang.cli.ParameterValues;
import org.alignlang.cli.Specs;
import org.alignlang.cli.Summary;
import org.alignlang.cli.UserError;
import org.alignlang.cli.check.Format;
import org.alignlang.cli.emit.JavaGenerator;
import org.alignlang.cli.emit.TreeGenerator;
import org.alignlang.compiler.codegen.api.JavaSources;
import org.alignlang.compiler.codegen.api.KernelKind;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code align generate}. */
@Command(
    name = "generate",
    description = "Writes objectives as Java sources: a typed class each, and its kernel.")
public final class Generate extends AlignCommand {
  @Parameters(
      arity = "0..*",
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
      paramLabel = "NAME",
      description = "The package of the classes; with --tree, what stands before the folders.")
  private Optional<String> packageName = Optional.empty();

  @Option(
      names = "--tree",
      paramLabel = "DIR",
      description =
          "All specs below this folder; those in its folder a/b get the package a.b. For builds:"
              + " findings go to standard output.")
  private Optional<String> tree = Optional.empty();

  @Option(
      names = "--state",
      paramLabel = "FILE",
      description =
          "With --tree: what was read and written is kept here, and what was written the last time"
              + " and is no longer is deleted.")
  private Optional<String> state = Optional.empty();

  @Option(
      names = "--key",
      paramLabel = "TEXT",
      description = "With --state: kept there too, for a build to compare.")
  private String key = "";

  @Option(names = "--check", description = "With --tree: write nothing, only say what is wrong.")
  private boolean check;

  @Option(names = "--pedantic", description = "With --tree: also say what is often no mistake.")
  private boolean pedantic;

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      description = "With --tree: how findings are shown: ${COMPLETION-CANDIDATES}.")
  private Format format = Format.FULL;

  @Option(
      names = "--backend",
      paramLabel = "NAME",
      description =
          "Which kernels the classes have: jvm, one in double precision; blocks, another beside it"
              + " for data in single precision; or vector, where that is compiled with"
              + " --add-modules jdk.incubator.vector, and used where Java runs with it.")
  private String backEnd = "jvm";

  @Mixin private ParameterValues parameters = new ParameterValues();

  @Override
  public Integer call() {
    if (tree.isPresent()) {
      return tree(tree.get());
    }
    if (specs.isEmpty()) {
      throw new UserError("no spec is named, and no folder of specs with --tree");
    }
    if (state.isPresent() || !key.isEmpty() || check || pedantic) {
      throw new UserError("--state, --key, --check and --pedantic need --tree");
    }
    String name =
        packageName.orElseThrow(
            () -> new UserError("the package of the classes is not given: --package"));
    List<JavaSources.Written> files =
        JavaGenerator.generate(specs, name, folder, parameters.values(), kernels());
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

  private KernelKind kernels() {
    return KernelKind.of(backEnd)
        .orElseThrow(() ->
            new UserError(
                "classes can have the kernels %s, and not `%s`"
                    .formatted(String.join(", ", KernelKind.words()), backEnd)));
  }

  private int tree(String root) {
    if (!specs.isEmpty()) {
      throw new UserError("with --tree, no other specs are named");
    }
    return new TreeGenerator(
            output(),
            new TreeGenerator.Settings(
                Specs.path(root),
                packageName.orElse(""),
                Specs.path(folder),
                state.map(Specs::path),
                key,
                parameters.values(),
                kernels(),
                check,
                pedantic,
                format))
        .run();
  }
}
