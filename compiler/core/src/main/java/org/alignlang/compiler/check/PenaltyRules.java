package org.alignlang.compiler.check;

import static org.alignlang.compiler.check.WrittenGraph.is;
import static org.alignlang.compiler.diagnostic.DiagnosticCode.CLAMPED_PENALTY;
import static org.alignlang.compiler.diagnostic.DiagnosticCode.INERT_TERM;
import static org.alignlang.compiler.diagnostic.DiagnosticCode.WRITTEN_DIVERGENCE;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.DoubleUnaryOperator;
import org.alignlang.compiler.ast.Statement;
import org.alignlang.compiler.check.GraphRules.Finding;
import org.alignlang.compiler.check.WrittenGraph.Exponent;
import org.alignlang.compiler.check.WrittenGraph.Likelihood;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.diagnostic.DiagnosticCode;
import org.alignlang.compiler.diagnostic.Edit;
import org.alignlang.compiler.diagnostic.Fix;
import org.alignlang.compiler.ir.Binary;
import org.alignlang.compiler.ir.Domain;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.ir.ObjectiveProgram;
import org.alignlang.compiler.ir.Operation;
import org.alignlang.compiler.ir.Unary;
import org.alignlang.kernel.Level;
import org.alignlang.kernel.Signature;

/**
 * Penalties on the distance from a reference that are written out as functions of the log-ratio,
 * instead of named as a divergence: what they descend, and what bounds do to them. A function is
 * known by its values, so that every spelling of an estimator is found.
 */
final class PenaltyRules {
  static final Set<DiagnosticCode> CODES = Set.of(WRITTEN_DIVERGENCE, CLAMPED_PENALTY, INERT_TERM);

  private static final double[] PROBES = {-1.5, -0.7, -0.2, 0.3, 0.9, 1.6};

  /** Stands for a parameter that is 0 or has no value yet: its term is there for other values. */
  private static final double SOME = 0.37;

  /** What a penalty is as a function of {@code x = log pi - log ref}, up to factor and constant. */
  private enum Shape {
    /** {@code x}. */
    K1(x -> x),
    /** {@code x^2 / 2}. */
    K2(x -> x * x / 2),
    /** {@code exp(-x) - 1 + x}. */
    K3(x -> Math.expm1(-x) + x),
    /** {@code exp(x) - 1 - x}, which is k3 with the ratio upside down. */
    INVERTED_K3(x -> Math.expm1(x) - x),
    /** {@code |x|}. */
    ABSOLUTE(Math::abs);

    private final DoubleUnaryOperator value;

    Shape(DoubleUnaryOperator value) {
      this.value = value;
    }

    static Optional<Shape> of(DoubleUnaryOperator function) {
      double atZero = function.applyAsDouble(0);
      for (Shape shape : values()) {
        double factor =
            (function.applyAsDouble(PROBES[5]) - atZero) / shape.value.applyAsDouble(PROBES[5]);
        boolean same = Double.isFinite(factor) && Math.abs(factor) > 1e-12;
        for (double x : PROBES) {
          double difference =
              function.applyAsDouble(x) - atZero - factor * shape.value.applyAsDouble(x);
          same &= Math.abs(difference) <= 1e-9 * (1 + Math.abs(factor));
        }
        if (same) {
          return Optional.of(shape);
        }
      }
      return Optional.empty();
    }
  }

  /** Where a penalty stands. */
  private enum Place {
    LOSS,
    LOSS_TIMES_RATIO,
    /** A token's penalty times the geometric mean of its sequence's ratios. */
    LOSS_TIMES_MEAN_RATIO,
    REWARD
  }

  private final WrittenGraph graph;
  private final List<Finding> found = new ArrayList<>();

  private PenaltyRules(WrittenGraph graph) {
    this.graph = graph;
  }

  /**
   * Looks at the additive terms of the loss, of the rewards and of what is optimised.
   *
   * @param value what is optimised, as written
   */
  static List<Finding> findings(WrittenGraph graph, Node value) {
    PenaltyRules rules = new PenaltyRules(graph);
    rules.inertTerms(value);
    if (graph.sampled() || graph.rewarded()) {
      rules.detachedReturns();
    }
    if (graph.sampled()) {
      rules.terms(graph.loss(), Place.LOSS);
      for (CheckContext.ExpectationTerm term : graph.context().expectations) {
        if (term.divergence().isEmpty()) {
          rules.terms(term.score(), Place.REWARD);
          rules.boundedRewards(term.score());
        }
      }
      rules.boundedPenalties();
    }
    return rules.found;
  }

