package org.alignlang.kernel;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a compiled objective reads and writes, in the order in which its kernel indexes them.
 *
 * @param objective the objective's name in its spec
 * @param source the spec's path, relative, for messages
 * @param sequences the sequences of one row: {@code ["y"]}, {@code ["chosen", "rejected"]} for pair
 *     data, or the draws of {@code sample}
 * @param inputs the tensors that the kernel reads, by contract name
 * @param parameters the declared parameters, with defaults
 * @param constraints the constraints, each with the multiplier that its value drives
 * @param metrics the names of the scalar metrics that the kernel reports besides the loss
 * @param states the numbers that are kept from step to step
 * @param measured whether the number of tokens of a row matters
 * @param grouped whether rows are grouped by prompt (the batch must say which group a row is in)
 * @param enumerated whether the rows of each group must be all responses of that prompt ({@code
 *     estimate with exact})
 * @param discounts the discount of the occupancy measures that an input {@code occupancy.ACTOR}
 *     compares, by the input's name
 */
public record Signature(
    String objective,
    String source,
    List<String> sequences,
    List<Input> inputs,
    List<Parameter> parameters,
    List<Constraint> constraints,
    List<String> metrics,
    List<State> states,
    boolean measured,
    boolean grouped,
    boolean enumerated,
    Map<String, Double> discounts) {

  public Signature {
    sequences = List.copyOf(sequences);
    inputs = List.copyOf(inputs);
    parameters = List.copyOf(parameters);
    constraints = List.copyOf(constraints);
    metrics = List.copyOf(metrics);
    states = List.copyOf(states);
    discounts = Map.copyOf(discounts);
  }

  /**
   * Checks that there is one value per parameter and one per constraint.
   *
   * @throws IllegalArgumentException if there is not
   */
  public void checkArguments(double[] parameterValues, double[] multiplierValues) {
    if (parameterValues.length != parameters.size()) {
      throw new IllegalArgumentException(
          parameterValues.length + " parameters for " + parameters.size() + " of " + objective);
    }
    if (multiplierValues.length != constraints.size()) {
      throw new IllegalArgumentException(
          multiplierValues.length + " multipliers for " + constraints.size() + " of " + objective);
    }
  }

  /** The number that an input is kept for, if it is one that is kept from step to step. */
  public Optional<State> stateOf(Input input) {
    return states.stream().filter(state -> state.input().equals(input.name())).findFirst();
  }

  /** What an input holds. */
  public enum Role {
    /** Log-probability of the taken tokens under an actor, at token level. */
    LOG_PROBABILITY,
    /** Logits of an actor, at vocabulary level. */
    LOGITS,
    /** The taken tokens, at token level. */
    TOKENS,
    /** A reward, label or feature column, or a kept number. */
    COLUMN,
    /** Numbers of a block that is trained beside the policy, such as a critic's values. */
    LEARNED
  }

  /**
   * One tensor that the kernel reads.
   *
   * @param name the tensor's contract name, such as {@code chosen.ref.logp} or {@code reward.harm}
   * @param role what it holds
   * @param actor the actor for log-probabilities and logits, else empty
   * @param sequence the sequence it belongs to, empty for a pair-level column
   * @param level its level
   * @param members the size of its ensemble axis, 0 without one
   * @param trained whether the kernel writes a gradient for it
   */
  public record Input(
      String name,
      Role role,
      String actor,
      String sequence,
      Level level,
      int members,
      boolean trained) {}

  /** The name of the trained block that a {@link Role#LEARNED} input belongs to. */
  public static String block(Input input) {
    return input.name().substring(input.name().lastIndexOf('.') + 1);
  }

  /**
   * The actor that {@code preference.P.ACTOR}, a win rate per sequence, or {@code occupancy.ACTOR},
   * a log-ratio per token, is against.
   */
  public static Optional<String> opponent(Input input) {
    String column = column(input);
    boolean winRate = input.level() == Level.SEQUENCE && column.startsWith("preference.");
    return input.role() == Role.COLUMN && (winRate || isOccupancy(input))
        ? Optional.of(column.substring(column.lastIndexOf('.') + 1))
        : Optional.empty();
  }

  /**
   * Whether an input is {@code occupancy.ACTOR}: for each state and action of a row the logarithm
   * of how much more often the trained policy is there than the actor.
   */
  public static boolean isOccupancy(Input input) {
    return input.role() == Role.COLUMN
        && input.level() == Level.TOKEN
        && column(input).startsWith("occupancy.");
  }

  /** An input's name without its sequence. */
  private static String column(Input input) {
    return input.name().startsWith(input.sequence() + ".")
        ? input.name().substring(input.sequence().length() + 1)
        : input.name();
  }

  /** A declared parameter of the objective with its default, NaN where it has none. */
  public record Parameter(String name, double defaultValue, boolean integer) {}

  /**
   * A number that is kept from step to step. The kernel reads it as the batch-level input {@code
   * state.NAME}, and reports what it is after the step as the metric {@code NAME}.
   *
   * @param name its name
   * @param initial what it is before the first step
   */
  public record State(String name, double initial) {

    /** The contract name of the input. */
    public String input() {
      return "state." + name;
    }
  }

  /** How a multiplier moves with its constraint. */
  public enum DualForm {
    /** {@code lambda = max(0, lambda + rate * violation)}. */
    PROJECTED,
    /** {@code lambda = exp(nu)}, {@code nu += rate * violation * lambda}. */
    LOG,
    /** {@code lambda = softplus(nu)}, {@code nu += rate * violation * sigmoid(nu)}. */
    SOFTPLUS,
    /** Proportional, integral and derivative terms of the violation. */
    PID
  }

  /**
   * One constraint. Its violation is {@code value - bound} for {@code <=}, {@code bound - value}
   * for {@code >=} and {@code value - bound} for {@code ==}. The kernel adds {@code multiplier *
   * value} to the minimised objective (subtracts it for {@code >=}), with the multiplier detached;
   * {@code multiplier * bound} is a constant of the loss and left out.
   *
   * @param name the name under which its value is reported among the metrics
   * @param multiplier the multiplier's name
   * @param relation {@code "<="}, {@code ">="} or {@code "=="}
   * @param form how the multiplier moves
   * @param initial the multiplier's first value
   * @param rate the dual step size (projected, log, softplus)
   * @param kp proportional gain (PID)
   * @param ki integral gain (PID)
   * @param kd derivative gain (PID)
   * @param maximum the multiplier's upper bound, infinite without one
   */
  public record Constraint(
      String name,
      String multiplier,
      String relation,
      DualForm form,
      double initial,
      double rate,
      double kp,
      double ki,
      double kd,
      double maximum) {}
}
