package org.alignlang.compiler.explain;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.DoubleUnaryOperator;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.check.Divergence;
import org.alignlang.compiler.check.OneRow;
import org.alignlang.compiler.ir.Binary;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.ir.ObjectiveProgram;
import org.alignlang.compiler.ir.Operation;
import org.alignlang.compiler.ir.Unary;
import org.alignlang.kernel.Level;
import org.alignlang.kernel.Signature;

/**
 * What a loss over pairs is as a function of the margin {@code v = u(chosen) - u(rejected)} of its
 * links, found by evaluating it, and the margin at which it is least for preferences of probability
 * {@code p}: where {@code p phi'(v) = (1 - p) phi'(-v)}.
 */
final class PreferenceOptimum {
  private static final double[] MARGINS = {0.05, 0.15, 0.3, -0.2};
  private static final double[] REJECTED = {-2, -2.4, -3.1};
  private static final double STEP = 1e-4;
  private static final double REFERENCE_CHOSEN = -1.7;
  private static final double REFERENCE_REJECTED = -1.1;

  /** Log-odds at which a shape is told from those that are like it near 0. */
  private static final double[] ODDS = {0.3, 1, 3, -2};

  /** How the loss depends on the margin. */
  enum Shape {
    /** {@code phi'(-v) / phi'(v) = exp(c v)}: the margin is the log-odds over {@code c}. */
    LOGISTIC,
    /** {@code phi'(v)} is linear with root {@code c}: the margin is {@code c (2 p - 1)}. */
    SQUARE,
    /** A function of the margin of another shape. */
    OTHER,
    /** No function of the margin alone. */
    NONE
  }

  /**
   * What was found.
   *
   * @param shape how the loss depends on the margin
   * @param scale the {@code c} of the shape
   * @param strength what the score of a response is divided by in the optimum's exponent
   * @param averaged whether log-probabilities are averaged over tokens
   * @param reference the name of the reference, if there is one
   */
  record Found(
      Shape shape,
      Notation scale,
      Notation strength,
      boolean averaged,
      Optional<String> reference) {}

  private final CheckedObjective objective;
  private final Optional<Divergence> link;
  private final Map<String, Double> changed = new LinkedHashMap<>();

  private PreferenceOptimum(CheckedObjective objective, Optional<Divergence> link) {
    this.objective = objective;
    this.link = link.filter(d -> !DivergenceExplainer.isLogarithm(d));
  }

  /**
   * Looks at a loss over pairs.
   *
   * @param link the divergence whose links are compared, the log-ratio without one
   * @return empty if it is about other data, or depends on more than two likelihoods
   */
  static Optional<Found> of(CheckedObjective objective, Optional<Divergence> link) {
    List<String> others =
        objective.signature().inputs().stream()
            .filter(i -> i.role() == Signature.Role.LOG_PROBABILITY && !i.trained())
            .map(Signature.Input::actor)
            .distinct()
            .toList();
    boolean likelihoods =
        objective.signature().inputs().stream()
            .allMatch(i -> i.role() == Signature.Role.LOG_PROBABILITY);
    if (objective.signature().sequences().size() != 2
        || !likelihoods
        || weighsTokens(objective)
        || others.size() > 1
        || !objective.expectations().isEmpty()
        || !objective.constraints().isEmpty()) {
      return Optional.empty();
    }
    PreferenceOptimum optimum = new PreferenceOptimum(objective, link);
    return Optional.of(optimum.found(others.stream().findFirst()));
  }

  /**
   * Whether tokens count differently, by position or by value: a loss of anything but plain sums of
   * log-probabilities is about more than two likelihoods.
   */
  private static boolean weighsTokens(CheckedObjective objective) {
    return ObjectiveProgram.reachable(List.of(objective.program().loss())).stream()
        .filter(n -> n.domain().level() == Level.TOKEN)
        .anyMatch(n ->
            switch (n.operation()) {
              case Operation.Input _, Operation.Broadcast _, Operation.Stop _ -> false;
              case Operation.Apply apply -> apply.function() != Unary.NEGATE;
              case Operation.Combine combine ->
                  switch (combine.function()) {
                    case ADD, SUBTRACT, LOG_RATIO -> false;
                    default -> true;
                  };
              default -> true;
            });
  }

  private Found found(Optional<String> reference) {
    boolean averaged =
        ObjectiveProgram.reachable(List.of(objective.program().loss())).stream()
            .anyMatch(n ->
                n.operation() instanceof Operation.Combine c
                    && c.function() == Binary.DIVIDE
                    && ObjectiveProgram.reachable(List.of(n.operand(1))).stream()
                        .anyMatch(o ->
                            o.operation() instanceof Operation.Count count
                                && count.from().level() == Level.TOKEN));
    if (!isFunctionOfMargin()) {
      return new Found(Shape.NONE, Symbols.ANY, Symbols.ANY, averaged, reference);
    }
    Optional<Double> logistic = logistic();
    if (logistic.isPresent()) {
      Notation scale = named(this::logistic, 1);
      return new Found(Shape.LOGISTIC, scale, scale, averaged, reference);
    }
    if (square().isPresent()) {
      // The margin c (2 p - 1) between all pairs: the log-ratio is 2 c times the mean preference.
      Notation strength = named(() -> square().map(c -> 1 / (2 * c)), 1);
      return new Found(Shape.SQUARE, named(this::square, -1), strength, averaged, reference);
    }
    return new Found(Shape.OTHER, Symbols.ANY, Symbols.ANY, averaged, reference);
  }