  /** Rewards that are made in the objective, and weigh a likelihood or a ratio. */
  private void detachedReturns() {
    for (Node node : graph.nodes()) {
      if (node.domain().level() == Level.VOCAB
          || !is(node, Binary.MULTIPLY) && !is(node, Binary.EXP_TIMES)
          || !node.active()) {
        continue;
      }
      for (Node weight : node.operands()) {
        boolean column =
            !weight.active()
                && ObjectiveProgram.reachable(List.of(weight)).stream()
                    .anyMatch(n ->
                        n.operation() instanceof Operation.Input i
                            && i.input().role() == Signature.Role.COLUMN);
        if (column) {
          terms(weight, Place.REWARD);
        }
      }
    }
  }

  /** Judges the additive terms of a value. */
  private void terms(Node root, Place place) {
    List<Node> open = new ArrayList<>(List.of(root));
    Set<Node> seen = new HashSet<>();
    while (!open.isEmpty()) {
      Node node = open.remove(open.size() - 1);
      boolean matters = place == Place.REWARD || node.active();
      if (!matters
          || !seen.add(node)
          || graph.context().declaredPenalties.contains(node)
          || judge(node, place)) {
        continue;
      }
      open.addAll(summands(node));
    }
  }

  /** The terms that a value is a sum of, without constant factors; of a term, none. */
  private List<Node> summands(Node node) {
    return switch (node.operation()) {
      case Operation.Broadcast _, Operation.Lift _, Operation.Checked _, Operation.Scan _ ->
          node.operands();
      case Operation.Stop _ -> node.operands();
      case Operation.Reduce reduce ->
          reduce.reduction() == Operation.Reduction.SUM ? node.operands() : List.of();
      case Operation.Apply apply -> apply.function() == Unary.NEGATE ? node.operands() : List.of();
      case Operation.Combine combine ->
          switch (combine.function()) {
            case ADD, SUBTRACT -> node.operands();
            case MULTIPLY ->
                isFactor(node.operand(0))
                    ? List.of(node.operand(1))
                    : isFactor(node.operand(1)) ? List.of(node.operand(0)) : List.of();
            case DIVIDE -> node.operand(1).active() ? List.of() : List.of(node.operand(0));
            case POWER,
                MINIMUM,
                MAXIMUM,
                LOG_ADD_EXP,
                EXP_TIMES,
                LOG_RATIO,
                LESS,
                LESS_EQUAL,
                EQUAL,
                AND,
                OR ->
                List.of();
          };
      case Operation.Constant _,
          Operation.Parameter _,
          Operation.Multiplier _,
          Operation.Input _,
          Operation.Count _,
          Operation.OneHot _,
          Operation.Select _,
          Operation.Taken _,
          Operation.Reorder _,
          Operation.Matching _,
          Operation.Largest _,
          Operation.Beside _,
          Operation.Position _,
          Operation.Shift _,
          Operation.Expectation _ ->
          List.of();
    };
  }

  private boolean isFactor(Node node) {
    return graph.isParametric(node)
        || WrittenGraph.plain(node).operation() instanceof Operation.Multiplier;
  }

  /** Whether a term is a function of one log-ratio alone; reports what is wrong with it. */
  private boolean judge(Node node, Place place) {
    boolean row =
        node.domain().level().compareTo(Level.PAIR) >= 0 && node.domain().level() != Level.VOCAB;
    if (!row || summands(node).size() == 1) {
      // A sum over elements or a factor: what is inside is the term.
      return false;
    }
    if (place == Place.LOSS) {
      Optional<Weighed> weighed = timesRatio(node);
      if (weighed.isPresent()) {
        Optional<Shape> shape = shape(weighed.get().rest());
        shape.ifPresent(s ->
            report(
                node,
                s,
                weighed.get().mean() ? Place.LOSS_TIMES_MEAN_RATIO : Place.LOSS_TIMES_RATIO,
                false));
        return shape.isPresent();
      }
    }
    Set<String> others = others(node).orElse(Set.of("", " "));
    if (others.size() > 1) {
      return false;
    }
    Optional<Shape> shape =
        others.isEmpty() && place == Place.REWARD ? Optional.empty() : shape(node);
    if (shape.isEmpty()) {
      return isDifference(node);
    }
    if (others.isEmpty() && shape.get() != Shape.K1) {
      return false;
    }
    report(node, shape.get(), place, others.isEmpty());
    return true;
  }

