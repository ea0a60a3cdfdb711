package org.alignlang.runtime.study;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.alignlang.runtime.argument.Arguments;
import org.alignlang.runtime.task.Task;

/**
 * Study {@code implicit_maximum}: the value that an offline method learns from action values seen
 * under uniform data, in place of their maximum.
 *
 * <p>{@code V} minimises {@code (1 - level) V + level mean_a h(Q_a - V)} for the surrogates {@code
 * h(y) = (y + y^2 / 4) [y > 0]} ({@code chi_squared}) and {@code h(y) = max(y, 0)} ({@code
 * total_variation}), or {@code mean_a(e^z - z - 1)}, {@code z = (Q_a - V) / scale} ({@code
 * gumbel}). All are convex in {@code V}; the minimiser is found by bisection of the slope.
 *
 * <p>Source: Sikchi et al., "Dual RL: Unification and New Methods for Reinforcement and Imitation
 * Learning", 2024 (f-DVL); Garg et al., "Extreme Q-Learning", 2023 (XQL, the Gumbel loss).
 *
 * <p>Arguments: {@code values} ({@code [0, 1, 10]}), {@code surrogate} ({@code chi_squared}, {@code
 * total_variation} or {@code gumbel}), {@code level} (0.7), {@code scale} (1), {@code residual}
 * (20).
 */
public final class ImplicitMaximum implements StudyProvider {
  @Override
  public String name() {
    return "implicit_maximum";
  }

  @Override
  public String summary() {
    return "the value that offline losses learn in place of the maximum of action values";
  }

  @Override
  public Map<String, String> quantities() {
    Map<String, String> quantities = new LinkedHashMap<>();
    quantities.put("value", "the minimiser V of the loss");
    quantities.put("maximum", "the largest action value");
    quantities.put("average", "the mean of the action values");
    quantities.put("slope", "|dLoss/dV| of one sample with Q - V = residual");
    return quantities;
  }

  @Override
  public Set<String> lists() {
    return Set.of("values");
  }

  @Override
  public Findings run(Arguments arguments, Optional<Task> task, Path dataDirectory, long seed) {
    double[] q = arguments.reals("values", -1e6, 1e6).orElse(new double[] {0, 1, 10});
    if (q.length == 0) {
      throw arguments.wrong("values", "at least one action value", "none");
    }
    String surrogate =
        arguments
            .word("surrogate", List.of("chi_squared", "total_variation", "gumbel"))
            .orElse("chi_squared");
    double level = arguments.real("level", 0.7, 0.001, 0.999);
    double scale = arguments.above("scale", 1, 0);
    double residual = arguments.real("residual", 20, -700, 700);
    arguments.requireAllRead();
    double highest = Arrays.stream(q).max().orElseThrow();
    double lowest = Arrays.stream(q).min().orElseThrow();
    // Below every value by as much as the surrogate's slope can need: there the slope is negative.
    double low = lowest - 2 / level - 1;
    double high = highest + 1;
    for (int i = 0; i < 200; i++) {
      double middle = (low + high) / 2;
      double slope =
          Arrays.stream(q)
              .map(x -> slope(surrogate, x - middle, level, scale))
              .average()
              .orElseThrow();
      if (slope < 0) {
        low = middle;
      } else {
        high = middle;
      }
    }
    Map<String, double[]> found = new LinkedHashMap<>();
    found.put("value", new double[] {(low + high) / 2});
    found.put("maximum", new double[] {highest});
    found.put("average", new double[] {Arrays.stream(q).average().orElseThrow()});
    found.put("slope", new double[] {Math.abs(slope(surrogate, residual, level, scale))});
    return new Findings(found);
  }

  /** The derivative with respect to V of the loss of one sample with {@code Q - V = y}. */
  private static double slope(String surrogate, double y, double level, double scale) {
    return switch (surrogate) {
      case "chi_squared" -> 1 - level - (y > 0 ? level * (1 + y / 2) : 0);
      case "total_variation" -> 1 - level - (y > 0 ? level : 0);
      default -> (1 - Math.exp(y / scale)) / scale;
    };
  }
}
