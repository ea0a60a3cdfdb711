package org.alignlang.runtime.study;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.alignlang.runtime.argument.Arguments;
import org.alignlang.runtime.policy.Responses;
import org.alignlang.runtime.task.Task;
import org.alignlang.runtime.task.Task.Response;
import org.apache.commons.math3.analysis.MultivariateFunction;
import org.apache.commons.math3.exception.TooManyEvaluationsException;
import org.apache.commons.math3.linear.Array2DRowRealMatrix;
import org.apache.commons.math3.linear.ArrayRealVector;
import org.apache.commons.math3.linear.CholeskyDecomposition;
import org.apache.commons.math3.linear.NonPositiveDefiniteMatrixException;
import org.apache.commons.math3.optim.InitialGuess;
import org.apache.commons.math3.optim.MaxEval;
import org.apache.commons.math3.optim.nonlinear.scalar.GoalType;
import org.apache.commons.math3.optim.nonlinear.scalar.ObjectiveFunction;
import org.apache.commons.math3.optim.nonlinear.scalar.noderiv.NelderMeadSimplex;
import org.apache.commons.math3.optim.nonlinear.scalar.noderiv.SimplexOptimizer;

/**
 * Study {@code threshold_search}: the thresholds of a task's rewards for which the policy nearest
 * to the base policy is best by another score, by the simplex search of Nelder and Mead (1965).
 *
 * <p>Thresholds {@code c} are judged by {@code E[gold]} under {@code argmin KL(pi || base)} subject
 * to {@code E[r_i] = c_i} for all {@code i}, which is {@code base e^(l . r) / Z} per prompt, with
 * multipliers {@code l} at the minimum of {@code mean over prompts of log Z(l) - l . c} (Newton's
 * method); thresholds that no policy meets are worse than any that one does. Reflection 1,
 * expansion 2, contraction and shrinking 0.5.
 *
 * <p>Arguments: {@code rewards}, names of the task's scores; {@code gold} ({@code "gold"}), the one
 * that is searched by; {@code start}, the first thresholds; {@code size} (0.05), the side of the
 * first simplex; {@code evaluations} (60). The series has one number per evaluation.
 *
 * <p>Source: Moskovitz et al., "Confronting Reward Model Overoptimization with Constrained RLHF",
 * 2024, section 5, whose inner problem is a training.
 */
public final class ThresholdSearch implements StudyProvider {
  private static final int MOST_RESPONSES = 1 << 16;
  private static final int NEWTON_STEPS = 100;
  private static final double PRECISION = 1e-10;

  /** What thresholds get that no policy meets; scores are far above. */
  private static final double UNMET = -1e30;

  @Override
  public String name() {
    return "threshold_search";
  }

  @Override
  public boolean takesTask() {
    return true;
  }

  @Override
  public String summary() {
    return "thresholds of rewards for which the nearest policy is best by another score";
  }

  @Override
  public Map<String, String> quantities() {
    Map<String, String> quantities = new LinkedHashMap<>();
    quantities.put("gold", "the score of the best policy so far");
    quantities.put("divergence", "its KL(pi || base), in nats");
    quantities.put("shift", "how far its thresholds are from the first ones, the largest of them");
    return quantities;
  }

  @Override
  public Set<String> lists() {
    return Set.of("rewards", "start");
  }