  /**
   * What a differentiable ratio to the sampler, or to the detached policy, is multiplied with.
   *
   * @param rest the other factors
   * @param mean whether the ratio is the geometric mean of a sequence's, and the rest is a token's
   */
  private record Weighed(List<Node> rest, boolean mean) {}

  private Optional<Weighed> timesRatio(Node node) {
    List<Node> rest = new ArrayList<>();
    List<Node> ratios = new ArrayList<>();
    List<Node> open = new ArrayList<>(List.of(node));
    while (!open.isEmpty()) {
      Node factor = WrittenGraph.plain(open.removeLast());
      if (is(factor, Binary.MULTIPLY)) {
        open.addAll(factor.operands());
      } else if (is(factor, Binary.EXP_TIMES) && isRatio(factor)) {
        ratios.add(factor);
        open.add(factor.operand(1));
      } else if (is(factor, Unary.EXP) && isRatio(factor)) {
        ratios.add(factor);
      } else {
        rest.add(factor);
      }
    }
    if (ratios.size() != 1 || rest.isEmpty()) {
      return Optional.empty();
    }
    Node exponent = WrittenGraph.plain(ratios.getFirst().operand(0));
    boolean perSequence = exponent.domain().level() == Level.SEQUENCE;
    boolean summed = graph.exponent(exponent).map(Exponent::summed).orElse(false);
    boolean perToken = rest.stream().anyMatch(n -> n.active() && n.domain().level() == Level.TOKEN);
    return Optional.of(new Weighed(rest, perSequence && !summed && perToken));
  }

  private boolean isRatio(Node node) {
    return graph.exponent(node.operand(0)).filter(PenaltyRules::isRatio).isPresent();
  }

  private static boolean isRatio(Exponent exponent) {
    return exponent.isImportance() && exponent.active()
        || exponent.weights().size() == 2
            && exponent.weight(Statement.Role.POLICY) == 0
            && exponent.weights().keySet().stream().anyMatch(Likelihood::stopped)
            && exponent.active();
  }

  /**
   * The actors beside the policy whose log-probabilities a value is made of; empty if it is made of
   * anything else too, or not of the policy's.
   */
  private Optional<Set<String>> others(Node node) {
    Set<String> others = new HashSet<>();
    boolean policy = false;
    for (Node each : ObjectiveProgram.reachable(List.of(node))) {
      if (each.domain().level() == Level.VOCAB && !(each.operation() instanceof Operation.Input)) {
        continue;
      }
      if (each.operation() instanceof Operation.Input input) {
        Signature.Role role = input.input().role();
        if (role == Signature.Role.TOKENS) {
          continue;
        }
        if (role == Signature.Role.COLUMN || role == Signature.Role.LEARNED) {
          return Optional.empty();
        }
        switch (graph.role(input.input().actor())) {
          case POLICY -> policy = true;
          case BEHAVIOR -> {
            return Optional.empty();
          }
          case REFERENCE, TEACHER -> others.add(input.input().actor());
        }
      }
    }
    return policy ? Optional.of(others) : Optional.empty();
  }

  private double at(Node node, double policy, double other) {
    return OneRow.value(
        node,
        input -> graph.role(input.actor()) == Statement.Role.POLICY ? policy : other,
        parameter -> {
          double value = graph.chosen(parameter).orElse(SOME);
          return value == 0 ? SOME : value;
        });
  }

  /** Whether a value depends on the difference of the log-probabilities alone. */
  private boolean isDifference(Node node) {
    if (others(node).filter(o -> o.size() == 1).isEmpty()) {
      return false;
    }
    for (double x : PROBES) {
      double near = at(node, x - 2, -2);
      if (!(Math.abs(near - at(node, x - 3.5, -3.5)) <= 1e-9 * (1 + Math.abs(near)))) {
        return false;
      }
    }
    return true;
  }

  /** What a value is as a function of the log-ratio; of the log-probability without a reference. */
  private Optional<Shape> shape(Node node) {
    return shape(List.of(node));
  }

  /** The same of a product, given by its factors. */
  private Optional<Shape> shape(List<Node> factors) {
    Set<String> all = new HashSet<>();
    List<Node> made = new ArrayList<>();
    for (Node factor : factors) {
      if (graph.isParametric(factor) || isFactor(factor)) {
        continue;
      }
      Optional<Set<String>> others = others(factor);
      if (others.isEmpty()) {
        return Optional.empty();
      }
      all.addAll(others.get());
      made.add(factor);
    }
    if (made.isEmpty() || all.size() > 1) {
      return Optional.empty();
    }
    if (all.isEmpty()) {
      return Shape.of(x -> product(made, x, 0));
    }
    return made.stream().allMatch(this::isDifference)
        ? Shape.of(x -> product(made, x - 2, -2))
        : Optional.empty();
  }

