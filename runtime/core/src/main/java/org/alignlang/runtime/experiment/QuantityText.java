package org.alignlang.runtime.experiment;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.alignlang.runtime.experiment.ExperimentPlan.LogRatioFunction;
import org.alignlang.runtime.experiment.ExperimentPlan.Quantity;
import org.alignlang.runtime.experiment.ExperimentPlan.RowFunction;

/** Quantities as text, in the language's spelling. */
public final class QuantityText {
  private QuantityText() {}

  /** A quantity as text, such as {@code final(kl)} or {@code sqrt(kl)}. */
  public static String show(Quantity quantity) {
    return show(quantity, 0);
  }

  private static String show(Quantity quantity, int outer) {
    return switch (quantity) {
      case Quantity.Constant(double value) -> Interval.show(value);
      case Quantity.Named(String name) -> name;
      case Quantity.Label(String name) -> name;
      case Quantity.Expectation(String actor, String text, RowFunction value) -> text;
      case Quantity.Divergence(
              String name,
              LogRatioFunction integrand,
              String left,
              String right) ->
          name.contains("(") ? name : "%s(%s || %s)".formatted(name, left, right);
      case Quantity.OccupancyDivergence(
              String name,
              LogRatioFunction integrand,
              String left,
              String right,
              double discount) ->
          "%s(occupancy(%s) || occupancy(%s)%s)"
              .formatted(
                  name,
                  left,
                  right,
                  discount == 1 ? "" : ", discount = " + Interval.show(discount));
      case Quantity.Entropy(String actor) -> "entropy(%s)".formatted(actor);
      case Quantity.Exploitability(String actor) -> "exploitability(%s)".formatted(actor);
      case Quantity.Series(String function, Quantity of, Map<String, String> at) ->
          "%s(%s%s)".formatted(function, show(of), showAt(at));
      case Quantity.Statistic statistic -> statistic(statistic);
      case Quantity.Fitted fitted -> fitted.fit() + "." + fitted.result();
      case Quantity.Coefficient(String name) -> name;
      case Quantity.Agreement agreement -> agreement.text();
      case Quantity.Diversity(String measure, String actor, int run, int draws) ->
          switch (measure) {
            case "edit_distance" -> "edit_distance(%s)".formatted(actor);
            case "distinct" -> "distinct(%s, n = %d, draws = %d)".formatted(actor, run, draws);
            default -> "%s(%s, n = %d)".formatted(measure, actor, run);
          };
      case Quantity.Exact(Quantity of, Map<String, String> at) ->
          "exact(%s%s)".formatted(show(of), showAt(at));
      case Quantity.BestOf bestOf ->
          "best_of(%s, n = %s%s)"
              .formatted(show(bestOf.of()), show(bestOf.count()), showAt(bestOf.at()));
      case Quantity.Apply(String function, List<Quantity> arguments) ->
          apply(function, arguments, outer);
    };
  }

  private static String statistic(Quantity.Statistic statistic) {
    List<String> parts = new ArrayList<>();
    statistic.of().forEach(of -> parts.add(show(of)));
    new TreeMap<>(statistic.options())
        .forEach((name, values) -> parts.add(name + " = " + showOption(values)));
    if (!statistic.over().isEmpty()) {
      parts.add("over = " + showNames(statistic.over()));
    }
    return statistic.function() + "(" + String.join(", ", parts) + showAt(statistic.at()) + ")";
  }

  private static String showOption(List<Double> values) {
    List<String> shown = values.stream().map(Interval::show).toList();
    return values.size() == 1 ? shown.getFirst() : "[" + String.join(", ", shown) + "]";
  }

  private static String showNames(List<String> names) {
    return names.size() == 1 ? names.getFirst() : "[" + String.join(", ", names) + "]";
  }

  private static String apply(String function, List<Quantity> arguments, int outer) {
    int strength = strength(function, arguments.size());
    if (strength == 0) {
      return arguments.stream()
          .map(argument -> show(argument, 0))
          .collect(Collectors.joining(", ", function + "(", ")"));
    }
    String text =
        arguments.size() == 1
            ? function + show(arguments.getFirst(), strength)
            : "%s %s %s"
                .formatted(
                    show(arguments.get(0), strength),
                    function,
                    show(arguments.get(1), strength + 1));
    return strength < outer ? "(" + text + ")" : text;
  }

  private static int strength(String function, int arguments) {
    return switch (function) {
      case "+", "-" -> arguments == 2 ? 1 : 3;
      case "*", "/" -> arguments == 2 ? 2 : 0;
      case "^" -> arguments == 2 ? 4 : 0;
      default -> 0;
    };
  }

  private static String showAt(Map<String, String> at) {
    return at.isEmpty()
        ? ""
        : at.entrySet().stream()
            .map(label -> ", " + label.getKey() + " = " + label.getValue())
            .collect(Collectors.joining());
  }
}
