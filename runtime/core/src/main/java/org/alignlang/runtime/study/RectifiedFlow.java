package org.alignlang.runtime.study;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.alignlang.runtime.argument.Arguments;
import org.alignlang.runtime.random.CounterRandom;
import org.alignlang.runtime.task.Task;
import org.apache.commons.statistics.distribution.NormalDistribution;

/**
 * Study {@code rectified_flow}: a generator of numbers is aligned with a linear reward.
 *
 * <p>Data {@code x0} is a mixture of normals; with noise {@code e} a path is {@code x_t = (1 - t)
 * x0 + t e} and its velocity {@code v = e - x0}. Samples are drawn by integrating a velocity field
 * from noise at {@code t = 1} to {@code t = 0} (Runge and Kutta, fourth order). Methods:
 *
 * <ul>
 *   <li>{@code regression}: the field is fitted to the data by least squares
 *   <li>{@code weighted}: the same with weights {@code exp(reward(x0))}, scaled to mean 1
 *       (Flow-RWR)
 *   <li>{@code preference}: from the fitted field {@code v0}, descent of {@code -log s(-(b_t / 2)
 *       (D(w) - D(l)))}, {@code D(x) = (v - field(x_t))^2 - (v - v0(x_t))^2}, on pairs of draws of
 *       the data of which the one with the larger reward is {@code w} (Flow-DPO); winner and loser
 *       share {@code t} and {@code e}
 *   <li>{@code guidance}: the data's own field, in closed form, less {@code t / (1 - t)} times the
 *       gradient of what the reward of {@code x0} is in expectation given {@code x_t} (Flow-NRG)
 * </ul>
 *
 * <p>Fitted fields are linear in Gaussian bumps on a grid, {@code columns} over position and {@code
 * rows} over time.
 *
 * <p>Source: Liu et al., "Improving Video Generation with Human Feedback", 2025; Liu et al., "Flow
 * Straight and Fast", 2023 (rectified flow).
 *
 * <p>Arguments: {@code means} ({@code [-1, 1]}), {@code deviations} ({@code [0.3, 0.3]}), {@code
 * shares} ({@code [0.7, 0.3]}) of the mixture; {@code method}; {@code slopes} ({@code [1]}) of the
 * rewards {@code a_i x}, {@code weights} ({@code [1]}) of each and {@code strength} (1) of all;
 * {@code scale} of the guidance ({@code flow} for {@code t / (1 - t)} or {@code constant} for 1);
 * {@code beta} (5); {@code schedule} of {@code b_t} ({@code constant}, or {@code time} for {@code
 * beta (1 - t)^2}); {@code label_noise} (0); {@code steps} (300), {@code batch} (256) and {@code
 * rate} (0.02) of the descent, by Adam; {@code data} (6000), {@code samples} (400), {@code columns}
 * (19), {@code rows} (9).
 */
public final class RectifiedFlow implements StudyProvider {
  /** Steps of the integration from noise to data. */
  private static final int INTEGRATION = 60;

  /** As near to time 1 as the guidance is evaluated, where its coefficient has a limit. */
  private static final double LATEST = 1 - 1e-9;

  /** The share of the unit by which least squares are held to 0, where there is no data. */
  private static final double RIDGE = 1e-4;

  @Override
  public String name() {
    return "rectified_flow";
  }

  @Override
  public String summary() {
    return "a one-dimensional rectified flow aligned by regression, preferences or guidance";
  }

  @Override
  public Map<String, String> quantities() {
    Map<String, String> quantities = new LinkedHashMap<>();
    quantities.put("average", "the mean of the samples");
    quantities.put("deviation", "the standard deviation of the samples");
    quantities.put("right", "the share of samples above 0");
    quantities.put("astray", "the mean distance of the samples to the nearest mean of the data");
    quantities.put("tilted", "the share above 0 of the data tilted by exp(reward), in closed form");
    return quantities;
  }

  @Override
  public Set<String> lists() {
    return Set.of("means", "deviations", "shares", "slopes", "weights");
  }