  private double product(List<Node> factors, double policy, double other) {
    double product = 1;
    for (Node factor : factors) {
      product *= at(factor, policy, other);
    }
    return product;
  }

  private void report(Node node, Shape shape, Place place, boolean entropy) {
    String policy = graph.policy().orElse("pi");
    String other = others(node).stream().flatMap(Set::stream).findFirst().orElse("ref");
    String divergence = "KL(" + policy + " || " + other + ")";
    String message =
        switch (place) {
          case LOSS ->
              switch (shape) {
                case K1 ->
                    entropy
                        ? "under the policy's own samples the expected gradient of log pi is zero:"
                            + " this term changes no entropy"
                        : "under the policy's own samples the expected gradient of this log-ratio"
                            + " is zero: this term pulls nowhere";
                case K2 -> "";
                case K3 ->
                    "this estimates the value of %s, but differentiated on samples of the policy it"
                            .formatted(divergence)
                        + " has the gradient of KL(%s || %s)".formatted(other, policy);
                case INVERTED_K3, ABSOLUTE ->
                    "differentiated, this function of the log-ratio descends no divergence between"
                        + " the policy and the reference";
              };
          case LOSS_TIMES_RATIO ->
              switch (shape) {
                case K1, K3 -> "";
                case K2, INVERTED_K3, ABSOLUTE ->
                    "times a differentiable ratio, this function of the log-ratio has the gradient"
                        + " of no divergence between the policy and the reference";
              };
          case LOSS_TIMES_MEAN_RATIO ->
              "the ratio is the geometric mean of a sequence's ratios and the penalty is a token's:"
                  + " their product has the gradient of no divergence between the policy and the"
                  + " reference";
          case REWARD ->
              switch (shape) {
                case K1 -> "";
                case K2, K3, INVERTED_K3, ABSOLUTE ->
                    "in a reward only the log-ratio itself has the gradient of %s; this function of"
                            .formatted(divergence)
                        + " it has the gradient of no KL divergence";
              };
        };
    if (message.isEmpty()) {
      return;
    }
    found.add(
        new Finding(
            node,
            Diagnostic.of(WRITTEN_DIVERGENCE, node.origin(), message)
                .withHelp(
                    entropy
                        ? "use the exact entropy, `entropy(pi(y.vocab))`, or put `-log(pi(y))` into"
                            + " the reward"
                        : (place == Place.REWARD
                                    ? "take it out of the reward and subtract `%s` where the reward"
                                        + " is maximised"
                                    : "write `%s` in place of it and of the mean around it")
                                .formatted(divergence)
                            + ", with the same factor: the compiler then estimates its gradient;"
                            + " or write `accept written_divergence` behind it to keep it")));
  }

  /** Bounds on a penalty that is differentiated: no gradient beyond them. */
  private void boundedPenalties() {
    for (Node node : graph.nodes()) {
      if (node.active() && isCut(node)) {
        bounded(node)
            .flatMap(this::shape)
            .filter(shape -> shape != Shape.K1)
            .ifPresent(_ ->
                found.add(
                    new Finding(
                        node,
                        GraphRules.fixed(
                            Diagnostic.of(
                                    CLAMPED_PENALTY,
                                    node.origin(),
                                    "beyond its bound this penalty has no gradient: the farther the"
                                        + " policy is from the reference, the less it is pulled"
                                        + " back")
                                .withHelp("bound the log-ratio, or leave the bound out"),
                            bounded(node)
                                .flatMap(b -> GraphRules.within(node, b))
                                .map(b ->
                                    Fix.suggested(
                                        "leave the bound out",
                                        Edit.replace(node.origin(), b.text())))))));
      }
    }
  }

  /** Bounds on a reward that has the penalty in it already. */
  private void boundedRewards(Node score) {
    for (Node node : ObjectiveProgram.reachable(List.of(score))) {
      if (!isBound(node)) {
        continue;
      }
      Optional<Node> bounded = bounded(node);
      boolean column = false;
      boolean policy = false;
      boolean reference = false;
      for (Node each : bounded.map(b -> ObjectiveProgram.reachable(List.of(b))).orElse(List.of())) {
        if (each.operation() instanceof Operation.Input input) {
          if (input.input().role() == Signature.Role.COLUMN) {
            column = true;
          } else if (!input.input().actor().isEmpty()) {
            policy |= graph.role(input.input().actor()) == Statement.Role.POLICY;
            reference |= graph.role(input.input().actor()) == Statement.Role.REFERENCE;
          }
        }
      }
      if (column && policy && reference) {
        found.add(
            new Finding(
                node,
                Diagnostic.of(
                        CLAMPED_PENALTY,
                        node.origin(),
                        "this bounds the reward with its penalty, and what is subtracted from a"
                            + " reward beyond the bound counts for nothing")
                    .withHelp("bound the reward first, then subtract the penalty")));
      }
    }
  }

