package org.alignlang.compiler.emit;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.ir.ObjectiveProgram;
import org.alignlang.compiler.ir.Operation;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.kernel.Signature;

/**
 * Prints the values of an objective: a line each with its number, what computes it, its level, a
 * star if a gradient flows through it, and where in the spec it comes from. Values are numbered in
 * the order printed, so that the text depends on nothing but the objective.
 */
public final class GraphPrinter {
  private final SourceFile source;
  private final Map<Node, String> names = new HashMap<>();
  private final StringBuilder text = new StringBuilder();

  private GraphPrinter(CheckedObjective objective) {
    this.source = objective.declaration().span().source();
  }

  /** The objective as written: expectations and constraints still in it, nothing estimated yet. */
  public static String typed(CheckedObjective objective) {
    GraphPrinter printer = new GraphPrinter(objective);
    printer.typedText(objective);
    return printer.text.toString();
  }

  /** The estimated loss, metrics and violations. */
  public static String graph(CheckedObjective objective) {
    GraphPrinter printer = new GraphPrinter(objective);
    ObjectiveProgram program = objective.program();
    printer.heading(objective);
    List<Node> outputs = new ArrayList<>(List.of(program.loss()));
    outputs.addAll(program.metrics());
    outputs.addAll(program.violations());
    printer.values(outputs);
    printer.forwardResults(program);
    return printer.text.toString();
  }

  /** What the gradient adds to the graph, after the values that it shares with it. */
  public static String gradient(CheckedObjective objective) {
    GraphPrinter printer = new GraphPrinter(objective);
    ObjectiveProgram program = objective.program();
    printer.heading(objective);
    printer.values(List.of(program.loss()));
    printer.result("loss", program.loss());
    printer.values(List.copyOf(program.gradients().values()));
    program.gradients().forEach((input, node) -> printer.result("grad." + input.name(), node));
    return printer.text.toString();
  }

  private void heading(CheckedObjective objective) {
    text.append("objective ").append(objective.name()).append('\n');
    for (Signature.Parameter parameter : objective.signature().parameters()) {
      text.append("  parameter ").append(parameter.name());
      if (!Double.isNaN(parameter.defaultValue())) {
        text.append(" = ").append(number(parameter.defaultValue()));
      }
      text.append('\n');
    }
    for (Signature.Input input : objective.signature().inputs()) {
      text.append("  input ").append(input.name()).append(": ").append(input.level().word());
      if (input.members() > 0) {
        text.append('[').append(input.members()).append(']');
      }
      text.append(input.trained() ? ", trained\n" : "\n");
    }
  }

  private void typedText(CheckedObjective objective) {
    heading(objective);
    objective
        .actors()
        .forEach(
            (name, role) -> text.append("  ").append(role).append(' ').append(name).append('\n'));
    if (!objective.estimator().isEmpty()) {
      text.append("  estimate with ").append(objective.estimator()).append('\n');
    }
    objective.fixed().entrySet().stream()
        .sorted(Map.Entry.comparingByKey())
        .forEach(e ->
            text.append("  fixed ")
                .append(e.getKey())
                .append(" = ")
                .append(number(e.getValue()))
                .append('\n'));
    for (CheckedObjective.Term term : objective.expectations()) {
      values(List.of(term.content()));
      values(List.of(term.leaf()));
      String divergence =
          term.divergence().map(d -> ", " + d.name() + " from " + term.other()).orElse("");
      text.append("  expectation ")
          .append(term.name())
          .append(": ")
          .append(names.get(term.leaf()))
          .append(" is the mean of ")
          .append(names.get(term.content()))
          .append(divergence)
          .append('\n');
    }
    values(List.of(objective.value()));
    result(objective.maximize() ? "maximize" : "minimize", objective.value());
    for (CheckedObjective.Limit limit : objective.constraints()) {
      values(List.of(limit.value(), limit.bound()));
      text.append("  subject to ")
          .append(names.get(limit.value()))
          .append(' ')
          .append(limit.relation())
          .append(' ')
          .append(names.get(limit.bound()))
          .append(' ')
          .append(
              switch (limit.handling()) {
                case CheckedObjective.Handling.Multiplier m ->
                    "multiplier " + m.constraint().multiplier();
                case CheckedObjective.Handling.Penalty _ -> "by penalty";
                case CheckedObjective.Handling.Barrier _ -> "by barrier";
                case CheckedObjective.Handling.Switching _ -> "by switching";
              })
          .append('\n');
    }
    objective
        .target()
        .ifPresent(target -> {
          values(List.of(target));
          result("log target", target);
        });
  }