  @Override
  public Findings run(Arguments arguments, Optional<Task> task, Path dataDirectory, long seed) {
    Task given =
        task.orElseThrow(() ->
            new IllegalArgumentException("study `threshold_search` needs a task with rewards"));
    List<String> names = names(arguments);
    String gold = arguments.text("gold").orElse("gold");
    double[] start =
        arguments
            .reals("start", -1e9, 1e9)
            .orElseThrow(() -> arguments.missing("start", "one threshold per reward"));
    if (start.length != names.size()) {
      throw arguments.wrong("start", names.size() + " numbers, one per reward", start.length);
    }
    double size = arguments.above("size", 0.05, 0);
    int evaluations = arguments.integer("evaluations", 60, 1, 100_000);
    Problem problem = Problem.of(given, names, gold);
    if (problem.at(start).isEmpty()) {
      throw arguments.wrong("start", "thresholds that a policy meets", Arrays.toString(start));
    }
    arguments.requireAllRead();

    double[] best = new double[evaluations];
    double[] divergence = new double[evaluations];
    double[] shift = new double[evaluations];
    int[] done = {0};
    MultivariateFunction judged =
        point -> {
          Studies.nextRound();
          Optional<Nearest> found = problem.at(point);
          int i = done[0]++;
          double value = found.map(Nearest::gold).orElse(UNMET);
          if (i > 0) {
            best[i] = best[i - 1];
            divergence[i] = divergence[i - 1];
            shift[i] = shift[i - 1];
          }
          if (i == 0 || value > best[i]) {
            best[i] = value;
            divergence[i] = found.map(Nearest::divergence).orElse(Double.NaN);
            shift[i] = 0;
            for (int k = 0; k < start.length; k++) {
              shift[i] = Math.max(shift[i], Math.abs(point[k] - start[k]));
            }
          }
          return value;
        };
    try {
      new SimplexOptimizer(PRECISION, PRECISION)
          .optimize(
              new MaxEval(evaluations),
              new ObjectiveFunction(judged),
              GoalType.MAXIMIZE,
              new InitialGuess(start),
              new NelderMeadSimplex(start.length, size));
    } catch (TooManyEvaluationsException e) {
      // The number of evaluations is what was asked for.
    }
    for (int i = done[0]; i < evaluations; i++) {
      best[i] = best[done[0] - 1];
      divergence[i] = divergence[done[0] - 1];
      shift[i] = shift[done[0] - 1];
    }
    Map<String, double[]> series = new LinkedHashMap<>();
    series.put("gold", best);
    series.put("divergence", divergence);
    series.put("shift", shift);
    return new Findings(series);
  }

  private static List<String> names(Arguments arguments) {
    Object given =
        arguments
            .value("rewards")
            .orElseThrow(() -> arguments.missing("rewards", "names of the task's scores"));
    List<String> names = new ArrayList<>();
    for (Object name : given instanceof List<?> list ? list : List.of(given)) {
      if (!(name instanceof String text)) {
        throw arguments.wrong("rewards", "names in quotes", name);
      }
      names.add(text);
    }
    return names;
  }

  /** A policy that is nearest to the base policy among those that meet thresholds. */
  record Nearest(double gold, double divergence, double[] multipliers) {}

  /**
   * All responses of a task.
   *
   * @param base log-probabilities, {@code [prompts][responses]}
   * @param rewards {@code [prompts][responses][rewards]}
   * @param gold {@code [prompts][responses]}
   */
  record Problem(double[][] base, double[][][] rewards, double[][] gold) {
    static Problem of(Task task, List<String> names, String gold) {
      double[][] base = new double[task.prompts()][];
      double[][][] rewards = new double[task.prompts()][][];
      double[][] golden = new double[task.prompts()][];
      int left = MOST_RESPONSES;
      for (int prompt = 0; prompt < task.prompts(); prompt++) {
        List<Response> all = task.responses(prompt, left);
        if (all.isEmpty()) {
          throw new IllegalArgumentException(
              "study `threshold_search` sums over all responses, and task `%s` has more than %d"
                  .formatted(task.name(), MOST_RESPONSES));
        }
        left -= all.size();
        base[prompt] = Responses.logProbabilities(task.base(), all);
        rewards[prompt] =
            all.stream()
                .map(y -> names.stream().mapToDouble(name -> number(task, name, y)).toArray())
                .toArray(double[][]::new);
        golden[prompt] = all.stream().mapToDouble(y -> number(task, gold, y)).toArray();
      }
      return new Problem(base, rewards, golden);
    }

    private static double number(Task task, String score, Response response) {
      double[] values = task.score(score, response);
      if (task.perToken(score) || values.length != 1) {
        throw new IllegalArgumentException(
            "score `%s` of task `%s` is not one number per response".formatted(score, task.name()));
      }
      return values[0];
    }