  @Override
  public Findings run(Arguments arguments, Optional<Task> task, Path dataDirectory, long seed) {
    Mixture data = mixture(arguments);
    double[] slopes = arguments.reals("slopes", -100, 100).orElse(new double[] {1});
    double[] weights = arguments.reals("weights", -100, 100).orElse(new double[] {1});
    if (slopes.length != weights.length) {
      throw arguments.wrong("weights", "one number for each of `slopes`", weights.length);
    }
    double slope = arguments.real("strength", 1, -100, 100) * dot(slopes, weights);
    String method =
        arguments
            .word("method", List.of("regression", "weighted", "preference", "guidance"))
            .orElse("regression");
    int count = arguments.integer("samples", 400, 2, 1 << 16);
    CounterRandom random = CounterRandom.of(seed).stream("rectified_flow");
    Optional<Field> guided =
        method.equals("guidance") ? Optional.of(guided(arguments, data, slope)) : Optional.empty();
    Optional<Regression> regression =
        guided.isPresent() ? Optional.empty() : Optional.of(Regression.read(arguments));
    Optional<Descent> descent =
        method.equals("preference") ? Optional.of(Descent.read(arguments)) : Optional.empty();
    arguments.requireAllRead();
    Field field =
        guided.orElseGet(() -> {
          Bumps base =
              fitted(regression.orElseThrow(), data, slope, method.equals("weighted"), random);
          return descent.map(d -> preferred(d, data, slope, base, random)).orElse(base);
        });
    return findings(data, slope, samples(field, count));
  }

  private static Mixture mixture(Arguments arguments) {
    double[] means = arguments.reals("means", -100, 100).orElse(new double[] {-1, 1});
    double[] deviations = arguments.reals("deviations", 1e-3, 100).orElse(new double[] {0.3, 0.3});
    double[] shares = arguments.reals("shares", 0, 1).orElse(new double[] {0.7, 0.3});
    if (means.length == 0 || deviations.length != means.length) {
      throw arguments.wrong("deviations", "one number for each of `means`", deviations.length);
    }
    if (shares.length != means.length || Math.abs(Arrays.stream(shares).sum() - 1) > 1e-9) {
      throw arguments.wrong(
          "shares", "one number for each of `means` with sum 1", Arrays.toString(shares));
    }
    return new Mixture(means, deviations, shares);
  }

  private static Field guided(Arguments arguments, Mixture data, double slope) {
    boolean flow =
        arguments.word("scale", List.of("flow", "constant")).orElse("flow").equals("flow");
    return (x, t) -> {
      double at = Math.min(t, LATEST);
      double coefficient = flow ? at / (1 - at) : 1;
      return data.velocity(x, at) - coefficient * slope * data.sensitivity(x, at);
    };
  }

  /** How the field is fitted: draws of the data, and bumps over position and time. */
  private record Regression(int count, int columns, int rows) {
    static Regression read(Arguments arguments) {
      return new Regression(
          arguments.integer("data", 6000, 100, 1 << 18),
          arguments.integer("columns", 19, 2, 64),
          arguments.integer("rows", 9, 2, 32));
    }
  }

  /** How the preference loss is descended. */
  private record Descent(
      double beta, boolean constant, double labelNoise, int steps, int batch, double rate) {
    static Descent read(Arguments arguments) {
      return new Descent(
          arguments.above("beta", 5, 0),
          arguments
              .word("schedule", List.of("constant", "time"))
              .orElse("constant")
              .equals("constant"),
          arguments.real("label_noise", 0, 0, 1),
          arguments.integer("steps", 300, 1, 100_000),
          arguments.integer("batch", 256, 1, 1 << 16),
          arguments.above("rate", 0.02, 0));
    }
  }

  private static Bumps fitted(
      Regression regression, Mixture data, double slope, boolean weighted, CounterRandom random) {
    int count = regression.count();
    Bumps field = Bumps.over(data.reach(), regression.columns(), regression.rows());
    double[] x0 = new double[count];
    double[] weights = new double[count];
    CounterRandom draws = random.stream("data");
    for (int i = 0; i < count; i++) {
      x0[i] = data.draw(draws);
      weights[i] = weighted ? Math.exp(slope * x0[i]) : 1;
    }
    double mean = Arrays.stream(weights).average().orElseThrow();
    double[] noise = Draws.normals(random.stream("noise"), count, 1);
    CounterRandom times = random.stream("times");
    LeastSquares fit = new LeastSquares(field.size());
    double[] features = new double[field.size()];
    for (int i = 0; i < count; i++) {
      double t = times.nextDouble();
      field.features((1 - t) * x0[i] + t * noise[i], t, features);
      fit.add(features, noise[i] - x0[i], weights[i] / mean / count);
    }
    return field.with(fit.solve(RIDGE / count));
  }

