package org.alignlang.runtime.experiment;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.alignlang.runtime.experiment.ExperimentPlan.Claim;
import org.alignlang.runtime.experiment.ExperimentPlan.Condition;
import org.alignlang.runtime.experiment.ExperimentPlan.Quantity;

/**
 * Judges claims by what was recorded.
 *
 * <p>A claim is judged at each sweep point that its {@code where} selects. Where all its series
 * name their own points, or are made over points, it is judged once for each combination of the
 * swept values that they leave open; once in all, if they leave none. Over seeds:
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
            for (Place place : places(claim)) {
              sides(claim.condition()).forEach(quantity -> trainingsOf(quantity, place.point()));
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
              for (Place place : places(claim)) {
                judge(claim.condition(), place, found);
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

  /**
   * Where a claim is judged.
   *
   * @param point the point at hand
   * @param labels what of its swept values matters
   */
  private record Place(int point, Map<String, String> labels) {}

  private List<Place> places(Claim claim) {
    List<Integer> points =
        claim.where().isEmpty()
            ? IntStream.range(0, plan.points().size()).boxed().toList()
            : algebra.selected(claim.where());
    Set<String> open = new TreeSet<>();
    Set<String> over = new TreeSet<>();
    boolean whole = wholePoint(claim.condition(), open, over);
    if (whole) {
      return points.stream()
          .map(point -> new Place(point, plan.points().get(point).labels()))
          .toList();
    }
    Set<String> needed = new TreeSet<>(open);
    needed.addAll(over);
    List<Integer> complete =
        points.stream()
            .filter(point -> plan.points().get(point).labels().keySet().containsAll(needed))
            .toList();
    Map<Map<String, String>, Integer> places = new LinkedHashMap<>();
    for (int point : complete.isEmpty() ? points : complete) {
      Map<String, String> labels = new LinkedHashMap<>(plan.points().get(point).labels());
      labels.keySet().retainAll(open);
      places.putIfAbsent(labels, point);
    }
    return places.entrySet().stream()
        .map(place -> new Place(place.getValue(), place.getKey()))
        .toList();
  }

  private boolean wholePoint(Condition condition, Set<String> open, Set<String> over) {
    boolean whole = false;
    for (Quantity side : sides(condition)) {
      whole |= needsWholePoint(side, open, over);
    }
    return whole;
  }

  /**
   * Whether a quantity is about the point at hand, whatever is swept; if not, collects the names
   * that it leaves open and those that it goes over.
   */
  private boolean needsWholePoint(Quantity quantity, Set<String> open, Set<String> over) {
    return switch (quantity) {
      case Quantity.Series series -> needsWholePoint(series.at(), open);
      case Quantity.Exact exact -> needsWholePoint(exact.at(), open);
      case Quantity.BestOf bestOf -> needsWholePoint(bestOf.at(), open);
      case Quantity.Statistic statistic -> {
        if (statistic.over().isEmpty()) {
          yield needsWholePoint(statistic.at(), open);
        }
        over.addAll(statistic.over());
        open.addAll(algebra.leftOpen(statistic.at(), statistic.over()));
        yield false;
      }
      case Quantity.Fitted fitted -> {
        if (fitted.over().isEmpty()) {
          yield true;
        }
        over.addAll(fitted.over());
        open.addAll(algebra.leftOpen(Map.of(), fitted.over()));
        yield false;
      }
      case Quantity.Apply apply -> {
        boolean whole = false;
        for (Quantity argument : apply.arguments()) {
          whole |= needsWholePoint(argument, open, over);
        }
        yield whole;
      }
      case Quantity.Constant _ -> false;
      case Quantity.Label _,
          Quantity.Named _,
          Quantity.Coefficient _,
          Quantity.Expectation _,
          Quantity.Divergence _,
          Quantity.OccupancyDivergence _,
          Quantity.Entropy _,
          Quantity.Exploitability _,
          Quantity.Agreement _,
          Quantity.Diversity _ ->
          true;
    };
  }

  private boolean needsWholePoint(Map<String, String> at, Set<String> open) {
    if (at.isEmpty()) {
      return true;
    }
    open.addAll(algebra.leftOpen(at, List.of()));
    return false;
  }

  private void judge(Condition condition, Place place, List<ClaimVerdict.Part> parts) {
    switch (condition) {
      case Condition.Both(Condition first, Condition second) -> {
        judge(first, place, parts);
        judge(second, place, parts);
      }
      case Condition.Compare(Quantity left, String relation, Quantity right) ->
          parts.add(compare(new Sides(left, right, place), relation));
      case Condition.Within within ->
          parts.add(within(new Sides(within.left(), within.right(), place), within));
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

    Sides(Quantity leftQuantity, Quantity rightQuantity, Place place) {
      int point = place.point();
      labels = place.labels();
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
      Set<Integer> points = new LinkedHashSet<>(trainingsOf(leftQuantity, point));
      points.addAll(trainingsOf(rightQuantity, point));
      return points.stream()
          .map(of -> algebra.training(of, seed))
          .filter(training -> !training.complete())
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
      String over = left.length == 1 ? "1 seed" : left.length + " seeds";
      String sentence =
          rightText.equals(rightInterval.show())
              ? "%s%s is %s over %s, against %s: %s."
                  .formatted(where, leftText, leftInterval.show(), over, rightText, verdict)
              : "%s%s is %s and %s is %s; their difference is %s over %s: %s."
                  .formatted(
                      where,
                      leftText,
                      leftInterval.show(),
                      rightText,
                      rightInterval.show(),
                      between.show(),
                      over,
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

  /** The numbers that a condition compares. */
  private static List<Quantity> sides(Condition condition) {
    return switch (condition) {
      case Condition.Both(Condition first, Condition second) -> {
        List<Quantity> both = new ArrayList<>(sides(first));
        both.addAll(sides(second));
        yield both;
      }
      case Condition.Compare(Quantity left, String relation, Quantity right) ->
          List.of(left, right);
      case Condition.Within within -> List.of(within.left(), within.right());
    };
  }

  /**
   * The points whose trainings a quantity reads.
   *
   * @throws ExperimentException if it names points that are not there, or are several
   */
  private Set<Integer> trainingsOf(Quantity quantity, int point) {
    return switch (quantity) {
      case Quantity.Series series ->
          series.at().isEmpty()
              ? with(point, trainingsOf(series.of(), point))
              : Set.of(algebra.point(series.at(), point));
      case Quantity.Statistic statistic -> {
        int where = algebra.point(statistic.at(), statistic.over(), point);
        List<Integer> read =
            statistic.over().isEmpty() ? List.of(where) : algebra.along(statistic.over(), where);
        Set<Integer> all = new LinkedHashSet<>(read);
        read.forEach(at -> statistic.of().forEach(of -> all.addAll(trainingsOf(of, at))));
        yield all;
      }
      case Quantity.Fitted fitted ->
          new LinkedHashSet<>(
              fitted.over().isEmpty() ? List.of(point) : algebra.along(fitted.over(), point));
      case Quantity.Apply apply -> {
        Set<Integer> all = new LinkedHashSet<>();
        apply.arguments().forEach(argument -> all.addAll(trainingsOf(argument, point)));
        yield all;
      }
      case Quantity.Exact exact -> {
        algebra.point(exact.at(), point);
        yield Set.of();
      }
      case Quantity.BestOf bestOf -> {
        algebra.point(bestOf.at(), point);
        yield Set.of();
      }
      case Quantity.Constant _,
          Quantity.Label _,
          Quantity.Coefficient _,
          Quantity.Named _,
          Quantity.Expectation _,
          Quantity.Divergence _,
          Quantity.OccupancyDivergence _,
          Quantity.Entropy _,
          Quantity.Exploitability _,
          Quantity.Agreement _,
          Quantity.Diversity _ ->
          Set.of();
    };
  }

  private static Set<Integer> with(int point, Set<Integer> others) {
    Set<Integer> all = new LinkedHashSet<>(List.of(point));
    all.addAll(others);
    return all;
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