  private void forwardResults(ObjectiveProgram program) {
    result("loss", program.loss());
    for (int i = 0; i < program.metrics().size(); i++) {
      result("metric." + program.signature().metrics().get(i), program.metrics().get(i));
    }
    for (int i = 0; i < program.violations().size(); i++) {
      String name = program.signature().constraints().get(i).multiplier();
      result("violation." + name, program.violations().get(i));
    }
  }

  private void result(String name, Node node) {
    text.append("  ").append(name).append(": ").append(names.get(node)).append('\n');
  }

  /** Prints what was not printed before, operands first. */
  private void values(List<Node> outputs) {
    for (Node node : ObjectiveProgram.reachable(outputs)) {
      if (!names.containsKey(node)) {
        names.put(node, "%" + names.size());
        text.append(line(node));
      }
    }
  }

  private String line(Node node) {
    String computed = "  " + names.get(node) + " = " + computation(node);
    String typed = computed + " ".repeat(Math.max(1, 44 - computed.length())) + ": ";
    String level = typed + node.domain() + (node.active() ? " *" : "");
    String remark =
        node.operation() instanceof Operation.Checked checked ? "  // " + checked.what() : "";
    return level
        + " ".repeat(Math.max(1, 66 - level.length()))
        + "@ "
        + place(node)
        + remark
        + "\n";
  }

  private String place(Node node) {
    SourceFile from = node.origin().source();
    String position = from.line(node.origin().start()) + ":" + from.column(node.origin().start());
    return from == source ? position : from.path() + ":" + position;
  }

  private String computation(Node node) {
    List<String> operands = node.operands().stream().map(n -> names.getOrDefault(n, "?")).toList();
    String all = String.join(", ", operands);
    return switch (node.operation()) {
      case Operation.Constant constant -> number(constant.value());
      case Operation.Parameter parameter -> "parameter " + parameter.name();
      case Operation.Multiplier multiplier -> "multiplier " + multiplier.name();
      case Operation.Input input ->
          "input "
              + input.input().name()
              + (input.input().members() > 0 ? "[" + input.member() + "]" : "");
      case Operation.Count count -> "count " + count.from();
      case Operation.OneHot _ -> "onehot(" + all + ")";
      case Operation.Checked _ -> "positive(" + all + ")";
      case Operation.Apply apply -> apply.function().word() + "(" + all + ")";
      case Operation.Combine combine -> combined(combine.function().word(), operands);
      case Operation.Select _ -> "select(" + all + ")";
      case Operation.Stop _ -> "stop(" + all + ")";
      case Operation.Broadcast _ -> "broadcast(" + all + ")";
      case Operation.Reduce reduce -> reduce.reduction().word() + "(" + all + ")";
      case Operation.Taken _ -> "taken(" + all + ")";
      case Operation.Reorder reorder ->
          (reorder.inverse() ? "unsort[" : "sort[") + reorder.within() + "](" + all + ")";
      case Operation.Largest _ -> "largest(" + all + ")";
      case Operation.Matching matching -> "matching[" + matching.within() + "](" + all + ")";
      case Operation.Beside _ -> "beside(" + all + ")";
      case Operation.Position position -> "position[" + position.within() + "]";
      case Operation.Scan scan -> (scan.backwards() ? "togo(" : "cumsum(") + all + ")";
      case Operation.Shift shift -> (shift.next() ? "next(" : "previous(") + all + ")";
      case Operation.Lift _ -> "lift(" + all + ")";
      case Operation.Expectation expectation ->
          "expectation " + expectation.name() + "(" + all + ")";
    };
  }

  private static String combined(String word, List<String> operands) {
    return Character.isLetter(word.charAt(0))
        ? word + "(" + String.join(", ", operands) + ")"
        : String.join(" " + word + " ", operands);
  }

  private static String number(double value) {
    return value == Math.rint(value) && Math.abs(value) < 1e15
        ? String.valueOf((long) value)
        : String.valueOf(value);
  }
}