  /** Descends the preference loss from a field, by Adam. */
  private static Bumps preferred(
      Descent descent, Mixture data, double slope, Bumps base, CounterRandom random) {
    int batch = descent.batch();
    double[] theta = base.weights().clone();
    Bumps field = base.with(theta);
    Preference loss = new Preference(base, field);
    double[] first = new double[theta.length];
    double[] second = new double[theta.length];
    for (int step = 1; step <= descent.steps(); step++) {
      Studies.nextRound();
      CounterRandom draws = random.stream("pairs").stream(step);
      double[] noise = Draws.normals(draws.stream("noise"), batch, 1);
      double[] gradient = new double[theta.length];
      for (int i = 0; i < batch; i++) {
        double a = data.draw(draws);
        double b = data.draw(draws);
        double t = draws.nextDouble();
        boolean firstWins = (slope * a > slope * b) != (draws.nextDouble() < descent.labelNoise());
        double strength = descent.beta() * (descent.constant() ? 1 : (1 - t) * (1 - t));
        loss.add(firstWins ? a : b, firstWins ? b : a, noise[i], t, strength, batch, gradient);
      }
      for (int j = 0; j < theta.length; j++) {
        first[j] = 0.9 * first[j] + 0.1 * gradient[j];
        second[j] = 0.999 * second[j] + 0.001 * gradient[j] * gradient[j];
        theta[j] -=
            descent.rate()
                * first[j]
                / (1 - Math.pow(0.9, step))
                / (Math.sqrt(second[j] / (1 - Math.pow(0.999, step))) + 1e-8);
      }
    }
    return field;
  }

  /**
   * The Flow-DPO loss of a pair, with its gradient in the weights of a field.
   *
   * @param base the field that is the reference
   * @param field the field that is trained
   */
  record Preference(Bumps base, Bumps field) {
    /**
     * Adds the gradient of one pair's loss over {@code count}.
     *
     * @param strength {@code b_t}
     * @return the loss of the pair
     */
    double add(
        double winner,
        double loser,
        double noise,
        double t,
        double strength,
        int count,
        double[] gradient) {
      double[] better = new double[field.size()];
      double[] worse = new double[field.size()];
      double xw = (1 - t) * winner + t * noise;
      double xl = (1 - t) * loser + t * noise;
      field.features(xw, t, better);
      field.features(xl, t, worse);
      double missedBetter = noise - winner - dot(field.weights(), better);
      double missedWorse = noise - loser - dot(field.weights(), worse);
      double baseBetter = noise - winner - dot(base.weights(), better);
      double baseWorse = noise - loser - dot(base.weights(), worse);
      double margin =
          -strength
              / 2
              * (missedBetter * missedBetter
                  - baseBetter * baseBetter
                  - missedWorse * missedWorse
                  + baseWorse * baseWorse);
      // d(-log s(m)) = -s(-m) dm, and dm = b_t (missed(w) phi(w) - missed(l) phi(l)).
      double pull = strength / (1 + Math.exp(margin)) / count;
      for (int j = 0; j < gradient.length; j++) {
        gradient[j] -= pull * (missedBetter * better[j] - missedWorse * worse[j]);
      }
      return Math.log1p(Math.exp(-Math.abs(margin))) + Math.max(-margin, 0);
    }
  }

  /** Data drawn from equally spaced quantiles of the noise. */
  private static double[] samples(Field field, int count) {
    NormalDistribution normal = NormalDistribution.of(0, 1);
    double[] samples = new double[count];
    double h = 1.0 / INTEGRATION;
    for (int i = 0; i < count; i++) {
      double x = normal.inverseCumulativeProbability((i + 0.5) / count);
      for (int step = 0; step < INTEGRATION; step++) {
        double t = 1 - step * h;
        double k1 = field.at(x, t);
        double k2 = field.at(x - h / 2 * k1, t - h / 2);
        double k3 = field.at(x - h / 2 * k2, t - h / 2);
        double k4 = field.at(x - h * k3, Math.max(t - h, 0));
        x -= h / 6 * (k1 + 2 * k2 + 2 * k3 + k4);
      }
      samples[i] = x;
    }
    return samples;
  }

  private static Findings findings(Mixture data, double slope, double[] samples) {
    double average = Arrays.stream(samples).average().orElseThrow();
    double variance =
        Arrays.stream(samples).map(x -> (x - average) * (x - average)).average().orElseThrow();
    double right = Arrays.stream(samples).filter(x -> x > 0).count() / (double) samples.length;
    double astray = Arrays.stream(samples).map(data::distance).average().orElseThrow();
    Map<String, double[]> found = new LinkedHashMap<>();
    found.put("average", new double[] {average});
    found.put("deviation", new double[] {Math.sqrt(variance)});
    found.put("right", new double[] {right});
    found.put("astray", new double[] {astray});
    found.put("tilted", new double[] {data.tilted(slope)});
    return new Findings(found);
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }

  /** A velocity at a position and a time. */
  @FunctionalInterface
  interface Field {
    double at(double x, double t);
  }

  /** A mixture of normal distributions, and what is known of paths that end in it. */
  record Mixture(double[] means, double[] deviations, double[] shares) {
    double draw(CounterRandom random) {
      int k = Draws.index(random, shares);
      double u = random.nextDouble();
      return NormalDistribution.of(means[k], deviations[k])
          .inverseCumulativeProbability(Math.max(u, Double.MIN_NORMAL));
    }