  /** The loss of one pair with this margin, from a rejected response this probable. */
  private double value(double margin, double rejected) {
    double x = rejected - REFERENCE_REJECTED;
    return loss(link.isPresent() ? inverse(margin + link(x)) : margin + x, x);
  }

  /** The same from a chosen response, where the link is bounded on the other side. */
  private double fromChosen(double margin) {
    double x = -0.5;
    return loss(x, link.isPresent() ? inverse(link(x) - margin) : x - margin);
  }

  /** The loss of one pair with these log-ratios; log-probabilities where there is no reference. */
  private double loss(double chosen, double rejected) {
    if (Double.isNaN(chosen) || Double.isNaN(rejected)) {
      return Double.NaN;
    }
    boolean reference =
        objective.signature().inputs().stream()
            .anyMatch(i -> i.role() == Signature.Role.LOG_PROBABILITY && !i.trained());
    double first = reference ? REFERENCE_CHOSEN : 0;
    double second = reference ? REFERENCE_REJECTED : 0;
    return OneRow.value(
        objective.program().loss(),
        input -> {
          boolean better = input.sequence().equals("chosen");
          if (input.trained()) {
            return better ? first + chosen : second + rejected;
          }
          return better ? first : second;
        },
        this::parameter);
  }

  private double parameter(Node node) {
    if (node.operation() instanceof Operation.Parameter p) {
      double value = objective.signature().parameters().get(p.index()).defaultValue();
      return changed.getOrDefault(p.name(), Double.isNaN(value) ? 0.37 : value);
    }
    return 0.37;
  }

  private double link(double logRatio) {
    return link.orElseThrow().link().evaluateLog(logRatio);
  }

  /** The log-ratio at which an increasing link has a value. */
  private double inverse(double value) {
    double low = -60;
    double high = 60;
    for (int i = 0; i < 200; i++) {
      double middle = (low + high) / 2;
      if (link(middle) < value) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return Math.abs(link(low) - value) < 1e-9 * (1 + Math.abs(value)) ? low : Double.NaN;
  }

  private boolean isFunctionOfMargin() {
    double change = 0;
    for (double margin : MARGINS) {
      double first = value(margin, REJECTED[0]);
      change = Math.max(change, Math.abs(first - value(margin + 0.3, REJECTED[0])));
      for (double rejected : REJECTED) {
        if (!(Math.abs(value(margin, rejected) - first) <= 1e-8 * (1 + Math.abs(first)))) {
          return false;
        }
      }
    }
    return change > 1e-9;
  }

  private double slope(double margin) {
    DoubleUnaryOperator phi = v -> value(v, REJECTED[0]);
    double slope =
        (phi.applyAsDouble(margin + STEP) - phi.applyAsDouble(margin - STEP)) / (2 * STEP);
    return Double.isNaN(slope)
        ? (fromChosen(margin + STEP) - fromChosen(margin - STEP)) / (2 * STEP)
        : slope;
  }

  private double odds(double margin) {
    return Math.log(slope(-margin) / slope(margin)) / margin;
  }

  /** The {@code c} of a logistic shape. */
  private Optional<Double> logistic() {
    double near = odds(MARGINS[0]);
    if (!(near > 1e-6)) {
      return Optional.empty();
    }
    for (double odds : ODDS) {
      if (!(Math.abs(odds(odds / near) - near) <= 1e-3 * near)) {
        return Optional.empty();
      }
    }
    return Optional.of(near);
  }

  /** The {@code c} of a square. */
  private Optional<Double> square() {
    double atZero = slope(0);
    double steep = slope(1) - atZero;
    for (double margin : new double[] {0.3, 2, 9, -7}) {
      if (!(Math.abs(slope(margin) - atZero - steep * margin) <= 1e-4 * Math.abs(steep * margin))) {
        return Optional.empty();
      }
    }
    double root = -atZero / steep;
    return steep > 1e-6 && root > 0 ? Optional.of(root) : Optional.empty();
  }

  /** A constant, as a multiple of the one parameter that it goes with, or over it. */
  private Notation named(java.util.function.Supplier<Optional<Double>> constant, int power) {
    double value = constant.get().orElseThrow();
    for (Signature.Parameter parameter : objective.signature().parameters()) {
      double normal = parameter.defaultValue();
      if (Double.isNaN(normal) || normal == 0) {
        continue;
      }
      changed.put(parameter.name(), 2 * normal);
      double doubled = constant.get().orElse(Double.NaN);
      changed.clear();
      if (Math.abs(doubled / value - Math.pow(2, power)) < 1e-2) {
        double factor = Math.round(value / Math.pow(normal, power) * 1e3) / 1e3;
        Notation symbol = Symbols.name(parameter.name());
        return power == 1
            ? Notation.product(Notation.number(factor), symbol)
            : factor == 0.5
                ? Notation.quotient(
                    Notation.number(1), Notation.product(Notation.number(2), symbol))
                : Notation.quotient(Notation.number(factor), symbol);
      }
    }
    return Notation.number(Math.round(value * 1e3) / 1e3);
  }
}
