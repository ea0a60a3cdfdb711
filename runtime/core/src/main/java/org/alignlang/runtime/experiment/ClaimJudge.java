package org.alignlang.runtime.experiment;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.alignlang.runtime.experiment.ExperimentPlan.Claim;
import org.alignlang.runtime.experiment.ExperimentPlan.Condition;
import org.alignlang.runtime.experiment.ExperimentPlan.Quantity;

/**
 * Judges claims by what was recorded.
 *
 * <p>A claim is judged at each sweep point that its {@code where} selects, or once if all its
 * series name their own points. Over seeds:
 *
 * <ul>
 *   <li>an inequality holds if the mean of left minus right has the right sign and, where there are
 *       at least three seeds and they differ, the 95 % t-interval of that paired difference
 *       excludes 0
 *   <li>{@code ==} holds if both sides agree for every seed, to a relative 1e-9
 *   <li>{@code within} holds if the means are no farther apart than the tolerance
 * </ul>
 *
 * <p>NaN, and a training that was not finished, fail a claim.
 */
final class ClaimJudge {
  private static final double EQUALITY = 1e-9;
  private static final int SEEDS_FOR_INTERVAL = 3;

  private final ExperimentPlan plan;
  private final SeriesAlgebra algebra;

  ClaimJudge(ExperimentPlan plan, SeriesAlgebra algebra) {
    this.plan = plan;
    this.algebra = algebra;
  }

  /**
   * Checks before training that the claims select points.
   *
   * @throws ExperimentException if one selects none; the message lists the points
   */
  void requirePoints() {
    for (Claim claim : plan.claims()) {
      located(
          claim,
          () -> {
            for (int point : points(claim)) {
              walk(claim.condition(), (quantity, at) -> algebra.point(at, point));
            }
            return List.of();
          });
    }
  }

  /**
   * Judges one claim; one that cannot be judged fails and says why, so that what was trained for
   * hours is not lost over it.
   */
  ClaimVerdict verdict(Claim claim) {
    try {
      return judge(claim);
    } catch (ExperimentException e) {
      Interval none = Interval.of();
      ClaimVerdict.Part part =
          new ClaimVerdict.Part(
              Map.of(),
              false,
              none,
              none,
              none,
              Double.NaN,
              "It cannot be judged: %s.".formatted(e.getMessage()));
      return new ClaimVerdict(claim.text(), claim.message(), claim.place(), false, List.of(part));
    }
  }

  /**
   * Judges one claim.
   *
   * @throws ExperimentException if it cannot be judged: a name that is not recorded, an {@code
   *     exact} without a closed form, a series where a number is needed
   */
  ClaimVerdict judge(Claim claim) {
    List<ClaimVerdict.Part> parts =
        located(
            claim,
            () -> {
              List<ClaimVerdict.Part> found = new ArrayList<>();
              for (int point : points(claim)) {
                judge(claim.condition(), point, namesItsPoints(claim), found);
              }
              return found;
            });
    return new ClaimVerdict(
        claim.text(),
        claim.message(),
        claim.place(),
        parts.stream().allMatch(ClaimVerdict.Part::passed),
        parts);
  }

  private List<Integer> points(Claim claim) {
    if (!claim.where().isEmpty()) {
      return algebra.selected(claim.where());
    }
    if (namesItsPoints(claim)) {
      return List.of(0);
    }
    return IntStream.range(0, plan.points().size()).boxed().toList();
  }

  /** Whether every series of a claim without {@code where} says which point it means. */
  private static boolean namesItsPoints(Claim claim) {
    List<Boolean> own = new ArrayList<>();
    walk(claim.condition(), (quantity, at) -> own.add(!at.isEmpty()));
    return claim.where().isEmpty() && !own.isEmpty() && own.stream().allMatch(named -> named);
  }