    /** How far data and noise reach to both sides. */
    double reach() {
      double reach = 3.5;
      for (int k = 0; k < means.length; k++) {
        reach = Math.max(reach, Math.abs(means[k]) + 4 * deviations[k]);
      }
      return reach;
    }

    double distance(double x) {
      return Arrays.stream(means).map(mean -> Math.abs(x - mean)).min().orElseThrow();
    }

    /** The share above 0 under the density times {@code exp(slope x)}, normalised. */
    double tilted(double slope) {
      double above = 0;
      double total = 0;
      for (int k = 0; k < means.length; k++) {
        double variance = deviations[k] * deviations[k];
        double mass = shares[k] * Math.exp(slope * means[k] + slope * slope * variance / 2);
        total += mass;
        above +=
            mass
                * NormalDistribution.of(means[k] + slope * variance, deviations[k])
                    .survivalProbability(0);
      }
      return above / total;
    }

    /** {@code E[e - x0 | x_t = x]} for {@code t} above 0; {@code (x - E[x0 | x_t]) / t}. */
    double velocity(double x, double t) {
      double[] posterior = posterior(x, t);
      double velocity = 0;
      for (int k = 0; k < means.length; k++) {
        double variance = deviations[k] * deviations[k];
        // E[e - x0] of one normal, without a division by t.
        velocity +=
            posterior[k]
                * ((t - (1 - t) * variance) / spread(k, t) * (x - (1 - t) * means[k]) - means[k]);
      }
      return velocity;
    }

    /** The derivative of {@code E[x0 | x_t = x]} in {@code x}. */
    double sensitivity(double x, double t) {
      double[] posterior = posterior(x, t);
      double mean = 0;
      double steepness = 0;
      double both = 0;
      double own = 0;
      for (int k = 0; k < means.length; k++) {
        double gain = deviations[k] * deviations[k] * (1 - t) / spread(k, t);
        double away = x - (1 - t) * means[k];
        double expected = means[k] + gain * away;
        double slope = -away / spread(k, t);
        own += posterior[k] * gain;
        mean += posterior[k] * expected;
        steepness += posterior[k] * slope;
        both += posterior[k] * slope * expected;
      }
      return own + both - mean * steepness;
    }

    /** The variance of {@code x_t} from one component. */
    private double spread(int k, double t) {
      return (1 - t) * (1 - t) * deviations[k] * deviations[k] + t * t;
    }

    /** How probable each component is, given {@code x_t}. */
    private double[] posterior(double x, double t) {
      double[] logs = new double[means.length];
      double highest = Double.NEGATIVE_INFINITY;
      for (int k = 0; k < means.length; k++) {
        double away = x - (1 - t) * means[k];
        double spread = spread(k, t);
        logs[k] = Math.log(shares[k]) - away * away / (2 * spread) - Math.log(spread) / 2;
        highest = Math.max(highest, logs[k]);
      }
      double total = 0;
      for (int k = 0; k < means.length; k++) {
        logs[k] = Math.exp(logs[k] - highest);
        total += logs[k];
      }
      for (int k = 0; k < means.length; k++) {
        logs[k] /= total;
      }
      return logs;
    }
  }

  /**
   * A field that is linear in Gaussian bumps, as wide as they are apart.
   *
   * @param reach the outermost positions
   * @param weights one per bump, {@code [columns][rows]}, flat
   */
  record Bumps(double reach, int columns, int rows, double[] weights) implements Field {
    static Bumps over(double reach, int columns, int rows) {
      return new Bumps(reach, columns, rows, new double[columns * rows]);
    }

    Bumps with(double[] other) {
      return new Bumps(reach, columns, rows, other);
    }

    int size() {
      return columns * rows;
    }

    void features(double x, double t, double[] out) {
      double[] along = bumps(x, -reach, reach, columns);
      double[] over = bumps(t, 0, 1, rows);
      for (int i = 0; i < columns; i++) {
        for (int j = 0; j < rows; j++) {
          out[i * rows + j] = along[i] * over[j];
        }
      }
    }

    private static double[] bumps(double x, double from, double to, int count) {
      double apart = (to - from) / (count - 1);
      double[] bumps = new double[count];
      for (int i = 0; i < count; i++) {
        double z = (x - from) / apart - i;
        bumps[i] = Math.exp(-z * z / 2);
      }
      return bumps;
    }

    @Override
    public double at(double x, double t) {
      double[] features = new double[size()];
      features(x, t, features);
      return dot(weights, features);
    }
  }
}