  private boolean isBound(Node node) {
    return is(node, Unary.TANH) || is(node, Unary.SIGMOID) || isCut(node);
  }

  private boolean isCut(Node node) {
    return (is(node, Binary.MINIMUM) || is(node, Binary.MAXIMUM))
            && (graph.isParametric(node.operand(0)) || graph.isParametric(node.operand(1)))
        || chosenWithin(node).isPresent();
  }

  /** What a choice bounds: {@code x} in {@code if x < bound then x else bound}. */
  private Optional<Node> chosenWithin(Node node) {
    if (!(node.operation() instanceof Operation.Select)) {
      return Optional.empty();
    }
    Node condition = WrittenGraph.plain(node.operand(0));
    if (is(condition, Unary.NOT)) {
      condition = WrittenGraph.plain(condition.operand(0));
    }
    if (!is(condition, Binary.LESS) && !is(condition, Binary.LESS_EQUAL)) {
      return Optional.empty();
    }
    for (int kept = 1; kept <= 2; kept++) {
      Node value = WrittenGraph.plain(node.operand(kept));
      Node bound = WrittenGraph.plain(node.operand(3 - kept));
      boolean compared =
          condition.operands().stream().anyMatch(o -> WrittenGraph.plain(o) == value)
              && condition.operands().stream().anyMatch(o -> WrittenGraph.plain(o) == bound);
      if (compared && graph.isParametric(bound) && !graph.isParametric(value)) {
        return Optional.of(value);
      }
    }
    return Optional.empty();
  }

  /** What a bound is on, if that has no bound of its own: of `clamp` one half speaks for both. */
  private Optional<Node> bounded(Node node) {
    if (!isCut(node)) {
      return Optional.of(WrittenGraph.plain(node.operand(0)));
    }
    Node value = within(node);
    return isBound(value) ? Optional.empty() : Optional.of(value);
  }

  /** What a cut is of. */
  private Node within(Node cut) {
    return chosenWithin(cut)
        .orElseGet(() ->
            WrittenGraph.plain(
                graph.isParametric(cut.operand(1)) ? cut.operand(0) : cut.operand(1)));
  }

  /** Whether a number of the batch is made of columns or lengths of its responses. */
  private boolean isOfResponses(Node value) {
    return graph.policy().isPresent()
        && ObjectiveProgram.reachable(List.of(value)).stream()
            .anyMatch(n ->
                switch (n.operation()) {
                  case Operation.Input i ->
                      // At batch level there are kept numbers, which an objective may show.
                      i.input().role() == Signature.Role.COLUMN && i.input().level() != Level.BATCH;
                  case Operation.Count count ->
                      count.from().level() == Level.TOKEN && n.domain().isRow();
                  default -> false;
                });
  }

  /** Terms of what is optimised that depend on data and through which no gradient flows. */
  private void inertTerms(Node value) {
    List<Node> open = new ArrayList<>(List.of(value));
    Set<Node> seen = new HashSet<>();
    while (!open.isEmpty()) {
      Node node = open.remove(open.size() - 1);
      if (!seen.add(node)) {
        continue;
      }
      if (node.active()) {
        open.addAll(summands(node));
      } else if (ObjectiveProgram.reachable(List.of(node)).stream()
          .anyMatch(n -> n.operation() instanceof Operation.Input i && i.input().trained())) {
        inert(
            node,
            "no gradient flows through this term: it changes the number that is reported, and"
                + " nothing that is learned",
            "make it a `metric`, take the `stop` away, or put it into the reward: `E[...]`");
      } else if (node.domain().equals(Domain.BATCH) && isOfResponses(node)) {
        inert(
            node,
            "rewards, features and lengths have no gradient: this term changes the number that is"
                + " reported, and nothing that is learned",
            "what the policy is to make likely is an expectation, `E[...]` with `estimate with"
                + " rloo()`; what is only to be seen is a `metric`");
      }
    }
  }

  private void inert(Node term, String message, String help) {
    found.add(new Finding(term, Diagnostic.of(INERT_TERM, term.origin(), message).withHelp(help)));
  }
}