  private void judge(Condition condition, int point, boolean once, List<ClaimVerdict.Part> parts) {
    switch (condition) {
      case Condition.Both(Condition first, Condition second) -> {
        judge(first, point, once, parts);
        judge(second, point, once, parts);
      }
      case Condition.Compare(Quantity left, String relation, Quantity right) ->
          parts.add(compare(new Sides(left, right, point, once), relation));
      case Condition.Within within ->
          parts.add(within(new Sides(within.left(), within.right(), point, once), within));
    }
  }

  /** Both sides of a comparison at a point, measured for every seed. */
  private final class Sides {
    private final Map<String, String> labels;
    private final String leftText;
    private final String rightText;
    private final double[] left;
    private final double[] right;
    private final double[] difference;
    private final String fault;

    Sides(Quantity leftQuantity, Quantity rightQuantity, int point, boolean once) {
      labels = once ? Map.of() : plan.points().get(point).labels();
      leftText = QuantityText.show(leftQuantity);
      rightText = QuantityText.show(rightQuantity);
      left = new double[plan.seeds()];
      right = new double[plan.seeds()];
      difference = new double[plan.seeds()];
      String found = "";
      for (int seed = 0; seed < plan.seeds(); seed++) {
        String unfinished = unfinished(leftQuantity, rightQuantity, point, seed);
        left[seed] = unfinished.isEmpty() ? algebra.number(leftQuantity, point, seed) : Double.NaN;
        right[seed] =
            unfinished.isEmpty() ? algebra.number(rightQuantity, point, seed) : Double.NaN;
        difference[seed] = left[seed] - right[seed];
        if (found.isEmpty()) {
          found = unfinished.isEmpty() ? notNumbers(point, seed) : unfinished;
        }
      }
      fault = found;
    }

    private String unfinished(Quantity leftQuantity, Quantity rightQuantity, int point, int seed) {
      List<TrainingResult> unfinished = new ArrayList<>();
      BiConsumer<Quantity, Map<String, String>> collect =
          (quantity, at) -> {
            TrainingResult training = algebra.training(algebra.point(at, point), seed);
            if (quantity instanceof Quantity.Series && !training.complete()) {
              unfinished.add(training);
            }
          };
      walk(leftQuantity, collect);
      walk(rightQuantity, collect);
      return unfinished.stream()
          .findFirst()
          .map(training ->
              "the training (%s) stopped after %d of %d steps"
                  .formatted(training.id().show(), training.steps(), plan.steps()))
          .orElse("");
    }

    private String notNumbers(int point, int seed) {
      long number = algebra.training(point, seed).id().seed();
      if (Double.isNaN(left[seed]) || Double.isNaN(right[seed])) {
        return "%s is NaN for seed %d"
            .formatted(Double.isNaN(left[seed]) ? leftText : rightText, number);
      }
      return Double.isNaN(difference[seed]) ? "both sides are infinite for seed " + number : "";
    }

    ClaimVerdict.Part part(boolean passed, double tolerance, String verdict) {
      Interval leftInterval = Interval.of(left);
      Interval rightInterval = Interval.of(right);
      Interval between = Interval.of(difference);
      String where = labels.isEmpty() ? "" : "At " + TrainingId.showLabels(labels) + ", ";
      String sentence =
          "%s%s is %s and %s is %s; their difference is %s over %s: %s."
              .formatted(
                  where,
                  leftText,
                  leftInterval.show(),
                  rightText,
                  rightInterval.show(),
                  between.show(),
                  left.length == 1 ? "1 seed" : left.length + " seeds",
                  verdict);
      return new ClaimVerdict.Part(
          labels, passed, leftInterval, rightInterval, between, tolerance, sentence);
    }
  }

