package org.alignlang.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.alignlang.compiler.ast.Expression;
import org.alignlang.compiler.diagnostic.DiagnosticSink;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.compiler.syntax.AlignSyntax;
import picocli.CommandLine.Option;

/** The option {@code -s name=value}, as often as there are parameters; a mixin. */
public final class ParameterValues {
  @Option(
      names = {"-s", "--set"},
      paramLabel = "NAME=VALUE",
      description = "Give a parameter a value, written as in a spec; may be repeated.")
  private List<String> settings = new ArrayList<>();

  /**
   * The values by name.
   *
   * @throws UserError if one is not of the form {@code name=value}, or is given twice
   * @throws InvalidSpec if a value is not an expression
   */
  public Map<String, Expression> values() {
    return parse(settings);
  }

  /**
   * The values by name of settings {@code name=value}.
   *
   * @throws UserError if one is not of that form, or is given twice
   * @throws InvalidSpec if a value is not an expression
   */
  public static Map<String, Expression> parse(List<String> settings) {
    Map<String, Expression> values = new LinkedHashMap<>();
    for (String setting : settings) {
      int equals = setting.indexOf('=');
      String name = equals < 0 ? "" : setting.substring(0, equals).strip();
      if (name.isEmpty()) {
        throw new UserError("`-s " + setting + "` is not of the form `-s name=value`");
      }
      DiagnosticSink sink = new DiagnosticSink();
      SourceFile text = new SourceFile("-s " + name, setting.substring(equals + 1));
      Optional<Expression> value = AlignSyntax.parseExpression(text, sink);
      if (value.isEmpty()) {
        throw new InvalidSpec(sink.sorted());
      }
      if (values.put(name, value.get()) != null) {
        throw new UserError("`-s " + name + "` is given twice");
      }
    }
    return values;
  }
}
