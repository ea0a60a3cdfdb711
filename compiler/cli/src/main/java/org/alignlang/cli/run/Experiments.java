package org.alignlang.cli.run;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.alignlang.cli.BackEndChoice;
import org.alignlang.cli.InvalidSpec;
import org.alignlang.cli.SpecFile;
import org.alignlang.compiler.ast.Declaration;
import org.alignlang.compiler.ast.Expression;
import org.alignlang.compiler.codegen.BackEnd;
import org.alignlang.compiler.diagnostic.DiagnosticSink;
import org.alignlang.compiler.experiment.ExperimentCompiler;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.runtime.experiment.ExperimentPlan;
import org.alignlang.runtime.run.RunRequest;

/** Makes experiments ready to run. */
final class Experiments {
  private Experiments() {}

  /**
   * Compiles an experiment.
   *
   * @throws InvalidSpec if it has errors
   */
  static RunRequest request(
      SpecFile spec,
      Declaration.ExperimentDeclaration experiment,
      ExperimentCompiler.Overrides overrides,
      BackEnd backEnd,
      long seed,
      int threads) {
    DiagnosticSink sink = new DiagnosticSink();
    Optional<ExperimentPlan> plan =
        ExperimentCompiler.compile(
            experiment,
            spec.compilation().scope(),
            spec.folder(),
            spec.options(),
            backEnd::kernel,
            overrides,
            sink);
    if (plan.isEmpty()) {
      throw new InvalidSpec(sink.sorted());
    }
    Map<String, String> settings = new LinkedHashMap<>();
    for (Map.Entry<String, Expression> value : overrides.parameters().entrySet()) {
      settings.put(value.getKey(), value.getValue().span().text());
    }
    return new RunRequest(
        plan.get(), sources(spec), location(spec), settings, backEnd.name(), seed, threads);
  }

  /** The texts by path; the spec's own path is its name alone, wherever it is called from. */
  private static Map<String, String> sources(SpecFile spec) {
    List<SourceFile> all = new ArrayList<>(spec.compilation().sources());
    String main = spec.source().path();
    String folder = main.startsWith("align:") ? "" : main.substring(0, main.lastIndexOf('/') + 1);
    Map<String, String> texts = new LinkedHashMap<>();
    texts.put(main.substring(folder.length()), spec.source().text());
    for (SourceFile source : all) {
      String path = source.path();
      texts.putIfAbsent(
          path.startsWith(folder) ? path.substring(folder.length()) : path, source.text());
    }
    return texts;
  }

  private static String location(SpecFile spec) {
    String path = spec.source().path();
    if (path.startsWith("align:") || path.startsWith("<")) {
      return "";
    }
    Path name = Path.of(path).getFileName();
    return spec.folder().resolve(String.valueOf(name)).toAbsolutePath().normalize().toString();
  }

  /** The back end of a name, or the standard one. @throws UserError if there is none such */
  static BackEnd backEnd(Optional<String> name) {
    return BackEndChoice.of(name);
  }
}