  private static ClaimVerdict.Part compare(Sides sides, String relation) {
    if (!sides.fault.isEmpty()) {
      return sides.part(false, Double.NaN, "it fails, because " + sides.fault);
    }
    if (relation.equals("==")) {
      boolean equal =
          IntStream.range(0, sides.left.length)
              .allMatch(i -> nearlyEqual(sides.left[i], sides.right[i]));
      return sides.part(equal, Double.NaN, equal ? "equal" : "not equal for every seed");
    }
    Interval difference = Interval.of(sides.difference);
    boolean sign =
        switch (relation) {
          case "<" -> difference.mean() < 0;
          case "<=" -> difference.mean() <= 0;
          case ">" -> difference.mean() > 0;
          case ">=" -> difference.mean() >= 0;
          default -> throw new ExperimentException("there is no relation `%s`".formatted(relation));
        };
    if (!sign) {
      return sides.part(false, Double.NaN, "it fails, as the claim is `" + relation + "`");
    }
    boolean judged = difference.count() >= SEEDS_FOR_INTERVAL && difference.spread();
    if (!judged) {
      return sides.part(true, Double.NaN, "it holds");
    }
    boolean clear = difference.low() > 0 || difference.high() < 0;
    return sides.part(
        clear,
        Double.NaN,
        clear
            ? "it holds, as the 95 % interval excludes 0"
            : "the sign is right, but it fails, as the 95 % interval includes 0");
  }

  private static ClaimVerdict.Part within(Sides sides, Condition.Within within) {
    double left = Interval.of(sides.left).mean();
    double right = Interval.of(sides.right).mean();
    double tolerance =
        within.relative() ? within.tolerance() * Math.abs(right) : within.tolerance();
    String allowed =
        within.relative()
            ? "%s %% of %s, which is %s"
                .formatted(
                    Interval.show(100 * within.tolerance()),
                    sides.rightText,
                    Interval.show(tolerance))
            : Interval.show(tolerance);
    if (!sides.fault.isEmpty()) {
      return sides.part(false, tolerance, "it fails, because " + sides.fault);
    }
    boolean passed = Math.abs(left - right) <= tolerance;
    return sides.part(
        passed,
        tolerance,
        (passed ? "it holds, being within " : "it fails, being beyond ") + allowed);
  }

  private static boolean nearlyEqual(double a, double b) {
    return a == b || Math.abs(a - b) <= EQUALITY * Math.max(Math.abs(a), Math.abs(b));
  }

  private static void walk(Condition condition, BiConsumer<Quantity, Map<String, String>> visitor) {
    switch (condition) {
      case Condition.Both(Condition first, Condition second) -> {
        walk(first, visitor);
        walk(second, visitor);
      }
      case Condition.Compare(Quantity left, String relation, Quantity right) -> {
        walk(left, visitor);
        walk(right, visitor);
      }
      case Condition.Within within -> {
        walk(within.left(), visitor);
        walk(within.right(), visitor);
      }
    }
  }

  /** Visits every function of a series, every exact value and every label, with its {@code at}. */
  private static void walk(Quantity quantity, BiConsumer<Quantity, Map<String, String>> visitor) {
    switch (quantity) {
      case Quantity.Series series -> {
        visitor.accept(series, series.at());
        if (series.at().isEmpty()) {
          walk(series.of(), visitor);
        }
      }
      case Quantity.Relation relation -> {
        visitor.accept(relation, relation.at());
        if (relation.at().isEmpty()) {
          walk(relation.of(), visitor);
          walk(relation.against(), visitor);
        }
      }
      case Quantity.Exact exact -> visitor.accept(exact, exact.at());
      case Quantity.BestOf bestOf -> visitor.accept(bestOf, bestOf.at());
      case Quantity.Label label -> visitor.accept(label, Map.of());
      case Quantity.Apply apply -> apply.arguments().forEach(argument -> walk(argument, visitor));
      case Quantity.Constant constant -> {}
      case Quantity.Named named -> {}
      case Quantity.Expectation expectation -> {}
      case Quantity.Divergence divergence -> {}
      case Quantity.OccupancyDivergence divergence -> {}
      case Quantity.Entropy entropy -> {}
      case Quantity.Exploitability exploitability -> {}
    }
  }

  private static List<ClaimVerdict.Part> located(
      Claim claim, Supplier<List<ClaimVerdict.Part>> judgement) {
    try {
      return judgement.get();
    } catch (ExperimentException e) {
      throw new ExperimentException(
          "%s: `expect %s`: %s".formatted(claim.place(), claim.text(), e.getMessage()), e);
    }
  }
}
