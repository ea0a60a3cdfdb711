package org.alignlang.runtime.experiment;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntFunction;
import org.alignlang.kernel.Batch;
import org.alignlang.kernel.ObjectiveKernel;
import org.alignlang.kernel.Signature;

/**
 * An experiment, checked and compiled: what to train, on what, how long, what to record, what to
 * plot and what to claim. The compiler makes one from an {@code experiment} declaration.
 *
 * @param name the experiment's name
 * @param source the spec's path, for messages and the run directory
 * @param sourceText the spec's text, kept with the run
 * @param directory the folder that data paths are relative to
 * @param objectiveText the objective as mathematics, for the report
 * @param points the sweep: every combination of swept values, one training each; at least one
 * @param steps optimiser steps of each training
 * @param seeds how many seeds each point is run with
 * @param recordEvery steps between two records; the first and last step are always recorded
 * @param records named quantities that are followed over training
 * @param plots charts of them
 * @param claims what the experiment is expected to show
 * @param controls the same experiment without what it is about, where a claim must fail
 * @param maximumSeconds the time bound of the whole experiment
 */
public record ExperimentPlan(
    String name,
    String source,
    String sourceText,
    Path directory,
    String objectiveText,
    List<Point> points,
    int steps,
    int seeds,
    int recordEvery,
    List<Recorded> records,
    List<Plot> plots,
    List<Claim> claims,
    List<Control> controls,
    double maximumSeconds) {

  public ExperimentPlan {
    points = List.copyOf(points);
    records = List.copyOf(records);
    plots = List.copyOf(plots);
    claims = List.copyOf(claims);
    controls = List.copyOf(controls);
  }

  /**
   * What a point trains.
   *
   * @throws IllegalArgumentException if it is a study
   */
  public Training training(int point) {
    return switch (points.get(point)) {
      case Training training -> training;
      case Study study ->
          throw new IllegalArgumentException("`" + study.study().name() + "` trains nothing");
    };
  }

  /**
   * A component chosen by name with its arguments, such as {@code bandit(arms = 64)} or {@code
   * adam(rate = 0.05)}. Values are Double, Boolean, String, List, or another Component.
   */
  public record Component(String name, Map<String, Object> arguments, String place) {}

  /** One point of the sweep, complete: a training or a study. */
  public sealed interface Point {
    /**
     * The swept values at this point by name, as written, for {@code where}, {@code by} and tables;
     * empty if nothing is swept.
     */
    Map<String, String> labels();
  }

  /**
   * A computation that trains nothing.
   *
   * @param study the method with its arguments
   * @param task what it is about, where the experiment says so
   */
  public record Study(Map<String, String> labels, Component study, Optional<Component> task)
      implements Point {}

  /**
   * What is trained, and with which values.
   *
   * @param kernel the objective's kernel
   * @param parameters the kernel's parameter values, in its signature's order
   * @param task the task
   * @param policy the trained policy's form
   * @param optimizer the optimiser
   * @param batch rows (sequences or pairs) per step; 0 means: all there are
   * @param group responses per prompt for grouped objectives; at least 1
   * @param epochs how many optimiser steps reuse one sampled batch; {@code old} is the policy that
   *     sampled it
   * @param actors what each frozen actor of the objective is, such as {@code ref -> base}
   * @param blocks what each block is that is trained beside the policy, where the spec says so
   * @param draws who draws each sequence of a row that is drawn anew, by sequence; empty where rows
   *     are single responses or data
   * @param schedules what moves parameters while training, by parameter; others keep their value
   * @param closedForm the optimum in closed form, where the objective has one
   * @param others the further objectives that are trained in turn with this one
   * @param turns whose turn it is
   */
  public record Training(
      Map<String, String> labels,
      ObjectiveKernel kernel,
      double[] parameters,
      Component task,
      Component policy,
      Component optimizer,
      int batch,
      int group,
      int epochs,
      Map<String, Component> actors,
      Map<String, Component> blocks,
      Map<String, String> draws,
      Map<String, Component> schedules,
      Optional<ClosedForm> closedForm,
      List<Training> others,
      Turns turns)
      implements Point {
    public Training {
      others = List.copyOf(others);
    }

    /** The objectives in the order written, each with what is its own. */
    public List<Training> objectives() {
      List<Training> all = new ArrayList<>(List.of(this));
      all.addAll(others);
      return all;
    }
  }

  /** At which steps each of several objectives makes a step of its own. */
  public sealed interface Turns {

    /** Whether it is an objective's turn. */
    boolean moves(int objective, int step);

    /** Objective {@code i} moves at every {@code every(i)}-th step, from the first. */
    record Alternate(List<Integer> every) implements Turns {
      public static final Alternate ALONE = new Alternate(List.of(1));

      public Alternate {
        every = List.copyOf(every);
      }

      @Override
      public boolean moves(int objective, int step) {
        return step % every.get(objective) == 0;
      }
    }

    /**
     * The first objective trains blocks of the second for what becomes of the second's policy: its
     * gradient goes through the policy that the second one's optimum is, by the implicit function
     * theorem.
     *
     * @param over the blocks that the first objective trains
     * @param every how many steps the second makes for one of the first
     * @param iterations the most iterations of the conjugate gradients that solve for the response
     */
    record Bilevel(List<String> over, int every, int iterations) implements Turns {
      public Bilevel {
        over = List.copyOf(over);
      }

      @Override
      public boolean moves(int objective, int step) {
        return objective == 1 || (step + 1) % every == 0;
      }
    }

    /**
     * Objective {@code i} moves {@code steps(i)} times, then the next; after the last the first.
     */
    record Stages(List<Integer> steps) implements Turns {
      public Stages {
        steps = List.copyOf(steps);
      }

      @Override
      public boolean moves(int objective, int step) {
        int round = steps.stream().mapToInt(Integer::intValue).sum();
        int place = step % round;
        for (int i = 0; i < objective; i++) {
          place -= steps.get(i);
        }
        return place >= 0 && place < steps.get(objective);
      }
    }
  }

  /**
   * A number per row of a batch, computed from its columns: a reward as the spec defines it, or a
   * log-density. {@code inputs} are the columns it reads, by the contract names of {@link
   * Signature.Input}.
   */
  public interface RowFunction {
    List<Signature.Input> inputs();

    /** One value per row. */
    double[] apply(Batch batch);

    /**
     * The terms, where the value of a row is a sum over its tokens of terms that are made of the
     * token's own columns, its position and numbers of the batch: for each position the function
     * that gives, for rows of one token, the term of a token there. Empty where it is no such sum.
     */
    default Optional<IntFunction<RowFunction>> terms() {
      return Optional.empty();
    }
  }

  /** An optimum that is known without training, where the responses can be enumerated. */
  public sealed interface ClosedForm {
    /**
     * The maximiser of {@code E[reward] - strength * D(pi || reference)} under constraints: {@code
     * reference * exp(inverse((reward - nu) / strength))} for the right multipliers and {@code nu}.
     * Strength 0 is allowed where {@code divergenceBudget} is finite.
     *
     * @param integrand {@code x -> f(exp x)}
     * @param inverse {@code y -> log((f')^-1(y))}, increasing; -infinity below the range of f'
     * @param divergenceBudget upper bound on {@code D(pi || reference)}, infinite without one
     * @param budgetMultiplier the name of that bound's multiplier, empty without one
     */
    record Regularised(
        RowFunction reward,
        double strength,
        String reference,
        LogRatioFunction integrand,
        LogRatioFunction inverse,
        double divergenceBudget,
        String budgetMultiplier,
        List<Bound> bounds)
        implements ClosedForm {
      public Regularised {
        bounds = List.copyOf(bounds);
      }
    }

    /** The distribution proportional to {@code exp(logDensity)}. */
    record Target(RowFunction logDensity) implements ClosedForm {}

    /**
     * A constraint {@code E[value] RELATION limit}.
     *
     * @param text the constraint as written
     * @param multiplier the name of its multiplier
     */
    record Bound(
        String text, RowFunction value, String relation, double limit, String multiplier) {}
  }

  /** A named quantity that is recorded. */
  public record Recorded(String name, Quantity quantity) {}

  /**
   * A chart: {@code vertical} against {@code horizontal} (expressions over recorded names and
   * {@code step}), one line per value of the swept name {@code by}, or per sweep point if it is
   * empty.
   */
  public record Plot(Quantity vertical, Quantity horizontal, String by, String title) {}

  /**
   * A claim: a condition over the recorded series that must hold.
   *
   * @param text the condition as written
   * @param condition the condition
   * @param where only the sweep points whose labels equal these; empty means all
   * @param message what the claim means
   * @param place file and line
   */
  public record Claim(
      String text, Condition condition, Map<String, String> where, String message, String place) {}

  /**
   * A negative control: the experiment with other settings, which take away what the claims are
   * about, so that one of them at least must fail.
   *
   * @param text what is taken away
   * @param plan the experiment as it is then
   * @param place file and line
   */
  public record Control(String text, ExperimentPlan plan, String place) {}

  /** A condition over two quantities. */
  public sealed interface Condition {
    /** {@code left RELATION right} with relation {@code < <= > >= ==}. */
    record Compare(Quantity left, String relation, Quantity right) implements Condition {}

    /** {@code left within tolerance of right}; relative tolerance as a fraction of |right|. */
    record Within(Quantity left, double tolerance, boolean relative, Quantity right)
        implements Condition {}

    /** Both hold. */
    record Both(Condition first, Condition second) implements Condition {}
  }

  /** A number that can be measured during or after training. */
  public sealed interface Quantity {
    record Constant(double value) implements Quantity {}

    /** A recorded name, a kernel metric, a multiplier, {@code loss}, or {@code step}. */
    record Named(String name) implements Quantity {}

    /** A swept or fixed parameter's value at the sweep point. */
    record Label(String name) implements Quantity {}

    /**
     * {@code E[value]} under an actor's policy: exact where the task's responses can be enumerated,
     * otherwise a mean over samples. Task scores are read as columns {@code reward.NAME}.
     */
    record Expectation(String actor, String text, RowFunction value) implements Quantity {}

    /**
     * {@code D(left || right)} between two actors at sequence level, with {@code D(p || q) =
     * E_q[f(p/q)]}; exact by enumeration where possible, otherwise estimated from samples.
     */
    record Divergence(String name, LogRatioFunction integrand, String left, String right)
        implements Quantity {}

    /**
     * {@code D(left || right)} between the occupancy measures of two actors in a decision process;
     * exact.
     *
     * @param discount the discount of the measures
     */
    record OccupancyDivergence(
        String name, LogRatioFunction integrand, String left, String right, double discount)
        implements Quantity {}

    /** The entropy of an actor's response distribution in nats. */
    record Entropy(String actor) implements Quantity {}

    /**
     * The most that a response's probability of being preferred to an actor's exceeds 1/2: 0 at the
     * equilibrium of the task's preference, and half the duality gap of the symmetric game.
     */
    record Exploitability(String actor) implements Quantity {}

    /**
     * A function over a recorded quantity's series: {@code final, first, max, min, mean, argmax}
     * (the step of the maximum), {@code least_rise, largest_rise} (of neighbouring records), at
     * this claim's sweep point, or at the point whose labels are given.
     */
    record Series(String function, Quantity of, Map<String, String> at) implements Quantity {}

    /**
     * A number that is made of lists of numbers, such as the {@code slope} of one against another
     * ({@link Statistics} has the functions). The lists are series, one number per record of a
     * training; or, where {@code over} names what is swept, they have one number for each point of
     * the sweep that differs from the point at hand, or from the one that {@code at} names, in
     * those names alone.
     *
     * @param options numbers that the function takes, by name
     */
    record Statistic(
        String function,
        List<Quantity> of,
        Map<String, List<Double>> options,
        List<String> over,
        Map<String, String> at)
        implements Quantity {
      public Statistic {
        of = List.copyOf(of);
        options = Map.copyOf(options);
        over = List.copyOf(over);
      }
    }

    /**
     * What a least-squares fit of a formula gives: one of its free coefficients, {@code r_squared},
     * or {@code error}, the root of the mean squared residual. Fitted over records, or over points
     * of a sweep as a {@link Statistic} is.
     *
     * @param fit the name of the fit
     * @param result the coefficient, {@code r_squared} or {@code error}
     * @param of what is fitted
     * @param formula by what, with {@link Coefficient}s in it
     * @param free the coefficients
     */
    record Fitted(
        String fit,
        String result,
        Quantity of,
        Quantity formula,
        List<String> free,
        List<String> over)
        implements Quantity {
      public Fitted {
        free = List.copyOf(free);
        over = List.copyOf(over);
      }
    }

    /** A free coefficient in the formula of a fit. */
    record Coefficient(String name) implements Quantity {}

    /**
     * How far two numbers per response agree, over the responses of an actor and the mean over
     * prompts: {@code correlation}, {@code spearman}, {@code kendall}, {@code overlap} of the top
     * (each response once) or {@code calibration} (the expected calibration error of the first as a
     * prediction of the second).
     *
     * @param option how many are at the top, or how many bins there are
     */
    record Agreement(
        String measure,
        String actor,
        RowFunction first,
        RowFunction second,
        int option,
        String text)
        implements Quantity {}

    /**
     * How different an actor's responses to a prompt are: {@code edit_distance} and {@code
     * similarity} of two of them, in expectation, or {@code distinct}, of a number of draws; see
     * {@link org.alignlang.runtime.metric.TokenSequences}.
     *
     * @param run how many tokens the compared runs have
     * @param draws how many responses {@code distinct} looks at
     */
    record Diversity(String measure, String actor, int run, int draws) implements Quantity {}

    /** {@code exact(x)}: the value of x at the closed-form optimum of the point's objective. */
    record Exact(Quantity of, Map<String, String> at) implements Quantity {}

    /**
     * {@code best_of(x, n = 16, by = score)}: the value of x if the policy drew {@code n} responses
     * from the reference and gave the one with the highest score.
     *
     * @param reference the actor that is drawn from
     * @param count the number of draws
     * @param score what the best one is chosen by
     */
    record BestOf(
        Quantity of, String reference, Quantity count, RowFunction score, Map<String, String> at)
        implements Quantity {}

    /**
     * Arithmetic and elementary functions by their names in the language ({@code +}, {@code sqrt}).
     */
    record Apply(String function, List<Quantity> arguments) implements Quantity {}
  }

  /**
   * The integrand of a divergence in log space: {@code x -> f(exp x)}, with {@code f} convex and
   * {@code f(1) = 0}.
   */
  @FunctionalInterface
  public interface LogRatioFunction {
    double applyAsDouble(double logRatio);
  }
}
