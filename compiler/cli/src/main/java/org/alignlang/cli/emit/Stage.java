package org.alignlang.cli.emit;

import com.palantir.javapoet.JavaFile;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.alignlang.cli.InvalidSpec;
import org.alignlang.cli.ObjectiveName;
import org.alignlang.cli.SpecFile;
import org.alignlang.cli.UserError;
import org.alignlang.cli.explain.ExplainRun;
import org.alignlang.compiler.ast.Expression;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.codegen.JvmBackEnd;
import org.alignlang.compiler.codegen.VectorBackEnd;
import org.alignlang.compiler.codegen.tornado.TornadoBackEnd;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.diagnostic.DiagnosticCode;
import org.alignlang.compiler.emit.GraphPrinter;
import org.alignlang.compiler.emit.PlanPrinter;
import org.alignlang.compiler.emit.TokenPrinter;
import org.alignlang.compiler.emit.TreePrinter;
import org.alignlang.compiler.explain.Explanation;
import org.alignlang.compiler.explain.ObjectiveExplainer;

/** A phase whose result can be printed. */
public enum Stage {
  TOKENS,
  AST,
  TYPED,
  GRAPH,
  GRADIENT,
  PLAN,
  LATEX,
  /** The kernel in double precision. */
  JAVA,
  /** The kernel of the back end {@code jvm} for data in single precision. */
  BLOCKS,
  /** The kernel of the back end {@code vector}. */
  VECTOR,
  TORNADO;

  /**
   * What the phase made of a spec, or of one of its objectives.
   *
   * @param spec the spec
   * @param name the objective, which the first two phases do not take
   * @param values values for the objective's parameters
   */
  public String print(SpecFile spec, ObjectiveName name, Map<String, Expression> values) {
    return switch (this) {
      case TOKENS -> {
        requireNone(name, values);
        yield TokenPrinter.print(spec.source());
      }
      case AST -> {
        requireNone(name, values);
        requireSyntax(spec);
        yield TreePrinter.print(spec.compilation().module());
      }
      case TYPED -> objectives(spec, name, values, GraphPrinter::typed);
      case GRAPH -> objectives(spec, name, values, GraphPrinter::graph);
      case GRADIENT -> objectives(spec, name, values, GraphPrinter::gradient);
      case PLAN -> objectives(spec, name, values, PlanPrinter::print);
      case LATEX ->
          objectives(
              spec,
              name,
              values,
              o ->
                  ObjectiveExplainer.explain(o, ExplainRun.scope(spec, o.name()), values)
                      .render(Explanation.Format.LATEX));
      case JAVA -> sources(spec, name, values, o -> JvmBackEnd.source(o, ""));
      case BLOCKS -> sources(spec, name, values, o -> JvmBackEnd.singleSource(o, ""));
      case VECTOR -> sources(spec, name, values, o -> VectorBackEnd.source(o, ""));
      case TORNADO -> sources(spec, name, values, o -> TornadoBackEnd.source(o, ""));
    };
  }

  private static String sources(
      SpecFile spec,
      ObjectiveName name,
      Map<String, Expression> values,
      Function<CheckedObjective, JavaFile> source) {
    return objectives(
        spec.requireClean().portable(), name, values, o -> source.apply(o).toString());
  }

  private void requireNone(ObjectiveName name, Map<String, Expression> values) {
    if (name.objective().isPresent()) {
      throw new UserError("`emit " + this + "` prints a whole file and takes no `#OBJECTIVE`");
    }
    if (!values.isEmpty()) {
      throw new UserError("`emit " + this + "` prints a whole file and takes no `-s`");
    }
  }

  private static void requireSyntax(SpecFile spec) {
    boolean broken =
        spec.diagnostics().stream()
            .map(Diagnostic::code)
            .anyMatch(c -> c.code().compareTo(DiagnosticCode.UNKNOWN_NAME.code()) < 0);
    if (broken) {
      throw new InvalidSpec(spec.diagnostics());
    }
  }

  /** The objective that was named, or else all that the file declares. */
  private static String objectives(
      SpecFile spec,
      ObjectiveName name,
      Map<String, Expression> values,
      Function<CheckedObjective, String> printer) {
    boolean all =
        name.objective().isEmpty()
            && values.isEmpty()
            && !spec.requireClean().compilation().objectives().isEmpty();
    List<CheckedObjective> objectives =
        all
            ? spec.compilation().objectives()
            : List.of(spec.objective(name.objective(), values, Set.of()));
    return objectives.stream().map(printer).collect(Collectors.joining("\n"));
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