    /** The nearest policy with these expected rewards; empty if there is none. */
    Optional<Nearest> at(double[] thresholds) {
      int n = thresholds.length;
      double[] multipliers = new double[n];
      double value = dual(multipliers, thresholds);
      for (int step = 0; step < NEWTON_STEPS; step++) {
        double[] gradient = new double[n];
        double[][] covariance = moments(multipliers, gradient);
        double error = 0;
        for (int i = 0; i < n; i++) {
          gradient[i] -= thresholds[i];
          error = Math.max(error, Math.abs(gradient[i]));
        }
        if (error < PRECISION) {
          return Optional.of(nearest(multipliers));
        }
        double[] direction;
        try {
          direction =
              new CholeskyDecomposition(new Array2DRowRealMatrix(covariance, false))
                  .getSolver()
                  .solve(new ArrayRealVector(gradient, false))
                  .toArray();
        } catch (NonPositiveDefiniteMatrixException e) {
          // The policy has become a point: what is asked for is at or beyond the edge.
          return Optional.empty();
        }
        double size = 1;
        double[] next = moved(multipliers, direction, size);
        double after = dual(next, thresholds);
        while (!(after < value) && size > PRECISION) {
          size /= 2;
          next = moved(multipliers, direction, size);
          after = dual(next, thresholds);
        }
        if (!(after < value)) {
          return error < Math.sqrt(PRECISION)
              ? Optional.of(nearest(multipliers))
              : Optional.empty();
        }
        multipliers = next;
        value = after;
      }
      return Optional.empty();
    }

    private static double[] moved(double[] from, double[] direction, double size) {
      double[] to = from.clone();
      for (int i = 0; i < to.length; i++) {
        to[i] -= size * direction[i];
      }
      return to;
    }

    /** {@code mean over prompts of log Z(l) - l . c}, which is convex in the multipliers. */
    private double dual(double[] multipliers, double[] thresholds) {
      double sum = 0;
      for (int prompt = 0; prompt < base.length; prompt++) {
        sum += Responses.logSumExp(logits(prompt, multipliers)) / base.length;
      }
      for (int i = 0; i < multipliers.length; i++) {
        sum -= multipliers[i] * thresholds[i];
      }
      return sum;
    }

    private double[] logits(int prompt, double[] multipliers) {
      double[] logits = base[prompt].clone();
      for (int y = 0; y < logits.length; y++) {
        for (int i = 0; i < multipliers.length; i++) {
          logits[y] += multipliers[i] * rewards[prompt][y][i];
        }
      }
      return logits;
    }

    /** The covariance of the rewards under the tilted policy; their means go to an array. */
    private double[][] moments(double[] multipliers, double[] means) {
      int n = multipliers.length;
      double[][] covariance = new double[n][n];
      for (int prompt = 0; prompt < base.length; prompt++) {
        double[] tilted = logits(prompt, multipliers);
        Responses.logSoftmax(tilted);
        double[] mean = new double[n];
        double[][] product = new double[n][n];
        for (int y = 0; y < tilted.length; y++) {
          double weight = Math.exp(tilted[y]);
          double[] r = rewards[prompt][y];
          for (int i = 0; i < n; i++) {
            mean[i] += weight * r[i];
            for (int j = 0; j < n; j++) {
              product[i][j] += weight * r[i] * r[j];
            }
          }
        }
        for (int i = 0; i < n; i++) {
          means[i] += mean[i] / base.length;
          for (int j = 0; j <= i; j++) {
            covariance[i][j] += (product[i][j] - mean[i] * mean[j]) / base.length;
            covariance[j][i] = covariance[i][j];
          }
        }
      }
      return covariance;
    }

    private Nearest nearest(double[] multipliers) {
      double earned = 0;
      double divergence = 0;
      for (int prompt = 0; prompt < base.length; prompt++) {
        double[] tilted = logits(prompt, multipliers);
        Responses.logSoftmax(tilted);
        for (int y = 0; y < tilted.length; y++) {
          double weight = Math.exp(tilted[y]) / base.length;
          if (weight > 0) {
            earned += weight * gold[prompt][y];
            divergence += weight * (tilted[y] - base[prompt][y]);
          }
        }
      }
      return new Nearest(earned, divergence, multipliers);
    }
  }
}
